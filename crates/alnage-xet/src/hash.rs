//! Keyed BLAKE3 hashes: of a chunk, of a range of chunks, and the tree over chunks that names xorbs and files.

use std::{fmt, fmt::Write as _, str::FromStr};

/// Children that a node of the tree has on average; a node has at least two and at most `2 × 4 + 1`.
const BRANCHING: usize = 4;

const CHUNK_KEY: [u8; 32] = [
    0x66, 0x97, 0xf5, 0x77, 0x5b, 0x95, 0x50, 0xde, 0x31, 0x35, 0xcb, 0xac, 0xa5, 0x97, 0x18, 0x1c, 0x9d,
    0xe4, 0x21, 0x10, 0x9b, 0xeb, 0x2b, 0x58, 0xb4, 0xd0, 0xb0, 0x4b, 0x93, 0xad, 0xf2, 0x29,
];
const NODE_KEY: [u8; 32] = [
    0x01, 0x7e, 0xc5, 0xc7, 0xa5, 0x47, 0x29, 0x96, 0xfd, 0x94, 0x66, 0x66, 0xb4, 0x8a, 0x02, 0xe6, 0x5d,
    0xdd, 0x53, 0x6f, 0x37, 0xc7, 0x6d, 0xd2, 0xf8, 0x63, 0x52, 0xe6, 0x4a, 0x53, 0x71, 0x3f,
];
const RANGE_KEY: [u8; 32] = [
    0x7f, 0x18, 0x57, 0xd6, 0xce, 0x56, 0xed, 0x66, 0x12, 0x7f, 0xf9, 0x13, 0xe7, 0xa5, 0xc3, 0xf3, 0xa4,
    0xcd, 0x26, 0xd5, 0xb5, 0xdb, 0x49, 0xe6, 0x41, 0x24, 0x98, 0x7f, 0x28, 0xfb, 0x94, 0xc3,
];

/// A hash of the Xet protocol. Its text is four little-endian 64-bit numbers, not the bytes in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MerkleHash([u8; 32]);

impl MerkleHash {
    /// A hash as it stands in a shard.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes as they stand in a shard.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The four numbers that text and tree are made of.
    fn words(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word))
    }
}

impl fmt::Display for MerkleHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.words().try_for_each(|word| write!(f, "{word:016x}"))
    }
}

impl FromStr for MerkleHash {
    type Err = crate::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = crate::Error::Malformed("hash");
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(malformed);
        }
        let mut bytes = [0; 32];
        for (place, digits) in bytes.as_chunks_mut().0.iter_mut().zip(text.as_bytes().chunks_exact(16)) {
            let digits = std::str::from_utf8(digits).map_err(|_| malformed.clone())?;
            *place = u64::from_str_radix(digits, 16).map_err(|_| malformed.clone())?.to_le_bytes();
        }
        Ok(Self(bytes))
    }
}

/// The hash that names a chunk.
pub fn chunk_hash(bytes: &[u8]) -> MerkleHash {
    keyed(&CHUNK_KEY, bytes)
}

/// The hash by which a client shows that it has the chunks it names.
pub fn range_hash(chunks: impl IntoIterator<Item = MerkleHash>) -> MerkleHash {
    let mut hasher = blake3::Hasher::new_keyed(&RANGE_KEY);
    for chunk in chunks {
        hasher.update(&chunk.0);
    }
    MerkleHash(hasher.finalize().into())
}

/// The hash that names a xorb of these chunks, each with its length.
pub fn xorb_hash(chunks: impl IntoIterator<Item = (MerkleHash, u64)>) -> MerkleHash {
    root(chunks.into_iter().collect())
}

/// The hash that names a file of these chunks, each with its length.
pub fn file_hash(chunks: impl IntoIterator<Item = (MerkleHash, u64)>) -> MerkleHash {
    let chunks: Vec<_> = chunks.into_iter().collect();
    if chunks.is_empty() {
        return MerkleHash::default();
    }
    keyed(&[0; 32], &root(chunks).0)
}

/// BLAKE3 of `bytes` under `key`: a message authentication code.
pub fn keyed(key: &[u8; 32], bytes: &[u8]) -> MerkleHash {
    MerkleHash(blake3::keyed_hash(key, bytes).into())
}

/// Joins neighbours level by level until one is left. Each level has at most half the nodes of the one below.
fn root(mut level: Vec<(MerkleHash, u64)>) -> MerkleHash {
    while level.len() > 1 {
        let mut above = Vec::with_capacity(level.len() / 2);
        let mut rest = level.as_slice();
        while !rest.is_empty() {
            let (children, after) = rest.split_at(cut(rest));
            above.push(join(children));
            rest = after;
        }
        level = above;
    }
    level.first().map(|(hash, _)| *hash).unwrap_or_default()
}

/// How many of the nodes get one parent: up to the first, from the third on, whose hash says so.
fn cut(nodes: &[(MerkleHash, u64)]) -> usize {
    let most = nodes.len().min(2 * BRANCHING + 1);
    let ends =
        |(hash, _): &(MerkleHash, u64)| hash.words().last().is_some_and(|word| word % BRANCHING as u64 == 0);
    nodes.iter().take(most).skip(2).position(ends).map_or(most, |place| place + 3)
}

fn join(children: &[(MerkleHash, u64)]) -> (MerkleHash, u64) {
    let mut text = String::with_capacity(children.len() * 88);
    let mut total = 0u64;
    for (hash, length) in children {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{hash} : {length}");
        total = total.saturating_add(*length);
    }
    (keyed(&NODE_KEY, text.as_bytes()), total)
}
