//! A shard: which chunks of which xorbs make which file. Only the two lists are read; the footer only indexes them.

use alnage_types::Digest;

use crate::{Error, MerkleHash};

/// The longest shard.
pub const MAX_SHARD_BYTES: usize = 64 << 20;

/// The first 32 bytes of every shard.
const TAG: [u8; 32] =
    *b"HFRepoMetaData\x00\x55\x69\x67\x45\x6a\x7b\x81\x57\x83\xa5\xbd\xd9\x5c\xcd\xd1\x4a\xa9";
const HEADER: usize = 48;
/// Every entry of both lists has this size.
const ENTRY: usize = 48;
const END: [u8; 32] = [0xff; 32];
const WITH_RANGE_HASHES: u32 = 1 << 31;
const WITH_SHA256: u32 = 1 << 30;

/// What a shard says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shard {
    /// The files it describes.
    pub files: Vec<File>,
    /// The xorbs it lists.
    pub xorbs: Vec<MerkleHash>,
}

/// A file as its uploader describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The hash over its chunks.
    pub hash: MerkleHash,
    /// The digest of its content, by which a commit names it.
    pub sha256: Option<Digest>,
    /// What it is made of, in order.
    pub segments: Vec<Segment>,
}

/// Neighbouring chunks of one xorb.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The xorb.
    pub xorb: MerkleHash,
    /// The bytes of the chunks together.
    pub bytes: u32,
    /// The first chunk.
    pub start: u32,
    /// One past the last chunk.
    pub end: u32,
    /// The hash over the chunks' hashes that shows the uploader has them.
    pub range_hash: Option<MerkleHash>,
}

impl Shard {
    /// Reads both lists. A list ends by its mark; entries that the shard is too short for are never made room for.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > MAX_SHARD_BYTES {
            return Err(Error::TooLarge("shard"));
        }
        let entries = match bytes.get(..HEADER) {
            Some(header) if header.starts_with(&TAG) && header.get(32..40) == Some(&2u64.to_le_bytes()) => {
                bytes.get(HEADER..).unwrap_or_default()
            }
            _ => return Err(Error::Malformed("shard: not a shard of version 2")),
        };
        let mut entries = Entries { rest: entries };
        let mut shard = Self::default();
        while let Some(entry) = entries.header()? {
            shard.files.push(file(entry, &mut entries)?);
        }
        while let Some(entry) = entries.header()? {
            // Its chunks are known from the xorb itself.
            let _ = entries.take(entry.numbers[1])?;
            shard.xorbs.push(entry.hash);
        }
        Ok(shard)
    }
}

impl File {
    /// How many bytes the file claims to have.
    pub fn size(&self) -> u64 {
        // A shard has fewer than 2^21 entries, so the sum of their 32-bit numbers fits.
        self.segments.iter().map(|segment| u64::from(segment.bytes)).sum()
    }
}

fn file(header: Entry, entries: &mut Entries<'_>) -> Result<File, Error> {
    let [flags, count, ..] = header.numbers;
    let mut segments: Vec<Segment> = entries.take(count)?.map(segment).collect();
    if flags & WITH_RANGE_HASHES != 0 {
        for (segment, entry) in segments.iter_mut().zip(entries.take(count)?) {
            segment.range_hash = Some(entry.hash);
        }
    }
    let sha256 = match flags & WITH_SHA256 {
        0 => None,
        // The digest stands there as the four numbers that its text reads as.
        _ => entries.take(1)?.next().and_then(|entry| entry.hash.to_string().parse().ok()),
    };
    Ok(File { hash: header.hash, sha256, segments })
}

fn segment(entry: Entry) -> Segment {
    let [_, bytes, start, end] = entry.numbers;
    Segment { xorb: entry.hash, bytes, start, end, range_hash: None }
}

struct Entry {
    hash: MerkleHash,
    numbers: [u32; 4],
}

impl Entry {
    fn parse(bytes: &[u8; ENTRY]) -> Self {
        let [hash @ .., a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3] = *bytes;
        let number = u32::from_le_bytes;
        let numbers = [
            number([a0, a1, a2, a3]),
            number([b0, b1, b2, b3]),
            number([c0, c1, c2, c3]),
            number([d0, d1, d2, d3]),
        ];
        Self { hash: MerkleHash::from_bytes(hash), numbers }
    }
}

struct Entries<'a> {
    rest: &'a [u8],
}

impl<'a> Entries<'a> {
    /// The entry that opens a file or a xorb, `None` at the end of the list.
    fn header(&mut self) -> Result<Option<Entry>, Error> {
        let entry = self.take(1)?.next();
        Ok(entry.filter(|entry| *entry.hash.as_bytes() != END))
    }

    fn take(&mut self, count: u32) -> Result<impl Iterator<Item = Entry> + use<'a>, Error> {
        let length = (count as usize).checked_mul(ENTRY).ok_or(Error::TooLarge("shard"))?;
        let (taken, rest) =
            self.rest.split_at_checked(length).ok_or(Error::Malformed("shard that ends too early"))?;
        self.rest = rest;
        Ok(taken.as_chunks().0.iter().map(Entry::parse))
    }
}
