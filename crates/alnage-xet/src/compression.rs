//! How a chunk's bytes are stored: as they are, as an LZ4 frame, or grouped by place in the 4-byte word and then LZ4.

use std::io::Read as _;

use lz4_flex::frame::FrameDecoder;

use crate::Error;

/// The compression of one chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Stored as it is.
    None,
    /// An LZ4 frame.
    Lz4,
    /// All first bytes of 4-byte words, then all second bytes…, as an LZ4 frame: numbers compress better so.
    GroupedLz4,
}

impl Compression {
    /// The compression that a chunk's header names.
    pub fn from_code(code: u8) -> Result<Self, Error> {
        match code {
            0 => Ok(Self::None),
            1 => Ok(Self::Lz4),
            2 => Ok(Self::GroupedLz4),
            _ => Err(Error::Malformed("compression of a chunk")),
        }
    }

    /// The bytes of a chunk that is exactly `length` long.
    pub fn decode(self, stored: &[u8], length: usize) -> Result<Vec<u8>, Error> {
        let bytes = match self {
            Self::None => stored.to_vec(),
            Self::Lz4 => unpack(stored, length)?,
            Self::GroupedLz4 => regroup(&unpack(stored, length)?),
        };
        if bytes.len() != length {
            return Err(Error::Malformed("chunk: its length is not what its header says"));
        }
        Ok(bytes)
    }
}

/// At most one byte more than `length`, so that a frame that holds more is seen and never unpacked.
fn unpack(stored: &[u8], length: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::with_capacity(length);
    FrameDecoder::new(stored)
        .take(length as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|_| Error::Malformed("LZ4 frame of a chunk"))?;
    Ok(bytes)
}

fn regroup(grouped: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; grouped.len()];
    let mut groups = grouped.iter();
    for place in 0..4 {
        for (byte, from) in bytes.iter_mut().skip(place).step_by(4).zip(&mut groups) {
            *byte = *from;
        }
    }
    bytes
}
