//! Decompressors: one way to open a compressed range of a source, whatever the method, within bounded memory.

use std::{
    io::{self, BufRead, Read},
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use alnage_types::Source;
use lzma_rust2::{Lzma2Reader, LzmaReader, XzReader};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::cursor::Cursor;
use crate::Decoder;

/// The largest LZMA dictionary that is honoured, in KiB: what `xz -9` and `7z -mx=9` write, and a little more.
const LZMA_MEMORY_KIB: u32 = (64 << 10) + 2048;
/// The largest zstd window that is honoured: what `zstd --ultra -22` writes.
const ZSTD_WINDOW: u64 = 128 << 20;

/// A compression method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    /// Raw deflate, RFC 1951.
    Deflate,
    /// RFC 1952, any number of members.
    Gzip,
    /// RFC 1950.
    Zlib,
    /// Any number of streams.
    Bzip2,
    /// Any number of streams.
    Xz,
    /// The `.lzma` file of LZMA utils.
    LzmaAlone,
    /// Bare LZMA, its parameters kept elsewhere; an absent size means an end marker.
    LzmaRaw { properties: u8, dictionary: u32, size: Option<u64> },
    /// LZMA as a zip member: parameters in front.
    LzmaZip { size: Option<u64> },
    /// Bare LZMA2.
    Lzma2 { dictionary: u32 },
    /// Any number of frames.
    Zstd,
    /// Any number of frames, the legacy kind included.
    Lz4,
}

/// What was learned when a decompressor reached its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct StreamEnd {
    /// Where the compressed bytes end in the source; 0 when the end was not reached.
    pub(super) end: u64,
    /// Streams, members or frames that followed each other.
    pub(super) streams: u64,
    /// Whether a checksum at the end of one did not fit. Loaders have used the bytes by then.
    pub(super) checksum_failed: bool,
}

/// A decompressor over `range` of `source`, and where it will note how it ended.
pub(super) fn open(
    codec: Codec,
    source: &Arc<dyn Source>,
    range: Range<u64>,
) -> (Decoder, Arc<Mutex<StreamEnd>>) {
    let end = Arc::new(Mutex::new(StreamEnd::default()));
    let (source, note) = (source.clone(), end.clone());
    let decoder: Decoder = Arc::new(move || {
        let cursor = Cursor::new(source.clone(), range.clone());
        Box::new(Streams {
            codec,
            state: State::Between(cursor),
            seen: StreamEnd::default(),
            note: note.clone(),
            crc: crc32fast::Hasher::new(),
            produced: 0,
        })
    });
    (decoder, end)
}

/// The bytes of `range` as they are, for filters over uncompressed streams.
pub(super) fn copy(source: &Arc<dyn Source>, range: Range<u64>) -> Decoder {
    let source = source.clone();
    Arc::new(move || Box::new(Cursor::new(source.clone(), range.clone())))
}

/// What [`open`]'s decompressor noted.
pub(super) fn ended(end: &Mutex<StreamEnd>) -> StreamEnd {
    *end.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The streams of a range, one after the other.
struct Streams {
    codec: Codec,
    state: State,
    seen: StreamEnd,
    note: Arc<Mutex<StreamEnd>>,
    crc: crc32fast::Hasher,
    produced: u32,
}

enum State {
    /// Before a stream.
    Between(Cursor),
    Inside(Box<Single>),
    Done,
}

impl Read for Streams {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::mem::replace(&mut self.state, State::Done) {
                State::Done => return Ok(0),
                State::Between(mut cursor) => {
                    if self.seen.streams > 0 && !self.codec.goes_on(&mut cursor)? {
                        *self.note.lock().unwrap_or_else(PoisonError::into_inner) = self.seen;
                        return Ok(0);
                    }
                    self.state = State::Inside(Box::new(Single::open(self.codec, cursor)?));
                }
                State::Inside(mut single) => {
                    let count = single.read(buffer)?;
                    if count > 0 || buffer.is_empty() {
                        if self.codec == Codec::Gzip {
                            self.crc.update(&buffer[..count]);
                            self.produced = self.produced.wrapping_add(count as u32);
                        }
                        self.state = State::Inside(single);
                        return Ok(count);
                    }
                    let (mut cursor, intact) = single.finish();
                    self.seen.checksum_failed |= !intact;
                    if self.codec == Codec::Gzip {
                        self.gzip_trailer(&mut cursor)?;
                    }
                    self.seen.streams += 1;
                    self.seen.end = cursor.position();
                    self.state = State::Between(cursor);
                }
            }
        }
    }
}

impl Streams {
    fn gzip_trailer(&mut self, cursor: &mut Cursor) -> io::Result<()> {
        let crc = u32::from_le_bytes(cursor.array()?);
        let size = u32::from_le_bytes(cursor.array()?);
        let found = std::mem::take(&mut self.crc).finalize();
        self.seen.checksum_failed |= crc != found || size != self.produced;
        self.produced = 0;
        Ok(())
    }
}

impl Codec {
    /// Whether another stream of the same file starts at the cursor, possibly after padding.
    fn goes_on(self, cursor: &mut Cursor) -> io::Result<bool> {
        if matches!(self, Self::Gzip | Self::Xz) {
            let start = cursor.position();
            while let Some(&0) = cursor.fill_buf()?.first() {
                cursor.consume(1);
            }
            let padding = cursor.position() - start;
            if cursor.fill_buf()?.is_empty() {
                return Ok(false);
            }
            if !self.starts_with(&cursor.peek::<6>()?) {
                cursor.unread(usize::try_from(padding).unwrap_or(usize::MAX));
                return Ok(false);
            }
            return Ok(true);
        }
        Ok(self.starts_with(&cursor.peek::<6>()?))
    }

    /// Whether `head` starts a further stream.
    fn starts_with(self, head: &[u8]) -> bool {
        match self {
            Self::Gzip => head.starts_with(b"\x1f\x8b\x08"),
            Self::Bzip2 => head.starts_with(b"BZh") && head.get(4..6) == Some(b"1A"),
            Self::Xz => head.starts_with(b"\xfd7zXZ\0"),
            Self::Zstd => {
                head.starts_with(b"\x28\xb5\x2f\xfd")
                    || head.get(1..4) == Some(b"\x2a\x4d\x18") && head[0] & 0xf0 == 0x50
            }
            Self::Lz4 => head.starts_with(b"\x04\x22\x4d\x18") || head.starts_with(b"\x02\x21\x4c\x18"),
            _ => false,
        }
    }
}

/// One stream.
enum Single {
    Flate(Stepped<flate2::Decompress>),
    Bzip2(Stepped<bzip2::Decompress>),
    Xz(XzReader<Cursor>),
    Lzma(LzmaReader<Cursor>),
    Lzma2(Lzma2Reader<Cursor>),
    Zstd(Zstd),
    Lz4(lz4_flex::frame::FrameDecoder<Cursor>),
}

impl Single {
    fn open(codec: Codec, mut cursor: Cursor) -> io::Result<Self> {
        Ok(match codec {
            Codec::Deflate => Self::Flate(Stepped::new(cursor, flate2::Decompress::new(false))),
            Codec::Zlib => Self::Flate(Stepped::new(cursor, flate2::Decompress::new(true))),
            Codec::Gzip => {
                gzip_header(&mut cursor)?;
                Self::Flate(Stepped::new(cursor, flate2::Decompress::new(false)))
            }
            Codec::Bzip2 => Self::Bzip2(Stepped::new(cursor, bzip2::Decompress::new(false))),
            Codec::Xz => Self::Xz(XzReader::new_mem_limit(cursor, false, LZMA_MEMORY_KIB)),
            Codec::LzmaAlone => Self::Lzma(LzmaReader::new_mem_limit(cursor, LZMA_MEMORY_KIB, None)?),
            Codec::LzmaRaw { properties, dictionary, size } => {
                Self::lzma_raw(cursor, properties, dictionary, size)?
            }
            Codec::LzmaZip { size } => {
                let [_, _, length, _, properties, d0, d1, d2, d3] = cursor.array::<9>()?;
                if length != 5 {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "LZMA parameters of another length",
                    ));
                }
                Self::lzma_raw(cursor, properties, u32::from_le_bytes([d0, d1, d2, d3]), size)?
            }
            Codec::Lzma2 { dictionary } => {
                Self::Lzma2(Lzma2Reader::new_mem_limit(cursor, dictionary, LZMA_MEMORY_KIB, None)?)
            }
            Codec::Zstd => Self::Zstd(Zstd::open(cursor)?),
            Codec::Lz4 => Self::Lz4(lz4_flex::frame::FrameDecoder::new(cursor)),
        })
    }

    fn lzma_raw(cursor: Cursor, properties: u8, dictionary: u32, size: Option<u64>) -> io::Result<Self> {
        // A dictionary longer than the output is never filled.
        let dictionary = size.map_or(dictionary, |size| dictionary.min(size.min(u64::from(u32::MAX)) as u32));
        let memory = lzma_rust2::lzma_get_memory_usage_by_props(dictionary, properties)?;
        if memory > LZMA_MEMORY_KIB {
            return Err(io::Error::new(
                io::ErrorKind::OutOfMemory,
                "the LZMA dictionary is larger than is honoured",
            ));
        }
        let size = size.unwrap_or(u64::MAX);
        Ok(Self::Lzma(LzmaReader::new_with_props(cursor, size, properties, dictionary, None)?))
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Flate(reader) => reader.read(buffer),
            Self::Bzip2(reader) => reader.read(buffer),
            Self::Xz(reader) => reader.read(buffer),
            Self::Lzma(reader) => reader.read(buffer),
            Self::Lzma2(reader) => reader.read(buffer),
            Self::Zstd(reader) => reader.read(buffer),
            Self::Lz4(reader) => reader.read(buffer),
        }
    }

    /// The cursor behind the stream, and whether its checksum fits as far as this layer checks it.
    fn finish(self) -> (Cursor, bool) {
        match self {
            Self::Flate(reader) => (reader.cursor, true),
            Self::Bzip2(reader) => (reader.cursor, true),
            Self::Xz(reader) => (reader.into_inner(), true),
            Self::Lzma(reader) => {
                let (mut cursor, unused) = reader.into_parts();
                cursor.unread(unused.len());
                (cursor, true)
            }
            Self::Lzma2(reader) => (reader.into_inner(), true),
            Self::Zstd(reader) => reader.finish(),
            Self::Lz4(reader) => (reader.into_inner(), true),
        }
    }
}

/// Reads over a gzip member's header.
fn gzip_header(cursor: &mut Cursor) -> io::Result<()> {
    let [_, _, _, flags, ..] = cursor.array::<10>()?;
    if flags & 0x04 != 0 {
        let length = u16::from_le_bytes(cursor.array()?);
        cursor.skip(u64::from(length))?;
    }
    for flag in [0x08, 0x10] {
        if flags & flag != 0 {
            while cursor.array::<1>()? != [0] {}
        }
    }
    if flags & 0x02 != 0 {
        cursor.skip(2)?;
    }
    Ok(())
}

/// A decompressor that is fed buffer by buffer.
trait Step {
    /// Bytes consumed, bytes produced, and whether the stream has ended.
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> io::Result<(usize, usize, bool)>;
}

impl Step for flate2::Decompress {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> io::Result<(usize, usize, bool)> {
        let (consumed, produced) = (self.total_in(), self.total_out());
        let status = self
            .decompress(input, output, flate2::FlushDecompress::None)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let ended = status == flate2::Status::StreamEnd;
        Ok(((self.total_in() - consumed) as usize, (self.total_out() - produced) as usize, ended))
    }
}

impl Step for bzip2::Decompress {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> io::Result<(usize, usize, bool)> {
        let (consumed, produced) = (self.total_in(), self.total_out());
        let status = self
            .decompress(input, output)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let ended = status == bzip2::Status::StreamEnd;
        Ok(((self.total_in() - consumed) as usize, (self.total_out() - produced) as usize, ended))
    }
}

struct Stepped<D> {
    cursor: Cursor,
    inner: D,
    ended: bool,
}

impl<D: Step> Stepped<D> {
    fn new(cursor: Cursor, inner: D) -> Self {
        Self { cursor, inner, ended: false }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.ended && !buffer.is_empty() {
            let input = self.cursor.fill_buf()?;
            let at_end = input.is_empty();
            let (consumed, produced, ended) = self.inner.step(input, buffer)?;
            self.cursor.consume(consumed);
            self.ended = ended;
            if produced > 0 {
                return Ok(produced);
            }
            if !ended && (at_end || consumed == 0) {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(0)
    }
}

struct Zstd {
    cursor: Cursor,
    /// Absent for a skippable frame.
    frame: Option<Box<FrameDecoder>>,
}

impl Zstd {
    fn open(mut cursor: Cursor) -> io::Result<Self> {
        let head = cursor.peek::<8>()?;
        if let [_, 0x2a, 0x4d, 0x18, length @ ..] = head.as_slice()
            && let Ok(length) = <[u8; 4]>::try_from(length)
        {
            cursor.skip(8 + u64::from(u32::from_le_bytes(length)))?;
            return Ok(Self { cursor, frame: None });
        }
        let mut frame = FrameDecoder::new();
        frame.set_max_window_size(ZSTD_WINDOW);
        frame.init(&mut cursor).map_err(io::Error::other)?;
        Ok(Self { cursor, frame: Some(Box::new(frame)) })
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(frame) = &mut self.frame else { return Ok(0) };
        while frame.can_collect() == 0 && !frame.is_finished() {
            frame
                .decode_blocks(&mut self.cursor, BlockDecodingStrategy::UptoBlocks(1))
                .map_err(io::Error::other)?;
        }
        frame.read(buffer)
    }

    fn finish(self) -> (Cursor, bool) {
        let intact = self.frame.is_none_or(|frame| {
            frame
                .get_checksum_from_data()
                .zip(frame.get_calculated_checksum())
                .is_none_or(|(stored, found)| stored == found)
        });
        (self.cursor, intact)
    }
}
