//! The header in front of each entry's bytes, which some readers believe over the directory.

use alnage_types::{Reader, Source};

use super::directory::{LOCAL, decode_name, extra_fields};

/// An entry's own header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LocalHeader {
    pub(super) name: String,
    pub(super) raw_name: Vec<u8>,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc32: u32,
    pub(super) compressed: u64,
    pub(super) size: u64,
    /// Where the entry's bytes start.
    pub(super) data: u64,
}

/// The header at `at`, when there is one.
pub(super) fn read(source: &dyn Source, at: u64) -> Option<LocalHeader> {
    let mut reader = Reader::at(source, at);
    let fixed = reader.array::<30>().ok()?;
    if !fixed.starts_with(&LOCAL) {
        return None;
    }
    let short = |at: usize| u16::from_le_bytes([fixed[at], fixed[at + 1]]);
    let long = |at: usize| u32::from_le_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
    let raw_name = reader.take(u64::from(short(26))).ok()?.into_owned();
    let extra = reader.take(u64::from(short(28))).ok()?;
    let (mut size, mut compressed) = (u64::from(long(22)), u64::from(long(18)));
    for (_, field) in extra_fields(&extra).filter(|(id, _)| *id == 1) {
        let mut numbers = field
            .chunks_exact(8)
            .map(|bytes| bytes.iter().rev().fold(0, |n, &byte| n << 8 | u64::from(byte)));
        for number in [&mut size, &mut compressed] {
            if *number == 0xffff_ffff {
                *number = numbers.next().unwrap_or(*number);
            }
        }
    }
    Some(LocalHeader {
        name: decode_name(&raw_name),
        raw_name,
        flags: short(6),
        method: short(8),
        crc32: long(14),
        compressed,
        size,
        data: reader.position(),
    })
}

/// Length of the data descriptor at `at`, 0 when there is none.
pub(super) fn descriptor_len(source: &dyn Source, at: u64, crc32: u32, compressed: u64) -> u64 {
    let mut reader = Reader::at(source, at);
    let Ok(first) = reader.u32le() else { return 0 };
    let signed = first == u32::from_le_bytes(*b"PK\x07\x08");
    let crc_at = if signed { at + 4 } else { at };
    reader.seek(crc_at);
    if reader.u32le() != Ok(crc32) {
        return if signed { 16 } else { 0 };
    }
    let wide = reader.u64le() == Ok(compressed) && {
        reader.seek(crc_at + 4);
        // Sizes of four bytes each can look like one of eight only when the second is 0.
        !(reader.u32le().map(u64::from) == Ok(compressed) && reader.u32le() == Ok(0) && compressed == 0)
    };
    crc_at - at + if wide { 20 } else { 12 }
}
