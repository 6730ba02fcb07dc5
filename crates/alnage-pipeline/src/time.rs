//! Moments as the documents of a seal write them.

use alnage_scan::Date;

/// `2026-11-22T04:05:06Z`, from seconds since the beginning of 1970.
pub fn rfc3339(seconds: u64) -> String {
    let of_day = seconds % 86_400;
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{}T{hour:02}:{minute:02}:{second:02}Z", Date::from_unix(seconds))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_known_moment() {
        assert_eq!(super::rfc3339(1_795_320_306), "2026-11-22T04:05:06Z");
    }
}
