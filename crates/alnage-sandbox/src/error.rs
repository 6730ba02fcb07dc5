//! Why a program could not be started behind the wall.

use std::{io, path::PathBuf};

/// Nothing was run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kernel has not what it takes.
    #[error("this kernel cannot keep a program behind the wall: {0}")]
    Unsupported(String),
    /// A host cannot be guarded like this.
    #[error("the host cannot be guarded: {0}")]
    Unguardable(String),
    /// There is no such program.
    #[error("`{}` is no program that can be found", .0.display())]
    NoProgram(PathBuf),
    /// The program, or what it was given, is a model that is not admitted.
    #[error("`{}` is refused: {reason}", path.display())]
    Refused {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// There is no jail here, so nothing was loaded.
    #[error("no jail can be made here, and nothing was loaded: {0}")]
    NoJail(String),
    /// What was named is no Python that can be used.
    #[error("`{}` is no Python of version 3.10 or newer", .0.display())]
    NoInterpreter(PathBuf),
    /// The model could not be opened.
    #[error(transparent)]
    Files(#[from] alnage_fs::Error),
    /// The operating system refused.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: String,
        /// What the operating system says.
        source: io::Error,
    },
}

impl Error {
    /// The error for an attempt to do `what`.
    pub(crate) fn at<E: Into<io::Error>>(what: impl Into<String>) -> impl FnOnce(E) -> Self {
        let what = what.into();
        move |source| Self::System { what, source: source.into() }
    }
}
