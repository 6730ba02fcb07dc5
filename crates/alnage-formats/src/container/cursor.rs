//! A buffered, sequential reader over a range of a source that knows exactly how far it has been read.

use std::{
    io::{self, BufRead, Read},
    ops::Range,
    sync::Arc,
};

use alnage_types::Source;

const BUFFER: u64 = 32 << 10;

/// Reads `range` of a source from front to back.
pub(super) struct Cursor {
    source: Arc<dyn Source>,
    position: u64,
    end: u64,
    buffer: Vec<u8>,
    buffer_start: u64,
}

impl Cursor {
    pub(super) fn new(source: Arc<dyn Source>, range: Range<u64>) -> Self {
        let end = range.end.min(source.len());
        Self { source, position: range.start, end, buffer: Vec::new(), buffer_start: range.start }
    }

    /// Offset of the next byte in the source.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Goes back by `count` bytes that were read too far.
    pub(super) fn unread(&mut self, count: usize) {
        self.position = self.position.saturating_sub(count as u64);
    }

    /// The next bytes without moving, fewer at the end.
    pub(super) fn peek<const N: usize>(&mut self) -> io::Result<Vec<u8>> {
        let start = self.position;
        let mut bytes = vec![0; N];
        let mut filled = 0;
        while filled < N {
            match self.read(&mut bytes[filled..])? {
                0 => break,
                count => filled += count,
            }
        }
        bytes.truncate(filled);
        self.position = start;
        Ok(bytes)
    }

    /// Exactly `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Moves on by `count` bytes; past the end is an error.
    pub(super) fn skip(&mut self, count: u64) -> io::Result<()> {
        if count > self.end.saturating_sub(self.position) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.position += count;
        Ok(())
    }

    fn buffered(&self) -> &[u8] {
        let at = self.position.checked_sub(self.buffer_start).and_then(|at| usize::try_from(at).ok());
        at.and_then(|at| self.buffer.get(at..)).unwrap_or_default()
    }
}

impl BufRead for Cursor {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.buffered().is_empty() && self.position < self.end {
            let want = (self.end - self.position).min(BUFFER) as usize;
            self.buffer.resize(want, 0);
            self.buffer_start = self.position;
            let count = self.source.read_at(self.position, &mut self.buffer);
            self.buffer.truncate(*count.as_ref().unwrap_or(&0));
            count?;
        }
        Ok(self.buffered())
    }

    fn consume(&mut self, count: usize) {
        self.position += count as u64;
    }
}

impl Read for Cursor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(buffer.len());
        buffer[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}
