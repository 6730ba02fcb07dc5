//! Why the log could not be written, or is not to be trusted.

use std::io;

/// Why the log could not be written, or is not to be trusted, by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed; mend it and try again.
    #[error("the log's file `{name}`: {source}")]
    Store {
        /// Which object of the log.
        name: String,
        /// What the store said.
        source: io::Error,
    },
    /// The log's files do not fit together; restore them from a copy, and find out who changed them.
    #[error("the log is damaged: {0}")]
    Damaged(String),
    /// The log has no such entry, or is not that large.
    #[error("the log has {size} entries, there is no entry {index}")]
    NoSuchEntry {
        /// What was asked for.
        index: u64,
        /// How many there are.
        size: u64,
    },
    /// The text is no key, checkpoint, entry or receipt; get it anew from its maker.
    #[error("{0}")]
    Malformed(String),
    /// The proof or the signature does not hold; do not trust the statement.
    #[error("not proven: {0}")]
    Unproven(String),
}
