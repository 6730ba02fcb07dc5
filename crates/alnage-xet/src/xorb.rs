//! A xorb: up to 64 MiB of chunks, each behind a header of eight bytes, perhaps with a footer that nothing is believed of.

use crate::{Compression, Error, MerkleHash, chunk_hash, xorb_hash};

/// The longest chunk.
pub const MAX_CHUNK_BYTES: usize = 128 << 10;
/// The most chunks in a xorb.
pub const MAX_CHUNKS: usize = 8 << 10;
/// The most bytes in the chunks of a xorb, unpacked.
pub const MAX_XORB_BYTES: usize = 64 << 20;
/// The longest serialized xorb: chunks that do not compress, their headers and a footer.
pub const MAX_XORB_BODY: usize = MAX_XORB_BYTES + (1 << 20);

const HEADER: usize = 8;
const FOOTER_MARK: &[u8] = b"XETBLOB";
/// Bytes of one entry in a stored table of chunks: hash, length, end.
const ENTRY: usize = 40;

/// One chunk of a xorb: what it is and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// The hash of its bytes.
    pub hash: MerkleHash,
    /// How many bytes it has, unpacked.
    pub length: u32,
    /// Where its header stands in the xorb.
    pub start: u32,
    /// Where the next one begins.
    pub end: u32,
}

/// A xorb whose hashes were computed from its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Xorb {
    /// Its name: the root of the tree over its chunks.
    pub hash: MerkleHash,
    /// Its chunks in order.
    pub chunks: Vec<Chunk>,
}

impl Xorb {
    /// Unpacks and hashes every chunk; the xorb must come out as `claimed`.
    pub fn verify(bytes: &[u8], claimed: MerkleHash) -> Result<Self, Error> {
        if bytes.len() > MAX_XORB_BODY {
            return Err(Error::TooLarge("xorb"));
        }
        let mut chunks = Vec::new();
        let mut total = 0usize;
        let mut start = 0usize;
        while let Some(rest) =
            bytes.get(start..).filter(|rest| !rest.is_empty() && !rest.starts_with(FOOTER_MARK))
        {
            let header = Header::parse(rest)?;
            let end = start + header.frame();
            let chunk = header.decode(rest)?;
            total += chunk.len();
            if chunks.len() == MAX_CHUNKS || total > MAX_XORB_BYTES {
                return Err(Error::TooLarge("xorb"));
            }
            let place = |at: usize| u32::try_from(at).map_err(|_| Error::TooLarge("xorb"));
            chunks.push(Chunk {
                hash: chunk_hash(&chunk),
                length: header.length,
                start: place(start)?,
                end: place(end)?,
            });
            start = end;
        }
        if chunks.is_empty() {
            return Err(Error::Malformed("xorb without chunks"));
        }
        let hash = xorb_hash(chunks.iter().map(|chunk| (chunk.hash, u64::from(chunk.length))));
        if hash != claimed {
            let (claimed, computed) = (claimed.to_string(), hash.to_string());
            return Err(Error::Mismatch { what: "the hash of the xorb", claimed, computed });
        }
        Ok(Self { hash, chunks })
    }

    /// How many bytes the chunks take, without a footer.
    pub fn body(&self) -> usize {
        self.chunks.last().map_or(0, |chunk| chunk.end as usize)
    }

    /// The table of chunks in a form to keep.
    pub fn table(&self) -> Vec<u8> {
        let mut table = Vec::with_capacity(self.chunks.len() * ENTRY);
        for chunk in &self.chunks {
            table.extend_from_slice(chunk.hash.as_bytes());
            table.extend_from_slice(&chunk.length.to_le_bytes());
            table.extend_from_slice(&chunk.end.to_le_bytes());
        }
        table
    }

    /// A xorb from the table that [`Xorb::table`] made.
    pub fn from_table(hash: MerkleHash, table: &[u8]) -> Result<Self, Error> {
        let (entries, rest) = table.as_chunks::<ENTRY>();
        if !rest.is_empty() || entries.len() > MAX_CHUNKS {
            return Err(Error::Malformed("table of chunks"));
        }
        let mut start = 0;
        let mut chunks = Vec::with_capacity(entries.len());
        for entry in entries {
            let [hash @ .., l0, l1, l2, l3, e0, e1, e2, e3] = *entry;
            let end = u32::from_le_bytes([e0, e1, e2, e3]);
            let length = u32::from_le_bytes([l0, l1, l2, l3]);
            chunks.push(Chunk { hash: MerkleHash::from_bytes(hash), length, start, end });
            start = end;
        }
        Ok(Self { hash, chunks })
    }
}

/// The bytes of the first chunk in `bytes`.
pub fn decode_chunk(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    Header::parse(bytes)?.decode(bytes)
}

struct Header {
    stored: usize,
    compression: Compression,
    length: u32,
}

impl Header {
    fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let Some(&[version, s0, s1, s2, compression, l0, l1, l2]) = bytes.first_chunk::<HEADER>() else {
            return Err(Error::Malformed("header of a chunk"));
        };
        let stored = u32::from_le_bytes([s0, s1, s2, 0]) as usize;
        let length = u32::from_le_bytes([l0, l1, l2, 0]);
        if version != 0 || length == 0 {
            return Err(Error::Malformed("header of a chunk"));
        }
        if length as usize > MAX_CHUNK_BYTES || stored > 2 * MAX_CHUNK_BYTES {
            return Err(Error::TooLarge("chunk"));
        }
        Ok(Self { stored, compression: Compression::from_code(compression)?, length })
    }

    fn frame(&self) -> usize {
        HEADER + self.stored
    }

    fn decode(&self, frame: &[u8]) -> Result<Vec<u8>, Error> {
        let stored = frame.get(HEADER..self.frame()).ok_or(Error::Malformed("chunk that ends too early"))?;
        self.compression.decode(stored, self.length as usize)
    }
}
