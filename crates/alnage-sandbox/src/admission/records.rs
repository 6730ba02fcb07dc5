//! Somebody with records of what was approved, for a gate that admits nothing else.

use std::{path::Path, sync::Arc};

use alnage_types::Digest;

/// Who knows what was approved. Many threads may ask at once, and each waits.
pub trait Records: Send + Sync {
    /// Whether what has this digest is approved: a model, by the manifest that was signed, or without seals a file. `place`
    /// is where it lies, and that it is opened there may be written down. Gives who says so; an error is why not, in one
    /// sentence.
    fn vouch(&self, digest: Digest, place: &Path) -> Result<String, String>;
}

/// Who vouches for what gets in.
pub enum Vouching {
    /// A seal.
    Seal,
    /// A seal, and records that know the very model it is of.
    SealAndRecord(Arc<dyn Records>),
    /// Records that know the file; nobody looks for a seal.
    Record(Arc<dyn Records>),
}

impl Vouching {
    /// The records that are asked, if any.
    pub(super) fn records(&self) -> Option<&dyn Records> {
        match self {
            Self::Seal => None,
            Self::SealAndRecord(records) | Self::Record(records) => Some(&**records),
        }
    }
}
