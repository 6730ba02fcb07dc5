//! A moment, as a reader wants it: the day and hour in UTC, the machine's form beside it.

use std::fmt;

/// Seconds since the beginning of 1970. Nought is "never".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(crate) u64);

/// A span of time in the one unit that says enough: `3 d`, `5 h`, `12 min`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) u64);

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl Moment {
    /// How long before `now` it was.
    pub(crate) fn before(self, now: u64) -> Span {
        Span(now.saturating_sub(self.0))
    }

    /// `22 Nov 2026, 04:05`, for a sentence.
    pub(crate) fn plain(self) -> String {
        if self.0 == 0 {
            return "never".to_owned();
        }
        let (year, month, day) = civil(self.0 / 86_400);
        let (hour, minute) = (self.0 / 3600 % 24, self.0 / 60 % 60);
        let name = MONTHS.get(month.saturating_sub(1) as usize).copied().unwrap_or_default();
        format!("{day} {name} {year}, {hour:02}:{minute:02}")
    }

    /// `2026-11-22`, as a form's field of a day wants it.
    pub(crate) fn day(self) -> String {
        let (year, month, day) = civil(self.0 / 86_400);
        format!("{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("never");
        }
        let (year, month, day) = civil(self.0 / 86_400);
        let (hour, minute, second) = (self.0 / 3600 % 24, self.0 / 60 % 60, self.0 % 60);
        let plain = self.plain();
        write!(
            f,
            r#"<time datetime="{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z">{plain}</time>"#
        )
    }
}

impl askama::filters::HtmlSafe for Moment {}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.0 / 60;
        match minutes {
            0 => f.write_str("under a minute"),
            1..=119 => write!(f, "{minutes} min"),
            120..=2879 => write!(f, "{} h", minutes / 60),
            _ => write!(f, "{} d", minutes / 1440),
        }
    }
}

impl askama::filters::HtmlSafe for Span {}

/// Year, month and day of a day counted from the beginning of 1970 (Hinnant's `civil_from_days`).
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days.saturating_add(719_468);
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

/// The first second of a day written `2026-11-22`, or none.
pub(crate) fn day(text: &str) -> Option<u64> {
    let mut parts = text.splitn(3, '-').map(|part| part.parse::<u64>().ok());
    let date = (parts.next()??, parts.next()??, parts.next()??);
    let (year, month, of_month) = date;
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&of_month) {
        return None;
    }
    let (year, shifted) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * shifted + 2) / 5 + of_month - 1;
    let days = days.checked_sub(719_468)?;
    (civil(days) == date).then_some(days * 86_400)
}

/// The end of something that may have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Until(pub(crate) Option<u64>);

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(seconds) => Moment(seconds).fmt(f),
            None => f.write_str("no end"),
        }
    }
}

impl askama::filters::HtmlSafe for Until {}
