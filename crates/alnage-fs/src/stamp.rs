//! What tells that a file is the one it was, and was not written to since.

use std::{fs::Metadata, io, os::unix::fs::MetadataExt, path::Path};

/// Where a file is kept, its length, and when it was changed: another file, or one that was written to, has another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// The file system.
    pub device: u64,
    /// The file's number there.
    pub inode: u64,
    /// In bytes.
    pub len: u64,
    /// When the content was last written, as far as one can say: anybody may set it. Seconds and nanoseconds.
    pub modified: (i64, i64),
    /// When content or attributes were last changed, which the kernel alone sets. Seconds and nanoseconds.
    pub changed: (i64, i64),
}

impl Stamp {
    /// Of what lies at `path`.
    pub fn at(path: &Path) -> io::Result<Self> {
        Ok(Self::of(&path.metadata()?))
    }

    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            len: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}
