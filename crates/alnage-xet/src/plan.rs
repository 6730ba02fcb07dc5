//! The plan of a file: which pieces of which xorbs to read, made only when every hash that needs no content agrees.

use std::collections::HashMap;

use alnage_types::Digest;

use crate::{Chunk, Error, File, MerkleHash, Segment, file_hash, range_hash};

/// The most chunks in a file: 256 GiB of chunks of the usual length.
pub const MAX_FILE_CHUNKS: usize = 4 << 20;

/// The chunks of every xorb that files name, as they were computed when the xorbs came.
pub type Chunks = HashMap<MerkleHash, Vec<Chunk>>;

/// What to read to have a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The hash over the file's chunks.
    pub hash: MerkleHash,
    /// The digest that the content must have, when its uploader named one.
    pub sha256: Option<Digest>,
    /// How many bytes the file has.
    pub size: u64,
    /// The pieces in order.
    pub pieces: Vec<Piece>,
}

/// Neighbouring chunks of one xorb.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The xorb.
    pub xorb: MerkleHash,
    /// The first chunk.
    pub start: usize,
    /// One past the last chunk.
    pub end: usize,
}

impl Plan {
    /// Checks what `file` claims against the chunks of its xorbs.
    pub fn of(file: &File, chunks: &Chunks) -> Result<Self, Error> {
        let mut pieces = Vec::with_capacity(file.segments.len());
        let mut leaves = Vec::new();
        for segment in &file.segments {
            let taken = taken(segment, chunks)?;
            // A few segments may name the same long xorb over and over.
            if leaves.len() + taken.len() > MAX_FILE_CHUNKS {
                return Err(Error::TooLarge("file"));
            }
            leaves.extend(taken.iter().map(|chunk| (chunk.hash, u64::from(chunk.length))));
            pieces.push(Piece {
                xorb: segment.xorb,
                start: segment.start as usize,
                end: segment.end as usize,
            });
        }
        let hash = file_hash(leaves);
        agree("the hash of the file", file.hash, hash)?;
        Ok(Self { hash, sha256: file.sha256, size: file.size(), pieces })
    }
}

fn taken<'a>(segment: &Segment, chunks: &'a Chunks) -> Result<&'a [Chunk], Error> {
    let Segment { xorb, start, end, .. } = *segment;
    let all = chunks.get(&xorb).ok_or(Error::UnknownXorb(xorb))?;
    let taken = all
        .get(start as usize..end as usize)
        .filter(|taken| !taken.is_empty())
        .ok_or(Error::NoSuchChunks { xorb, start, end })?;
    let bytes: u64 = taken.iter().map(|chunk| u64::from(chunk.length)).sum();
    agree("the length of a segment", u64::from(segment.bytes), bytes)?;
    // Without it, who knows a xorb's name alone could have its content.
    let claimed = segment.range_hash.ok_or(Error::Malformed("file without the hashes of its segments"))?;
    agree("the hash of a segment", claimed, range_hash(taken.iter().map(|chunk| chunk.hash)))?;
    Ok(taken)
}

fn agree<T: PartialEq + ToString>(what: &'static str, claimed: T, computed: T) -> Result<(), Error> {
    if claimed == computed {
        return Ok(());
    }
    Err(Error::Mismatch { what, claimed: claimed.to_string(), computed: computed.to_string() })
}
