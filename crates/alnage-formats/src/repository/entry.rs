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
        // What an envelope holds says at its beginning what it is about, which may be many files.
        const MAX_PAYLOAD: usize = 512 << 10;
        if entries.len() < MAX_ENTRIES && path.depth() <= MAX_DEPTH && value != Scalar::Null {
            let pointer = path.pointer();
            let most = if pointer == "/payload" { MAX_PAYLOAD } else { MAX_VALUE };
            let shown: String = value.shown().chars().take(most).collect();
            entries.push(Self { pointer, value: shown, is_text: value.as_str().is_some(), start });
        }
    }
}
