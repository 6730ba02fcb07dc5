//! What the world may answer instead of bytes.

use std::{io, path::PathBuf};

/// Why something could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nothing of this name.
    #[error("`{}` does not exist", .0.display())]
    NotFound(PathBuf),
    /// A pattern without a match.
    #[error("no file matches `{0}`")]
    NoMatch(String),
    /// A pattern that cannot be understood.
    #[error("`{pattern}` is no pattern: {reason}")]
    Pattern {
        /// As the user wrote it.
        pattern: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A pipe, socket or device, which could block or never end.
    #[error("`{}` is neither a file nor a directory", .0.display())]
    Special(PathBuf),
    /// Standard input is longer than is kept in memory.
    #[error("standard input is longer than {limit} bytes")]
    StdinTooLong {
        /// The most that is read.
        limit: u64,
    },
    /// The operating system refused.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// What was asked for.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
}

impl Error {
    /// The error for `path`, with the missing file told from the refused one.
    pub(crate) fn at(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| match source.kind() {
            io::ErrorKind::NotFound => Self::NotFound(path),
            _ => Self::Io { path, source },
        }
    }
}
