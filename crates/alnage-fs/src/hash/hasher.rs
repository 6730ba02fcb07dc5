//! One of the algorithms, under way on one stream.

use alnage_hash::{Engine, Part, Piece};
use alnage_types::{ContentDigest, HashAlgorithm};

/// A hash of what has come so far.
pub(crate) enum Hasher {
    Sha256(alnage_hash::Stream),
    Blake2b512(Box<blake2b_simd::State>),
    Blake3(Box<blake3::Hasher>),
}

impl Hasher {
    pub(crate) fn new(algorithm: HashAlgorithm) -> Self {
        match algorithm {
            HashAlgorithm::Sha256 => Self::Sha256(alnage_hash::Stream::default()),
            HashAlgorithm::Blake2b512 => Self::Blake2b512(Box::default()),
            HashAlgorithm::Blake3 => Self::Blake3(Box::default()),
        }
    }

    /// Takes the next bytes of many streams; those of SHA-256 side by side.
    pub(crate) fn take<'a>(engine: Engine, bytes: impl Iterator<Item = (&'a mut Self, &'a [u8], Part)>) {
        engine.take(bytes.filter_map(|(hasher, bytes, part)| match hasher {
            Self::Sha256(stream) => Some(Piece { stream, bytes, part }),
            Self::Blake2b512(hasher) => {
                hasher.update(bytes);
                None
            }
            Self::Blake3(hasher) => {
                hasher.update(bytes);
                None
            }
        }));
    }

    /// The digest; none before SHA-256 was given its last bytes.
    pub(crate) fn digest(&self) -> Option<ContentDigest> {
        Some(match self {
            Self::Sha256(stream) => ContentDigest::Sha256(stream.digest()?),
            Self::Blake2b512(hasher) => ContentDigest::Blake2b512(*hasher.finalize().as_array()),
            Self::Blake3(hasher) => ContentDigest::Blake3(*hasher.finalize().as_bytes()),
        })
    }
}
