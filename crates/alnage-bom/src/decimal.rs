//! Decimal numbers as text: CycloneDX and SPDX want no binary fractions.

/// `grams` as tonnes, digit by digit; `None` for what is no plain decimal number.
pub(crate) fn tonnes(grams: &str) -> Option<String> {
    let grams = grams.trim();
    let (whole, part) = grams.split_once('.').unwrap_or((grams, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) || grams.len() > 40 {
        return None;
    }
    let padded = format!("{whole:0>7}");
    let (tonnes, rest) = padded.split_at_checked(padded.len().checked_sub(6)?)?;
    let fraction = format!("{rest}{part}");
    let fraction = fraction.trim_end_matches('0');
    let tonnes = tonnes.trim_start_matches('0');
    let tonnes = if tonnes.is_empty() { "0" } else { tonnes };
    Some(if fraction.is_empty() { tonnes.to_owned() } else { format!("{tonnes}.{fraction}") })
}
