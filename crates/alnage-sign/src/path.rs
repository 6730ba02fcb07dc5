//! Which names a signature may speak of: plain relative paths.

/// What is wrong with `path` as the name of a file below the model's root; `None` when nothing is.
pub(crate) fn flaw(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("is empty");
    }
    if path.starts_with('/') {
        return Some("is absolute");
    }
    if path.contains('\0') {
        return Some("holds a NUL character");
    }
    path.split('/').find_map(|segment| match segment {
        "" => Some("has an empty segment"),
        "." | ".." => Some("has a `.` or `..` segment"),
        _ => None,
    })
}

/// `path` for a message: shortened, control characters escaped.
pub(crate) fn shown(path: &str) -> String {
    const LONGEST: usize = 200;
    let mut shown: String = path.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if path.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}
