//! A zip's central directories: every one that some real reader would take for the archive's.
//!
//! Python and miniz (PyTorch) take the last end record of the file; Java and Info-ZIP want one whose comment ends
//! where the file does; Python moves offsets by what is prepended, miniz takes them as they stand; zip64 records
//! are found at a fixed distance by one and through the locator by the other. Each choice that leads to a
//! directory is a reading.

use alnage_types::{Reader, Source};

use crate::Context;

pub(super) const LOCAL: [u8; 4] = *b"PK\x03\x04";
pub(super) const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const END: [u8; 4] = *b"PK\x05\x06";
const END64: [u8; 4] = *b"PK\x06\x06";
const LOCATOR64: [u8; 4] = *b"PK\x06\x07";
const END_LEN: u64 = 22;
/// How far from the end readers look for an end record.
const END_SEARCH: u64 = 0xffff + END_LEN;

/// One reading of the directory.
#[derive(Debug, Clone)]
pub(super) struct Directory {
    /// Where the end record stands.
    pub(super) end_at: u64,
    /// Where the archive's last byte, the comment included, ends.
    pub(super) end: u64,
    /// The comment.
    pub(super) comment: Vec<u8>,
    /// Where the entries start and end.
    pub(super) start: u64,
    /// One past the last entry that was read.
    pub(super) entries_end: u64,
    /// What must be added to the offsets that the entries give.
    pub(super) shift: u64,
    /// How many entries the end record promises.
    pub(super) promised: u64,
    /// How many entries lie within the length the end record gives.
    pub(super) within_len: u64,
    /// The entries, up to the first that is none.
    pub(super) entries: Vec<Entry>,
    /// Where the zip64 end record stands.
    pub(super) end64_at: Option<u64>,
}

/// An entry as the directory describes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Entry {
    pub(super) name: String,
    /// The bytes of the name as they stand in the directory.
    pub(super) raw_name: Vec<u8>,
    /// Another name, in the Info-ZIP Unicode path field.
    pub(super) unicode_name: Option<String>,
    /// Where the entry's own header should stand.
    pub(super) header: u64,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc32: u32,
    pub(super) compressed: u64,
    pub(super) size: u64,
    /// Unix mode, when the entry was made on Unix.
    pub(super) mode: u32,
}

/// Where a directory may stand, according to one end record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    end_at: u64,
    start: u64,
    len: u64,
    shift: u64,
    promised: u64,
    end64_at: Option<u64>,
}

/// Every directory that some reader would take, the one most readers take first.
pub(super) fn directories(source: &dyn Source, context: Option<&mut Context<'_>>) -> Vec<Directory> {
    let mut steps = context;
    let mut found: Vec<Directory> = Vec::new();
    for place in places(source) {
        if found.iter().any(|known| known.start == place.start && known.shift == place.shift) {
            continue;
        }
        let directory = read_directory(source, place, steps.as_deref_mut());
        if !directory.entries.is_empty() || place.promised == 0 && place.len == 0 {
            found.push(directory);
        }
    }
    found
}

/// The end records that readers settle on: the last of the file, and those whose comment ends with the file.
fn end_records(source: &dyn Source) -> Vec<u64> {
    let tail_start = source.len().saturating_sub(END_SEARCH);
    let Ok(tail) = Reader::at(source, tail_start).take(source.len() - tail_start) else { return Vec::new() };
    let fits = |&at: &usize| tail.len() - at >= END_LEN as usize;
    let mut candidates = memchr::memmem::rfind_iter(&tail, &END).filter(fits);
    let mut records: Vec<usize> = candidates.next().into_iter().collect();
    records.extend(
        candidates
            .filter(|&at| {
                let comment = u16::from_le_bytes([tail[at + 20], tail[at + 21]]);
                tail.len() - at - END_LEN as usize == usize::from(comment)
            })
            .take(8),
    );
    records.into_iter().map(|at| tail_start + at as u64).collect()
}

/// Whether some end record leads to a directory: what makes bytes a zip for those who look from the end.
pub(super) fn has_directory(source: &dyn Source) -> bool {
    places(source).iter().any(|place| {
        let signature = Reader::at(source, place.start).array::<4>();
        signature == Ok(CENTRAL) || place.promised == 0 && place.len == 0 && place.end_at == 0
    })
}

fn places(source: &dyn Source) -> Vec<Place> {
    let mut places = Vec::new();
    let mut add = |place: Place| {
        if place.start <= place.end_at && !places.contains(&place) {
            places.push(place);
        }
    };
    for end_at in end_records(source) {
        let Ok(record) = Reader::at(source, end_at).array::<22>() else { continue };
        let number = |at: usize| {
            u64::from(u32::from_le_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]]))
        };
        let promised = u64::from(u16::from_le_bytes([record[10], record[11]]));
        let (len, offset) = (number(12), number(16));
        for end64_at in ends64(source, end_at) {
            let mut reader = Reader::at(source, end64_at.saturating_add(32));
            let (Ok(promised), Ok(len), Ok(offset)) = (reader.u64le(), reader.u64le(), reader.u64le()) else {
                continue;
            };
            readings(end64_at, offset, len, |start, shift| {
                add(Place { end_at, start, len, shift, promised, end64_at: Some(end64_at) })
            });
        }
        if len != 0xffff_ffff && offset != 0xffff_ffff {
            readings(end_at, offset, len, |start, shift| {
                add(Place { end_at, start, len, shift, promised, end64_at: None })
            });
        }
    }
    places
}

/// The two places of a directory of `len` bytes that ends at `end`: Python's, which corrects for what is
/// prepended, and miniz's, which believes `offset`.
fn readings(end: u64, offset: u64, len: u64, mut add: impl FnMut(u64, u64)) {
    if let Some(start) = end.checked_sub(len)
        && let Some(shift) = start.checked_sub(offset)
    {
        add(start, shift);
    }
    if len > 0 {
        add(offset, 0);
    }
}

/// The zip64 end records that belong to the end record at `end_at`.
fn ends64(source: &dyn Source, end_at: u64) -> Vec<u64> {
    let mut found = Vec::new();
    let Some(locator_at) = end_at.checked_sub(20) else { return found };
    let mut reader = Reader::at(source, locator_at);
    if reader.array() != Ok(LOCATOR64) {
        return found;
    }
    _ = reader.skip(4);
    let located = reader.u64le().ok();
    for at in [locator_at.checked_sub(56), located].into_iter().flatten() {
        if !found.contains(&at) && Reader::at(source, at).array() == Ok(END64) {
            found.push(at);
        }
    }
    found
}

fn read_directory(source: &dyn Source, place: Place, mut context: Option<&mut Context<'_>>) -> Directory {
    let mut reader = Reader::at(source, place.start);
    let limit = place.end64_at.unwrap_or(place.end_at);
    let mut entries = Vec::new();
    let mut within_len = 0;
    while reader.position() < limit {
        let at = reader.position();
        let Some(entry) = read_entry(&mut reader, place.shift) else {
            reader.seek(at);
            break;
        };
        if let Some(context) = &mut context
            && let Err(limit) = context.meter().step(8)
        {
            context.exhausted(limit, at);
            break;
        }
        entries.push(entry);
        if reader.position() <= place.start.saturating_add(place.len) {
            within_len += 1;
        }
    }
    let entries_end = reader.position();
    let (mut comment, mut end) = (Vec::new(), place.end_at + END_LEN);
    reader.seek(place.end_at + 20);
    if let Ok(length) = reader.u16le() {
        let length = u64::from(length).min(reader.remaining());
        comment = reader.take(length).map(Into::into).unwrap_or_default();
        end += length;
    }
    Directory {
        end_at: place.end_at,
        end,
        comment,
        start: place.start,
        entries_end,
        shift: place.shift,
        promised: place.promised,
        within_len,
        entries,
        end64_at: place.end64_at,
    }
}

fn read_entry(reader: &mut Reader<'_>, shift: u64) -> Option<Entry> {
    let fixed = reader.array::<46>().ok()?;
    if !fixed.starts_with(&CENTRAL) {
        return None;
    }
    let short = |at: usize| u16::from_le_bytes([fixed[at], fixed[at + 1]]);
    let long = |at: usize| u32::from_le_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
    let raw_name = reader.take(u64::from(short(28))).ok()?.into_owned();
    let extra = reader.take(u64::from(short(30))).ok()?;
    let mut entry = Entry {
        name: decode_name(&raw_name),
        unicode_name: None,
        header: u64::from(long(42)),
        flags: short(8),
        method: short(10),
        crc32: long(16),
        compressed: u64::from(long(20)),
        size: u64::from(long(24)),
        mode: if fixed[5] == 3 { long(38) >> 16 } else { 0 },
        raw_name,
    };
    for (id, field) in extra_fields(&extra) {
        match id {
            1 => read_zip64(&mut entry, field),
            0x7075 => {
                let name = field.get(5..).and_then(|name| std::str::from_utf8(name).ok());
                entry.unicode_name = name.filter(|name| *name != entry.name).map(str::to_owned);
            }
            _ => {}
        }
    }
    entry.header = entry.header.saturating_add(shift);
    reader.skip(u64::from(short(32))).ok()?;
    Some(entry)
}

/// The 64-bit numbers that stand in an extra field for those that are saturated in the header.
fn read_zip64(entry: &mut Entry, field: &[u8]) {
    let mut numbers =
        field.chunks_exact(8).map(|bytes| bytes.iter().rev().fold(0, |n, &byte| n << 8 | u64::from(byte)));
    for number in [&mut entry.size, &mut entry.compressed, &mut entry.header] {
        if *number == 0xffff_ffff {
            *number = numbers.next().unwrap_or(*number);
        }
    }
}

/// The extra fields, up to the first that is malformed.
pub(super) fn extra_fields(mut extra: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (head, rest) = extra.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_le_bytes([head[2], head[3]]));
        let field = rest.get(..length)?;
        extra = &rest[length..];
        Some((u16::from_le_bytes([head[0], head[1]]), field))
    })
}

/// A name as text: UTF-8 where it is, else byte by byte, which keeps what is ASCII.
pub(super) fn decode_name(raw: &[u8]) -> String {
    match std::str::from_utf8(raw) {
        Ok(name) => name.to_owned(),
        Err(_) => raw.iter().map(|&byte| char::from(byte)).collect(),
    }
}
