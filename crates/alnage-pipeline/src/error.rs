//! Why a seal could not be made or checked.

/// Why a seal could not be made or checked, by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error(transparent)]
    Files(#[from] alnage_fs::Error),
    /// A key, a signature or an attestation.
    #[error(transparent)]
    Sign(#[from] alnage_sign::Error),
    /// A signature inside a bill of materials.
    #[error(transparent)]
    Document(#[from] alnage_bom::JsfError),
    /// The log.
    #[error("the log: {0}")]
    Log(#[from] alnage_log::Error),
    /// What is to be signed holds something no signature can cover.
    #[error("`{path}` cannot be signed: {reason}")]
    Unsignable {
        /// Relative to the model.
        path: String,
        /// Why.
        reason: String,
    },
    /// Only what passed is sealed.
    #[error("the verdict is `{}`, and only `pass` is sealed", .0.as_str())]
    NotPassed(alnage_types::Verdict),
    /// There is no file to put a seal beside.
    #[error("standard input has no place for a seal")]
    NoPlace,
    /// What the verifier says it trusts cannot be used; mend the file.
    #[error("`{}`: {message}", .path.display())]
    Trust {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong with it.
        message: String,
    },
}
