//! How a model's files become what is signed: whole, or in shards of one size.

use std::{fmt, num::NonZeroU64};

use alnage_types::{ContentDigest, HashAlgorithm, ManifestFile};

/// How files become resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Serialization {
    /// Each file is one.
    Files,
    /// Each file is cut every `size` bytes. An empty file leads to none, so a signature of this kind does not cover
    /// it.
    Shards {
        /// How long a shard is; the last of a file may be shorter.
        size: NonZeroU64,
    },
}

impl Serialization {
    /// As signatures spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Shards { .. } => "shards",
        }
    }

    /// The parts that a file of `len` bytes is hashed in; `None` is the whole file.
    pub fn parts(self, len: u64) -> impl Iterator<Item = Option<Shard>> {
        let size = match self {
            Self::Files => None,
            Self::Shards { size } => Some(size.get()),
        };
        let count = size.map_or(1, |size| len.div_ceil(size));
        (0..count).map(move |index| {
            let start = index.saturating_mul(size?);
            Some(Shard { start, end: start.saturating_add(size?).min(len) })
        })
    }
}

/// A part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard {
    /// Offset of its first byte.
    pub start: u64,
    /// Offset behind its last byte.
    pub end: u64,
}

/// A file or a part of one, and its digest: what a signature lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Relative to the model's root; `.` for the only file of a model that is no folder.
    pub path: String,
    /// Which part; `None` for the whole file.
    pub shard: Option<Shard>,
    /// Of its content.
    pub digest: ContentDigest,
}

impl Resource {
    /// As signatures name it.
    pub fn name(&self) -> String {
        match self.shard {
            None => self.path.clone(),
            Some(Shard { start, end }) => format!("{}:{start}:{end}", self.path),
        }
    }
}

/// A file on disk and what it was hashed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashedFile {
    /// Relative to the model's root, or the name of the only file.
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// Its parts, in order; `None` when it could not be read or was written to meanwhile.
    pub parts: Option<Vec<(Option<Shard>, ContentDigest)>>,
}

impl HashedFile {
    /// The resources it leads to; none when it was not read.
    pub fn resources(&self) -> impl Iterator<Item = Resource> {
        let parts = self.parts.as_deref().unwrap_or_default();
        parts.iter().map(|&(shard, digest)| Resource { path: self.path.clone(), shard, digest })
    }
}

impl From<&ManifestFile> for HashedFile {
    fn from(file: &ManifestFile) -> Self {
        let parts = file.sha256.map(|digest| vec![(None, digest.into())]);
        Self { path: file.path.clone(), size: file.size, parts }
    }
}

impl fmt::Display for Serialization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Files => f.write_str("whole files"),
            Self::Shards { size } => write!(f, "shards of {size} bytes"),
        }
    }
}

/// What a shard's digest is labelled with by the reference implementation, which other verifiers refuse.
pub(crate) fn python_shard_algorithm(algorithm: HashAlgorithm, size: NonZeroU64) -> String {
    format!("{}-sharded-{size}", algorithm.as_str())
}

/// `path:start:end` apart. The path may hold colons of its own.
pub(crate) fn parse_shard(name: &str) -> Option<(&str, Shard)> {
    let (rest, end) = name.rsplit_once(':')?;
    let (path, start) = rest.rsplit_once(':')?;
    let number = |digits: &str| -> Option<u64> {
        let number: u64 = digits.parse().ok()?;
        // One spelling each: no sign, no leading zeros.
        (number.to_string() == digits).then_some(number)
    };
    Some((path, Shard { start: number(start)?, end: number(end)? }))
}
