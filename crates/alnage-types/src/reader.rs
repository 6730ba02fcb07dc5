//! A bounded cursor over a [`Source`]: reads numbers and strings, never past the end, never more than is there.

use std::borrow::Cow;

use crate::Source;

const WINDOW: usize = 64 << 10;

/// Why a read gave nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadEnd {
    /// The bytes end before the value does.
    Truncated,
    /// The operating system refused to give the bytes.
    Unreadable,
}

/// A cursor over a source, buffered, with no allocation larger than the bytes that are really there.
pub struct Reader<'a> {
    source: &'a dyn Source,
    bytes: Option<&'a [u8]>,
    len: u64,
    position: u64,
    window: Vec<u8>,
    window_start: u64,
}

macro_rules! numbers {
    ($($name:ident $name_be:ident $type:ty;)*) => {$(
        #[doc = concat!("A little-endian `", stringify!($type), "`.")]
        pub fn $name(&mut self) -> Result<$type, ReadEnd> {
            self.array().map(<$type>::from_le_bytes)
        }

        #[doc = concat!("A big-endian `", stringify!($type), "`.")]
        pub fn $name_be(&mut self) -> Result<$type, ReadEnd> {
            self.array().map(<$type>::from_be_bytes)
        }
    )*};
}

impl<'a> Reader<'a> {
    /// A cursor at the start of `source`.
    pub fn new(source: &'a dyn Source) -> Self {
        Self {
            source,
            bytes: source.as_bytes(),
            len: source.len(),
            position: 0,
            window: Vec::new(),
            window_start: 0,
        }
    }

    /// A cursor at `position` of `source`.
    pub fn at(source: &'a dyn Source, position: u64) -> Self {
        let mut reader = Self::new(source);
        reader.seek(position);
        reader
    }

    /// Offset of the next byte.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Moves to `position`, which may lie past the end: the next read says so.
    pub fn seek(&mut self, position: u64) {
        self.position = position;
    }

    /// Moves on by `count` bytes; past the end is [`ReadEnd::Truncated`] and does not move.
    pub fn skip(&mut self, count: u64) -> Result<(), ReadEnd> {
        if count > self.remaining() {
            return Err(ReadEnd::Truncated);
        }
        self.position += count;
        Ok(())
    }

    /// Length of the source.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether the source has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes left after the cursor.
    pub fn remaining(&self) -> u64 {
        self.len.saturating_sub(self.position)
    }

    /// One byte.
    #[inline]
    pub fn u8(&mut self) -> Result<u8, ReadEnd> {
        Ok(self.array::<1>()?[0])
    }

    /// The next byte, without moving.
    pub fn peek(&mut self) -> Result<u8, ReadEnd> {
        let byte = self.u8()?;
        self.position -= 1;
        Ok(byte)
    }

    /// `N` bytes.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], ReadEnd> {
        let mut array = [0; N];
        match self.at_hand().get(..N) {
            Some(bytes) => array.copy_from_slice(bytes),
            None => array.copy_from_slice(self.window(N)?),
        }
        self.position += N as u64;
        Ok(array)
    }

    /// The bytes from the cursor on that need no reading.
    #[inline]
    fn at_hand(&self) -> &[u8] {
        let (held, start) = match self.bytes {
            Some(bytes) => (bytes, 0),
            None => (self.window.as_slice(), self.window_start),
        };
        let at = self.position.checked_sub(start).and_then(|at| usize::try_from(at).ok());
        at.and_then(|at| held.get(at..)).unwrap_or_default()
    }

    numbers! {
        u16le u16be u16;
        u32le u32be u32;
        u64le u64be u64;
        i32le i32be i32;
        i64le i64be i64;
        f32le f32be f32;
        f64le f64be f64;
    }

    /// `count` bytes; a count beyond the end is [`ReadEnd::Truncated`] before anything is allocated. The caller
    /// bounds `count` by what it can use: use [`skip`](Self::skip) for payloads.
    pub fn take(&mut self, count: u64) -> Result<Cow<'a, [u8]>, ReadEnd> {
        if count > self.remaining() {
            return Err(ReadEnd::Truncated);
        }
        let count = usize::try_from(count).map_err(|_| ReadEnd::Truncated)?;
        let taken = match self.bytes {
            Some(bytes) => Cow::Borrowed(&bytes[self.position as usize..self.position as usize + count]),
            None if count <= WINDOW => Cow::Owned(self.window(count)?.to_vec()),
            None => {
                let mut buffer = vec![0; count];
                read_exact(self.source, self.position, &mut buffer)?;
                Cow::Owned(buffer)
            }
        };
        self.position += count as u64;
        Ok(taken)
    }

    /// The bytes up to the next `\n`, which is consumed and not given; at most `max` bytes are looked at.
    /// Without a newline within them it is [`ReadEnd::Truncated`] and the cursor does not move.
    pub fn line(&mut self, max: usize) -> Result<Cow<'a, [u8]>, ReadEnd> {
        if let Some(bytes) = self.bytes {
            let rest = bytes.get(self.position as usize..).unwrap_or_default();
            let rest = &rest[..rest.len().min(max.saturating_add(1))];
            let end = rest.iter().position(|&byte| byte == b'\n').ok_or(ReadEnd::Truncated)?;
            self.position += end as u64 + 1;
            return Ok(Cow::Borrowed(&rest[..end]));
        }
        let mut line = Vec::new();
        let start = self.position;
        loop {
            let count = (self.remaining() as usize).min(256);
            if count == 0 || line.len() > max {
                self.position = start;
                return Err(ReadEnd::Truncated);
            }
            let chunk = self.window(count)?;
            if let Some(end) = chunk.iter().position(|&byte| byte == b'\n') {
                line.extend_from_slice(&chunk[..end]);
                self.position += end as u64 + 1;
                return Ok(Cow::Owned(line));
            }
            line.extend_from_slice(chunk);
            self.position += count as u64;
        }
    }

    /// The next `count` ≤ 64 KiB bytes, without moving.
    fn window(&mut self, count: usize) -> Result<&[u8], ReadEnd> {
        if count as u64 > self.remaining() {
            return Err(ReadEnd::Truncated);
        }
        if let Some(bytes) = self.bytes {
            return Ok(&bytes[self.position as usize..self.position as usize + count]);
        }
        let window_end = self.window_start + self.window.len() as u64;
        if self.position < self.window_start || self.position + count as u64 > window_end {
            let want = (self.remaining() as usize).min(WINDOW);
            self.window.resize(want, 0);
            self.window_start = self.position;
            if let Err(end) = read_exact(self.source, self.position, &mut self.window) {
                self.window.clear();
                return Err(end);
            }
        }
        let start = (self.position - self.window_start) as usize;
        Ok(&self.window[start..start + count])
    }
}

fn read_exact(source: &dyn Source, mut offset: u64, mut buffer: &mut [u8]) -> Result<(), ReadEnd> {
    while !buffer.is_empty() {
        match source.read_at(offset, buffer) {
            Ok(0) => return Err(ReadEnd::Truncated),
            Ok(count) => {
                offset += count as u64;
                buffer = &mut buffer[count..];
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return Err(ReadEnd::Unreadable),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::MemorySource;

    /// The same bytes without `as_bytes`, so that the buffered path is taken.
    struct Buffered(MemorySource);

    impl Source for Buffered {
        fn len(&self) -> u64 {
            self.0.len()
        }

        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read_at(offset, buffer)
        }
    }

    fn check(bytes: &[u8], test: impl Fn(Reader<'_>)) {
        let memory = MemorySource::new(bytes);
        test(Reader::new(&memory));
        test(Reader::new(&Buffered(memory.clone())));
    }

    #[test]
    fn numbers_and_lines() {
        check(b"\x01\x02\x00line\nrest", |mut reader| {
            assert_eq!(reader.u8(), Ok(1));
            assert_eq!(reader.u16le(), Ok(2));
            assert_eq!(reader.line(100).as_deref(), Ok(&b"line"[..]));
            assert_eq!(reader.line(100), Err(ReadEnd::Truncated));
            assert_eq!(reader.take(4).as_deref(), Ok(&b"rest"[..]));
            assert_eq!(reader.u8(), Err(ReadEnd::Truncated));
        });
    }

    #[test]
    fn a_declared_length_is_checked_before_allocation() {
        check(b"abc", |mut reader| {
            assert_eq!(reader.take(1 << 60), Err(ReadEnd::Truncated));
            assert_eq!(reader.take(3).as_deref(), Ok(&b"abc"[..]));
        });
    }

    #[test]
    fn seeking_past_the_end_is_no_panic() {
        check(b"abc", |mut reader| {
            reader.seek(u64::MAX);
            assert_eq!(reader.u32le(), Err(ReadEnd::Truncated));
            assert_eq!(reader.line(10), Err(ReadEnd::Truncated));
            assert_eq!(reader.remaining(), 0);
        });
    }
}
