//! What a hidden artifact starts with, and whether it really is one.

use std::{io::Read, ops::Range, sync::Arc};

use alnage_types::{Reader, Source};

use crate::{container, pickle};

/// What seems to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Pickle,
    TextPickle,
    Zip,
    Gzip,
    Bzip2,
    Xz,
    Zstd,
    Lz4,
    SevenZip,
    Rar,
    Program,
    Hdf5,
    Gguf,
    Safetensors,
    Numpy,
}

/// Every byte that some beginning starts with.
pub(super) const FIRST_BYTES: &[u8] = b"\x80c(PB\x1f\xfd\x28\x047RM\x7f\xfe\xcf\xce\x89G{\x93";

/// Mach-O's magics: 64 and 32 bits, both byte orders.
pub(super) const MACH_O: [[u8; 4]; 4] =
    [*b"\xcf\xfa\xed\xfe", *b"\xce\xfa\xed\xfe", *b"\xfe\xed\xfa\xcf", *b"\xfe\xed\xfa\xce"];

/// Opcodes that need nothing on the stack: what stands behind a pickle's header.
const OPENING: &[u8] = b"(NIJKLMFGSTUVXc]})BCP\x80\x82\x83\x84\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x95\x96";

impl Kind {
    /// The kind whose beginning `bytes` may be: cheap, and wrong now and then.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let has = |magic: &[u8]| bytes.starts_with(magic);
        Some(match *bytes {
            [0x80, 0..=5, opcode, ..] if OPENING.contains(&opcode) => Self::Pickle,
            [b'c' | b'(', ..] if is_text_pickle(bytes) => Self::TextPickle,
            [b'P', b'K', 3, 4, ..] => Self::Zip,
            [0x1f, 0x8b, 8, flags, ..] if flags & 0xe0 == 0 => Self::Gzip,
            [b'B', b'Z', b'h', b'1'..=b'9', b'1', b'A', b'Y', ..] => Self::Bzip2,
            _ if has(b"\xfd7zXZ\0") => Self::Xz,
            _ if has(b"\x28\xb5\x2f\xfd") => Self::Zstd,
            _ if has(b"\x04\x22\x4d\x18") => Self::Lz4,
            _ if has(b"7z\xbc\xaf\x27\x1c") => Self::SevenZip,
            _ if has(b"Rar!\x1a\x07") => Self::Rar,
            [b'M', b'Z', ..] => Self::Program,
            _ if has(b"\x7fELF") || MACH_O.iter().any(|magic| has(magic)) => Self::Program,
            _ if has(b"\x89HDF\r\n\x1a\n") => Self::Hdf5,
            [b'G', b'G', b'U', b'F', 1..=3, 0, 0, 0, ..] => Self::Gguf,
            [b'{', b'"', ..] => Self::Safetensors,
            _ if has(b"\x93NUMPY") => Self::Numpy,
            _ => return None,
        })
    }

    /// The extension that the artifact gets.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Pickle | Self::TextPickle => ".pkl",
            Self::Zip => ".zip",
            Self::Gzip => ".gz",
            Self::Bzip2 => ".bz2",
            Self::Xz => ".xz",
            Self::Zstd => ".zst",
            Self::Lz4 => ".lz4",
            Self::SevenZip => ".7z",
            Self::Rar => ".rar",
            Self::Program => ".exe",
            Self::Hdf5 => ".h5",
            Self::Gguf => ".gguf",
            Self::Safetensors => ".safetensors",
            Self::Numpy => ".npy",
        }
    }
}

/// Whether `kind` really begins at `offset`: where it starts, and where the search goes on. A pickle and a zip
/// without directory take the rest of the gap, for what follows them is searched as part of them.
pub(super) fn validate(
    kind: Kind,
    source: &Arc<dyn Source>,
    offset: u64,
    gap: &Range<u64>,
) -> Option<(u64, u64)> {
    let after = offset + 4;
    let sound = match kind {
        Kind::Pickle | Kind::TextPickle => {
            return pickle::is_pickle_at(source.as_ref(), offset).then_some((offset, gap.end));
        }
        Kind::Zip => return container::zip_at(source, offset..gap.end).map(|end| (offset, end)),
        Kind::Safetensors => {
            // At the very start of the artifact it is the artifact itself, which would be found in itself for ever.
            let start = offset.checked_sub(8).filter(|start| *start >= gap.start.max(1))?;
            return is_safetensors(source.as_ref(), start, gap.end).then_some((start, after));
        }
        Kind::Gzip | Kind::Bzip2 | Kind::Xz | Kind::Zstd | Kind::Lz4 => {
            decodes(kind, source, offset..gap.end)
        }
        Kind::SevenZip => container::is_sevenz_at(source.as_ref(), offset),
        Kind::Program => is_program(source.as_ref(), offset),
        Kind::Gguf => is_gguf(source.as_ref(), offset),
        Kind::Rar | Kind::Hdf5 | Kind::Numpy => true,
    };
    sound.then_some((offset, after))
}

/// Whether text is the beginning of a protocol 0 program rather than prose: `cos\nsystem\n(`. Many a word list has
/// a `c` before two lines; only what goes on like an opcode counts.
fn is_text_pickle(bytes: &[u8]) -> bool {
    // Marks may stand before the first global; behind a longer run of them the run's last part is the beginning.
    const MAX_MARKS: usize = 64;
    let marks = bytes.iter().take(MAX_MARKS).take_while(|&&byte| byte == b'(').count();
    let start = match bytes.get(marks) {
        Some(b'c') => marks,
        Some(b'i') if marks > 0 => marks,
        _ => return false,
    };
    let mut lines = bytes[start + 1..].splitn(3, |&byte| byte == b'\n');
    let (Some(module), Some(name), Some(rest)) = (lines.next(), lines.next(), lines.next()) else {
        return false;
    };
    let dotted = |word: &[u8]| {
        !word.is_empty()
            && word.iter().all(|&byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
    };
    let goes_on = match *rest {
        [b'p', digit, ..] => digit.is_ascii_digit(),
        [b'(', next, ..] => matches!(
            next,
            b'S' | b'V' | b'I' | b'c' | b't' | b'd' | b'l' | b'(' | b'X' | b'U' | b'}' | b']' | b'N'
        ),
        // Called with nothing.
        [b')', b'R', ..] => true,
        [b'q' | b')' | b'}' | b']' | 0x8c | b'X' | b'U' | b'\x94', ..] => {
            !rest[1..].first().is_some_and(u8::is_ascii_alphabetic)
        }
        [b'S', b'\'' | b'"', ..] => true,
        _ => false,
    };
    dotted(module) && dotted(name) && goes_on
}

/// Whether the compressed stream gives something.
fn decodes(kind: Kind, source: &Arc<dyn Source>, range: Range<u64>) -> bool {
    const ENOUGH: usize = 64;
    let Some(mut stream) = container::trial_decoder(kind_id(kind), source, range) else { return false };
    let mut buffer = [0; ENOUGH];
    let mut filled = 0;
    while filled < ENOUGH {
        match stream.read(&mut buffer[filled..]) {
            // Streams that are shorter but whole count as well.
            Ok(0) => return filled > 0,
            Ok(count) => filled += count,
            Err(_) => return false,
        }
    }
    true
}

fn kind_id(kind: Kind) -> &'static str {
    match kind {
        Kind::Gzip => "gzip",
        Kind::Bzip2 => "bzip2",
        Kind::Xz => "xz",
        Kind::Zstd => "zstd",
        _ => "lz4",
    }
}

/// ELF, PE or Mach-O with a header that makes sense: as much of it as chance does not give.
fn is_program(source: &dyn Source, offset: u64) -> bool {
    let Ok(head) = Reader::at(source, offset).array::<64>() else { return false };
    if head.starts_with(b"\x7fELF") {
        return matches!(head[4], 1 | 2) && matches!(head[5], 1 | 2) && head[6] == 1;
    }
    if head.starts_with(b"MZ") {
        let at = u32::from_le_bytes([head[60], head[61], head[62], head[63]]);
        let Some(at) = (at < 0x1_0000).then(|| offset.checked_add(u64::from(at))).flatten() else {
            return false;
        };
        return Reader::at(source, at).array::<4>().is_ok_and(|mark| mark == *b"PE\0\0");
    }
    let number = |at: usize| {
        let bytes = [head[at], head[at + 1], head[at + 2], head[at + 3]];
        if head[0] == 0xfe { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    };
    matches!(number(4) & 0x00ff_ffff, 7 | 12 | 18) && matches!(number(12), 1..=12) && number(16) < 10_000
}

fn is_gguf(source: &dyn Source, offset: u64) -> bool {
    let mut reader = Reader::at(source, offset.saturating_add(8));
    let small = |number: Result<u64, _>| number.is_ok_and(|number| number < 1 << 24);
    small(reader.u64le()) && small(reader.u64le())
}

/// Whether the bytes before a brace can end in a header's length; with too few of them at hand it is possible.
pub(super) fn may_follow_length(before: &[u8]) -> bool {
    before
        .last_chunk::<8>()
        .is_none_or(|length| (8..=MAX_SAFETENSORS_HEADER).contains(&u64::from_le_bytes(*length)))
}

/// Longer headers are refused by the reference loader.
const MAX_SAFETENSORS_HEADER: u64 = 100 << 20;

fn is_safetensors(source: &dyn Source, start: u64, end: u64) -> bool {
    let mut reader = Reader::at(source, start);
    let Ok(length) = reader.u64le() else { return false };
    if length < 8 || length > MAX_SAFETENSORS_HEADER.min(end - start) {
        return false;
    }
    let Ok(head) = reader.take(length.min(512)) else { return false };
    let mentions = |word: &[u8]| memchr::memmem::find(&head, word).is_some();
    head.starts_with(b"{\"") && (mentions(b"\"dtype\"") || mentions(b"__metadata__"))
}
