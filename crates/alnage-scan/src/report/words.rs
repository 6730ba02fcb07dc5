//! Wording that the reports share: numbers, places, and text that came out of a hostile file.

use std::borrow::Cow;

use alnage_types::{Finding, Issue, Severity};

/// `text` without characters that would move the cursor, recolour the terminal or reverse the reading order.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len());
    for character in text.chars() {
        match is_unprintable(character) {
            true => cleaned.extend(character.escape_default()),
            false => cleaned.push(character),
        }
    }
    Cow::Owned(cleaned)
}

fn is_unprintable(character: char) -> bool {
    (character.is_control() && character != '\n')
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// At most `max` characters of `text`.
pub(super) fn shorten(text: &str, max: usize) -> Cow<'_, str> {
    match text.char_indices().nth(max) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// `1 file`, `2 files`.
pub(super) fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// `12.3 MB`, in powers of ten as disks and hubs count.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return count(bytes, "byte");
    }
    let mut value = bytes as f64 / 1000.0;
    let mut unit = UNITS[0];
    for &larger in &UNITS[1..] {
        if value < 999.95 {
            break;
        }
        value /= 1000.0;
        unit = larger;
    }
    format!("{value:.1} {unit}")
}

/// Where a finding is: `model.bin!/data.pkl at byte 12`.
pub(super) fn place(finding: &Finding) -> String {
    match finding.span {
        Some(span) => format!("{} at byte {}", clean(finding.artifact.as_str()), span.start),
        None => clean(finding.artifact.as_str()).into_owned(),
    }
}

/// Where an issue is.
pub(super) fn issue_place(issue: &Issue) -> String {
    match issue.offset {
        Some(offset) => format!("{} at byte {offset}", clean(issue.artifact.as_str())),
        None => clean(issue.artifact.as_str()).into_owned(),
    }
}

/// Findings of one rule, in the order of the first of each rule.
pub(super) fn by_rule(findings: &[Finding]) -> Vec<Vec<&Finding>> {
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    for finding in findings {
        match groups.iter_mut().find(|group| group[0].code == finding.code) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    groups
}

/// What stopped a model from passing when no finding did: for `unknown`.
pub(super) const UNKNOWN: &str = "not everything could be understood";

/// The word for a severity.
pub(super) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

/// Writes `text` in lines of at most `width` columns, broken between words; a longer word stands alone.
pub(super) fn wrap(output: &mut String, first: &str, rest: &str, text: &str, width: usize) {
    output.push_str(first);
    let mut column = first.chars().count();
    let mut fresh = true;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if !fresh && column + 1 + length > width {
            output.push('\n');
            output.push_str(rest);
            column = rest.chars().count();
        } else if !fresh {
            output.push(' ');
            column += 1;
        }
        output.push_str(word);
        column += length;
        fresh = false;
    }
    output.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_digits() {
        for (bytes, expected) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (1000, "1.0 kB"),
            (999_949, "999.9 kB"),
            (999_950, "1.0 MB"),
            (4_294_967_296, "4.3 GB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
    }

    #[test]
    fn what_would_move_the_cursor_is_escaped() {
        assert_eq!(clean("a\u{1b}[2Jb\u{202e}c\nd"), "a\\u{1b}[2Jb\\u{202e}c\nd");
    }
}
