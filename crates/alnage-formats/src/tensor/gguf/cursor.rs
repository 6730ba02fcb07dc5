//! Numbers and strings as a GGUF file of some version and byte order stores them.

use std::{ops::Range, sync::Arc};

use alnage_types::{Exhausted, Meter, ReadEnd, Reader, Source, WindowSource};

/// More bytes than any file has: a count that needs this many was made to overflow.
pub(super) const ABSURD: u64 = 1 << 40;

/// A cursor that knows the file's version and byte order.
pub(super) struct Cursor<'a, 'b> {
    pub(super) source: &'b Arc<dyn Source>,
    pub(super) reader: &'b mut Reader<'a>,
    pub(super) big_endian: bool,
    /// Version 1 has 32-bit counts and lengths.
    pub(super) narrow: bool,
}

/// Why reading stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// The bytes end.
    Read(ReadEnd),
    /// A limit was reached.
    Exhausted(Exhausted),
    /// A length or count says more than the file has.
    Beyond(Beyond),
    /// A value type that does not exist.
    UnknownType(u32),
}

/// A length or count that says more than the file has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Beyond {
    pub(super) what: &'static str,
    pub(super) declared: u64,
    /// The least bytes that would take.
    pub(super) bytes: u64,
    pub(super) at: Range<u64>,
}

impl From<ReadEnd> for Stop {
    fn from(end: ReadEnd) -> Self {
        Self::Read(end)
    }
}

impl From<Exhausted> for Stop {
    fn from(limit: Exhausted) -> Self {
        Self::Exhausted(limit)
    }
}

impl Cursor<'_, '_> {
    pub(super) fn position(&self) -> u64 {
        self.reader.position()
    }

    pub(super) fn u32(&mut self) -> Result<u32, Stop> {
        Ok(if self.big_endian { self.reader.u32be()? } else { self.reader.u32le()? })
    }

    pub(super) fn u64(&mut self) -> Result<u64, Stop> {
        Ok(if self.big_endian { self.reader.u64be()? } else { self.reader.u64le()? })
    }

    pub(super) fn u16(&mut self) -> Result<u16, Stop> {
        Ok(if self.big_endian { self.reader.u16be()? } else { self.reader.u16le()? })
    }

    /// A count or length as wide as the version has it.
    pub(super) fn count(&mut self) -> Result<u64, Stop> {
        if self.narrow { self.u32().map(u64::from) } else { self.u64() }
    }

    /// How many bytes a count or length takes.
    pub(super) fn count_width(&self) -> u64 {
        if self.narrow { 4 } else { 8 }
    }

    /// A count of things of at least `least` bytes each, which must be there.
    pub(super) fn bounded_count(&mut self, what: &'static str, least: u64) -> Result<u64, Stop> {
        let start = self.position();
        let declared = self.count()?;
        self.check(what, declared, least, start)?;
        Ok(declared)
    }

    /// Whether `declared` things of at least `least` bytes each can follow.
    pub(super) fn check(
        &self,
        what: &'static str,
        declared: u64,
        least: u64,
        start: u64,
    ) -> Result<(), Stop> {
        let bytes = declared.saturating_mul(least);
        if bytes > self.reader.remaining() {
            let at = start..start + self.count_width();
            return Err(Stop::Beyond(Beyond { what, declared, bytes, at }));
        }
        Ok(())
    }

    /// The place of a string, which is stepped over.
    pub(super) fn string(&mut self, what: &'static str, meter: &mut Meter) -> Result<Range<u64>, Stop> {
        meter.step(1)?;
        let length = self.bounded_count(what, 1)?;
        let start = self.position();
        self.reader.skip(length)?;
        Ok(start..start + length)
    }

    /// At most `max` bytes of the string in `range`; the cursor stays behind the string.
    pub(super) fn bytes(&mut self, range: &Range<u64>, max: u64) -> Result<Vec<u8>, Stop> {
        let back = self.position();
        self.reader.seek(range.start);
        let bytes = self.reader.take((range.end - range.start).min(max)).map(|bytes| bytes.into_owned());
        self.reader.seek(back);
        Ok(bytes?)
    }

    /// The bytes in `range` as a source of their own.
    pub(super) fn window(&self, range: &Range<u64>) -> Arc<dyn Source> {
        Arc::new(WindowSource::new(self.source.clone(), range.start, range.end - range.start))
    }

    /// A string's text, up to `max` bytes of it.
    pub(super) fn text(&mut self, what: &'static str, max: u64, meter: &mut Meter) -> Result<String, Stop> {
        let range = self.string(what, meter)?;
        self.bytes(&range, max).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }
}
