//! Python packages by name and package URL.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What package URLs percent-encode: all but RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A package's name as PEP 503 compares it: lower case, runs of `-`, `_` and `.` as one `-`.
pub fn python_name(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for character in name.trim().chars() {
        match character {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            other => normal.extend(other.to_lowercase()),
        }
    }
    normal
}

/// The package URL of a Python package.
pub fn python_purl(name: &str, version: Option<&str>) -> String {
    let version = version.map(|version| format!("@{}", purl_encoded(version))).unwrap_or_default();
    format!("pkg:pypi/{}{version}", purl_encoded(&python_name(name)))
}

/// Percent-encoded for a part of a package URL.
pub fn purl_encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}
