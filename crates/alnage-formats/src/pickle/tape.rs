//! Reads a pickle's bytes as unpicklers do, frames included.
//!
//! CPython's unpicklers disagree about what crosses the end of a frame. A tape therefore follows one [`Reading`]; the
//! driver runs the others too.

use std::borrow::Cow;

use alnage_types::{ReadEnd, Reader, Source};

use super::readings::Reading;

/// A range of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) start: u64,
    pub(super) len: u64,
}

/// A cursor over a pickle.
pub(super) struct Tape<'a> {
    source: &'a dyn Source,
    reader: Reader<'a>,
    frame_end: u64,
    after_frame: u64,
    reading: Reading,
    /// How many frames were torn.
    pub(super) tears: u32,
    /// How far a line may reach; shorter while identifying.
    pub(super) max_line: u64,
}

/// A text line.
pub(super) struct Line {
    /// Without the newline.
    pub(super) extent: Extent,
    /// Whether the bytes end before a newline: the Python unpickler takes the line all the same and cuts its last
    /// character, the C one stops.
    pub(super) cut: bool,
}

const NO_FRAME: u64 = 0;

/// A position to come back to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    position: u64,
    frame_end: u64,
}

impl<'a> Tape<'a> {
    /// A tape at the start of `source`.
    pub(super) fn new(source: &'a dyn Source, reading: Reading) -> Self {
        Self {
            source,
            reader: Reader::new(source),
            frame_end: NO_FRAME,
            after_frame: 0,
            reading,
            tears: 0,
            max_line: u64::MAX,
        }
    }

    /// Moves to the start of another pickle.
    pub(super) fn start(&mut self, position: u64) {
        self.reader.seek(position);
        self.frame_end = NO_FRAME;
        self.after_frame = 0;
    }

    /// Where the tape is.
    pub(super) fn place(&self) -> Place {
        Place { position: self.position(), frame_end: self.frame_end }
    }

    /// Goes back to what is left of the frame at `place` after something was read behind it; then goes on behind
    /// what was read.
    pub(super) fn resume(&mut self, place: Place) {
        let after = self.position();
        if place.frame_end > place.position {
            self.reader.seek(place.position);
            self.frame_end = place.frame_end;
            self.after_frame = after;
        } else {
            self.frame_end = NO_FRAME;
        }
    }

    /// Follows another reading from the start.
    pub(super) fn follow(&mut self, reading: Reading) {
        self.reading = reading;
        self.tears = 0;
    }

    pub(super) fn position(&self) -> u64 {
        self.reader.position()
    }

    pub(super) fn len(&self) -> u64 {
        self.reader.len()
    }

    pub(super) fn source(&self) -> &'a dyn Source {
        self.source
    }

    /// Where the current frame ends, when it reaches beyond the cursor.
    pub(super) fn open_frame(&self) -> Option<u64> {
        (self.frame_end > self.position()).then_some(self.frame_end)
    }

    /// The next opcode.
    #[inline]
    pub(super) fn opcode(&mut self) -> Result<u8, ReadEnd> {
        if self.frame_end != NO_FRAME && self.reader.position() >= self.frame_end {
            self.leave_frame();
        }
        self.reader.u8()
    }

    fn leave_frame(&mut self) {
        if self.after_frame > self.frame_end {
            self.reader.seek(self.after_frame);
        }
        self.frame_end = NO_FRAME;
        self.after_frame = 0;
    }

    /// Before an operand of `count` bytes: at a frame's end, goes the reading's way.
    #[inline]
    fn enter(&mut self, count: u64) {
        if self.frame_end == NO_FRAME {
            return;
        }
        let position = self.reader.position();
        if position >= self.frame_end {
            self.leave_frame();
        } else if count > self.frame_end - position {
            self.tear();
        }
    }

    fn tear(&mut self) {
        let drop = self.reading.drops(self.tears);
        self.tears += 1;
        if drop {
            self.reader.seek(self.frame_end);
            self.leave_frame();
        } else {
            self.frame_end = NO_FRAME;
        }
    }

    /// A fixed operand.
    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], ReadEnd> {
        self.enter(N as u64);
        self.reader.array()
    }

    /// Skips a counted operand and says where it is.
    #[inline]
    pub(super) fn extent(&mut self, len: u64) -> Result<Extent, ReadEnd> {
        self.enter(len);
        let start = self.reader.position();
        self.reader.skip(len)?;
        Ok(Extent { start, len })
    }

    /// The line up to the next newline.
    pub(super) fn line(&mut self) -> Result<Line, ReadEnd> {
        if self.frame_end != NO_FRAME && self.reader.position() >= self.frame_end {
            self.leave_frame();
        }
        let mut line = self.scan_line()?;
        let end = line.extent.start + line.extent.len + u64::from(!line.cut);
        if self.frame_end != NO_FRAME && end > self.frame_end {
            self.tear();
            line = self.scan_line()?;
        }
        self.reader.seek(line.extent.start + line.extent.len + u64::from(!line.cut));
        Ok(line)
    }

    fn scan_line(&mut self) -> Result<Line, ReadEnd> {
        let start = self.reader.position();
        let limit = self.reader.len().min(start.saturating_add(self.max_line));
        if let Some(bytes) = self.source.as_bytes() {
            let rest = bytes.get(start as usize..limit as usize).unwrap_or_default();
            return match memchr::memchr(b'\n', rest) {
                Some(len) => Ok(Line { extent: Extent { start, len: len as u64 }, cut: false }),
                None => self.cut_line(start, limit),
            };
        }
        let mut buffer = [0; 512];
        let mut at = start;
        while at < limit {
            let want = (limit - at).min(buffer.len() as u64) as usize;
            let count = self.source.read_at(at, &mut buffer[..want]).map_err(|_| ReadEnd::Unreadable)?;
            if count == 0 {
                return Err(ReadEnd::Truncated);
            }
            if let Some(found) = memchr::memchr(b'\n', &buffer[..count]) {
                return Ok(Line { extent: Extent { start, len: at + found as u64 - start }, cut: false });
            }
            at += count as u64;
        }
        self.cut_line(start, limit)
    }

    fn cut_line(&self, start: u64, limit: u64) -> Result<Line, ReadEnd> {
        if limit < self.reader.len() {
            return Err(ReadEnd::Truncated);
        }
        Ok(Line { extent: Extent { start, len: limit.saturating_sub(start) }, cut: true })
    }

    /// Begins a frame of `len` bytes.
    pub(super) fn frame(&mut self, len: u64) {
        // A frame inside a frame: the C unpickler over a file reads it behind the open one when it does not fit.
        self.enter(len);
        let end = self.reader.position().saturating_add(len);
        // One that fits is read from what is buffered already and changes nothing.
        if self.frame_end == NO_FRAME || end > self.frame_end {
            self.frame_end = end;
            self.after_frame = 0;
        }
    }

    /// Skips `len` raw bytes that a loader reads from the file itself (joblib's arrays): behind the open frame.
    pub(super) fn raw(&mut self, start: u64, len: u64) -> Result<Extent, ReadEnd> {
        let end = start.checked_add(len).filter(|&end| end <= self.reader.len()).ok_or(ReadEnd::Truncated)?;
        if self.open_frame().is_some() {
            self.after_frame = end;
        } else {
            self.frame_end = NO_FRAME;
            self.reader.seek(end);
        }
        Ok(Extent { start, len })
    }

    /// Where raw bytes of the file begin for a loader that goes past the unpickler.
    pub(super) fn raw_start(&self) -> u64 {
        self.after_frame.max(self.open_frame().unwrap_or(self.position()))
    }

    /// The bytes of an extent, at most `max` of them.
    pub(super) fn bytes(&self, extent: Extent, max: u64) -> Cow<'a, [u8]> {
        fetch(self.source, extent, max)
    }
}

/// The bytes of an extent of `source`, at most `max` of them; none when they cannot be read.
pub(super) fn fetch(source: &dyn Source, extent: Extent, max: u64) -> Cow<'_, [u8]> {
    let end = extent.start.saturating_add(extent.len.min(max)).min(source.len());
    let start = extent.start.min(end);
    if let Some(bytes) = source.as_bytes() {
        return Cow::Borrowed(bytes.get(start as usize..end as usize).unwrap_or_default());
    }
    let mut buffer = vec![0; (end - start) as usize];
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read_at(start + filled as u64, &mut buffer[filled..]) {
            Ok(0) | Err(_) => break,
            Ok(count) => filled += count,
        }
    }
    buffer.truncate(filled);
    Cow::Owned(buffer)
}
