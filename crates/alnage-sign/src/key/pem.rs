//! Blocks of PEM in a file that may hold more.

/// The first block with this label, from its opening line to its closing one.
pub(super) fn block<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    let (opening, closing) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let block = &text[text.find(&opening)?..];
    let end = block.find(&closing)?.checked_add(closing.len())?;
    block.get(..end)
}

/// Whether a block with this label begins in `text`.
pub(super) fn has(text: &str, label: &str) -> bool {
    text.contains(&format!("-----BEGIN {label}-----"))
}
