//! Bytes by their digest: in a directory, or in an S3-compatible store. What may be served is for records to say.

mod git;
mod local;
mod s3;

#[cfg(test)]
mod tests;

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    time::SystemTime,
};

use alnage_types::Digest;

pub use git::{blob_oid, pointer, pointer_oid};
pub use local::Local;
pub use s3::{S3, S3Settings};

use crate::Result;

/// Content up to this size has its git object name computed as a blob; larger content is named by its LFS pointer.
pub const SMALL: u64 = 10 * 1024 * 1024;

/// A store of bytes.
#[derive(Clone, Debug)]
pub enum Blobs {
    /// A directory.
    Local(Local),
    /// A bucket.
    S3(S3),
}

/// What was put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// How many.
    pub size: u64,
    /// 40 hexadecimal digits: the git object name of the bytes, or of the LFS pointer to them from [`SMALL`] up.
    pub git_oid: String,
}

/// One entry of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub digest: Digest,
    /// Its size.
    pub size: u64,
    /// When it was put, for sweeping what nobody names; unknown where the store does not say.
    pub modified: Option<SystemTime>,
}

impl Blobs {
    /// Takes the bytes of `from`. They must have the digest `expect`, when that is given.
    pub fn put(&self, from: impl Read, expect: Option<Digest>) -> Result<Stored> {
        match self {
            Self::Local(local) => local.put(from, expect),
            Self::S3(s3) => s3.put(from, expect),
        }
    }

    /// Takes the file at `path`, whose digest the caller has computed while writing it, and who does not write it again.
    pub fn put_file(&self, path: &Path, digest: Digest) -> Result<()> {
        match self {
            Self::Local(local) => local.put_file(path, digest),
            Self::S3(s3) => s3.put_file(path, digest),
        }
    }

    /// Opens the bytes with this digest.
    pub fn open(&self, digest: Digest) -> Result<Option<BlobReader>> {
        match self {
            Self::Local(local) => local.open(digest),
            Self::S3(s3) => s3.open(digest),
        }
    }

    /// All bytes of a small blob; an error when there are more than `limit`.
    pub fn read(&self, digest: Digest, limit: u64) -> Result<Option<Vec<u8>>> {
        let Some(reader) = self.open(digest)? else { return Ok(None) };
        if reader.size() > limit {
            return Err(crate::Error::Invalid(format!("{digest} has more than {limit} bytes")));
        }
        let mut bytes = vec![0; usize::try_from(reader.size()).unwrap_or(0)];
        reader.read_exact_at(&mut bytes, 0)?;
        Ok(Some(bytes))
    }

    /// Puts the bytes with this digest at `to`, which must not be written to: it may be the stored file itself.
    pub fn materialise(&self, digest: Digest, to: &Path) -> Result<()> {
        match self {
            Self::Local(local) => local.materialise(digest, to),
            Self::S3(s3) => s3.materialise(digest, to),
        }
    }

    /// Whether the bytes with this digest are here.
    pub fn contains(&self, digest: Digest) -> Result<bool> {
        match self {
            Self::Local(local) => local.contains(digest),
            Self::S3(s3) => s3.size(digest).map(|size| size.is_some()),
        }
    }

    /// Forgets the bytes with this digest.
    pub fn delete(&self, digest: Digest) -> Result<()> {
        match self {
            Self::Local(local) => local.delete(digest),
            Self::S3(s3) => s3.delete(digest),
        }
    }

    /// Gives `take` everything that is here, in no order, some thousands at a time.
    pub fn pages(&self, take: &mut dyn FnMut(Vec<Listed>) -> Result<()>) -> Result<()> {
        match self {
            Self::Local(local) => local.pages(take),
            Self::S3(s3) => s3.pages(take),
        }
    }

    /// Everything that is here, in no order.
    pub fn list(&self) -> Result<Vec<Listed>> {
        let mut all = Vec::new();
        self.pages(&mut |page| {
            all.extend(page);
            Ok(())
        })?;
        Ok(all)
    }

    /// Forgets what was not written to the end, by whoever died over it more than `age` seconds ago.
    pub fn forget_unfinished(&self, age: u64) -> Result<()> {
        let folder = match self {
            Self::Local(local) => scratch(local.root()),
            Self::S3(s3) => s3.scratch().to_owned(),
        };
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            // Whoever is at it writes to it; what vanished meanwhile was put in place.
            let modified = entry.metadata().and_then(|metadata| metadata.modified());
            let passed = modified.ok().and_then(|modified| modified.elapsed().ok());
            if passed.is_some_and(|passed| passed.as_secs() > age) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
        Ok(())
    }
}

/// Bytes that can be read anywhere.
#[derive(Debug)]
pub struct BlobReader {
    size: u64,
    from: From,
}

#[derive(Debug)]
enum From {
    File(File),
    Remote(s3::Remote),
}

impl BlobReader {
    /// How many bytes there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Reads at `offset`; fewer bytes than asked for only at the end.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = left.min(buffer.len());
        let Some(buffer) = buffer.get_mut(..wanted).filter(|buffer| !buffer.is_empty()) else { return Ok(0) };
        match &self.from {
            From::File(file) => read_full(file, buffer, offset)?,
            From::Remote(remote) => remote.read_exact_at(buffer, offset)?,
        }
        Ok(wanted)
    }

    /// Fills `buffer` from `offset`.
    pub fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        if self.read_at(buffer, offset)? < buffer.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }

    /// The file itself, when there is one on this machine.
    pub fn file(&self) -> Option<&File> {
        match &self.from {
            From::File(file) => Some(file),
            From::Remote(_) => None,
        }
    }

    /// Reads from the first byte to the last.
    pub fn stream(&self) -> Streamed<'_> {
        Streamed { reader: self, offset: 0 }
    }
}

/// A blob from beginning to end.
#[derive(Debug)]
pub struct Streamed<'r> {
    reader: &'r BlobReader,
    offset: u64,
}

impl Read for Streamed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read_at(buffer, self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}

#[cfg(unix)]
fn read_full(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

/// Where the blob with this digest is, below the root of a store.
fn key(digest: Digest) -> String {
    let name = digest.to_string();
    let (first, rest) = name.split_at(2);
    let (second, _) = rest.split_at(2);
    format!("blobs/sha256/{first}/{second}/{name}")
}

/// Where a store keeps what is not whole yet.
fn scratch(root: &Path) -> PathBuf {
    root.join("tmp")
}
