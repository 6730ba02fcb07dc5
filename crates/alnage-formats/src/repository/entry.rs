//! A value of a document and where it stands.

use super::document::{Path, Scalar};

/// A value of a document and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// As a JSON pointer.
    pub pointer: String,
    /// As written, shortened.
    pub value: String,
    /// Whether it is text, as opposed to a number or a truth value.
    pub is_text: bool,
    /// Its first byte in the artifact, as exact as the reader knows.
    pub start: u64,
}

impl Entry {
    /// Keeps a value, as long as there are not too many and it does not stand too deep.
    pub(super) fn keep(entries: &mut Vec<Self>, path: &Path, value: Scalar<'_>, start: u64) {
        const MAX_ENTRIES: usize = 1024;
        const MAX_DEPTH: usize = 8;
        const MAX_VALUE: usize = 2048;
        if entries.len() < MAX_ENTRIES && path.depth() <= MAX_DEPTH && value != Scalar::Null {
            let shown: String = value.shown().chars().take(MAX_VALUE).collect();
            entries.push(Self {
                pointer: path.pointer(),
                value: shown,
                is_text: value.as_str().is_some(),
                start,
            });
        }
    }
}
