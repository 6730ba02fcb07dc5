//! A JSON reader as lenient as Python's (`NaN`, `Infinity`, repeated keys), without recursion and without a tree.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use alnage_types::{IssueKind, ReadEnd, Reader, Source};

use super::{Path, Receiver, Scalar, Segment};
use crate::{Context, Probe};

/// Strings are kept up to here; what is longer is data, no setting.
const MAX_STRING: usize = 4 << 20;
/// Keys are kept up to here.
const MAX_KEY: usize = 64 << 10;
/// How deep values may nest: far beyond where Python's reader gives up.
const MAX_NESTING: usize = 100_000;
/// Repeated keys are looked for down to this depth, in objects of at most this many keys.
const DUPLICATE_DEPTH: usize = 4;
const DUPLICATE_KEYS: usize = 20_000;

/// Whether the bytes begin, and with an array also end, as JSON does.
pub(crate) fn looks_like_json(probe: &Probe<'_>) -> bool {
    if !probe.is_text() {
        return false;
    }
    let head = probe.head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(probe.head);
    let mut head = head.iter().copied().filter(|byte| !byte.is_ascii_whitespace());
    let named = matches!(probe.extension(), Some("json" | "jsonl" | "ndjson" | "ipynb" | "webmanifest"));
    let last = probe.tail.iter().rev().find(|byte| !byte.is_ascii_whitespace()).copied();
    match (head.next(), head.next()) {
        (Some(b'{'), Some(b'"' | b'}')) => named || last == Some(b'}'),
        (Some(b'['), Some(b'{' | b'"' | b'[' | b']' | b'0'..=b'9' | b'-')) => named || last == Some(b']'),
        (Some(b'{' | b'['), _) => named,
        _ => false,
    }
}

/// Reads every document in `source` (one, or one a line) and says how many there were.
pub(crate) fn read_json(source: &dyn Source, context: &mut Context<'_>, receiver: &mut dyn Receiver) -> u64 {
    let mut parser = Parser {
        reader: Reader::new(source),
        context,
        receiver,
        path: Path::default(),
        frames: Vec::new(),
        buffer: Vec::new(),
    };
    let mut documents = 0;
    let outcome = parser.documents(&mut documents);
    let end = parser.reader.position().min(source.len());
    match outcome {
        Ok(()) => context.claim(0..source.len()),
        Err(stop) => {
            context.claim(0..end);
            match stop {
                Stop::Read(ended) => context.read_end(ended, end, "a JSON value"),
                Stop::Malformed(what) => {
                    let at = end.saturating_sub(1);
                    context.issue(IssueKind::Malformed, at, format!("not JSON: {what}"));
                }
                Stop::Budget(limit) => context.exhausted(limit, end),
            }
        }
    }
    documents
}

enum Stop {
    Read(ReadEnd),
    Malformed(&'static str),
    Budget(alnage_types::Exhausted),
}

impl From<ReadEnd> for Stop {
    fn from(end: ReadEnd) -> Self {
        Self::Read(end)
    }
}

enum Frame {
    Object { keys: Option<HashSet<u64>> },
    Array,
}

struct Parser<'a, 'b, 'c> {
    reader: Reader<'a>,
    context: &'b mut Context<'c>,
    receiver: &'b mut dyn Receiver,
    path: Path,
    frames: Vec<Frame>,
    buffer: Vec<u8>,
}

impl Parser<'_, '_, '_> {
    fn documents(&mut self, documents: &mut u64) -> Result<(), Stop> {
        if self.reader.remaining() >= 3 && self.reader.array::<3>()? != *b"\xef\xbb\xbf" {
            self.reader.seek(0);
        }
        loop {
            match self.next_byte() {
                Ok(byte) => self.document(byte)?,
                Err(Stop::Read(ReadEnd::Truncated)) => return Ok(()),
                Err(stop) => return Err(stop),
            }
            *documents += 1;
        }
    }

    /// One document that begins with `byte`.
    fn document(&mut self, byte: u8) -> Result<(), Stop> {
        self.value(byte)?;
        while let Some(frame) = self.frames.last() {
            match frame {
                Frame::Object { .. } => self.next_in_object()?,
                Frame::Array => self.next_in_array()?,
            }
        }
        Ok(())
    }

    /// After a value in an object, or after its `{`: the next key and value, or the end.
    fn next_in_object(&mut self) -> Result<(), Stop> {
        let first = matches!(self.path.last_mut(), Some(Segment::Index(usize::MAX)));
        let mut byte = self.next_byte()?;
        match byte {
            b'}' => {
                self.frames.pop();
                self.path.pop();
                return Ok(());
            }
            b',' if !first => byte = self.next_byte()?,
            b'"' if first => {}
            _ => return Err(Stop::Malformed("expected `,` or `}`")),
        }
        if byte != b'"' {
            return Err(Stop::Malformed("expected a key in double quotes"));
        }
        let offset = self.reader.position() - 1;
        self.string(MAX_KEY)?;
        let key = String::from_utf8_lossy(&self.buffer).into_owned();
        let repeated = match self.frames.last_mut() {
            Some(Frame::Object { keys: Some(keys) }) if keys.len() < DUPLICATE_KEYS => {
                let mut hasher = DefaultHasher::new();
                key.hash(&mut hasher);
                !keys.insert(hasher.finish())
            }
            _ => false,
        };
        if let Some(last) = self.path.last_mut() {
            *last = Segment::Key(key);
        }
        if repeated {
            self.receiver.duplicate(&self.path, offset);
        }
        if self.next_byte()? != b':' {
            return Err(Stop::Malformed("expected `:` after a key"));
        }
        let byte = self.next_byte()?;
        self.value(byte)
    }

    /// After a value in an array, or after its `[`: the next value, or the end.
    fn next_in_array(&mut self) -> Result<(), Stop> {
        let first = matches!(self.path.last_mut(), Some(Segment::Index(usize::MAX)));
        let mut byte = self.next_byte()?;
        match byte {
            b']' => {
                self.frames.pop();
                self.path.pop();
                return Ok(());
            }
            b',' if !first => byte = self.next_byte()?,
            _ if first => {}
            _ => return Err(Stop::Malformed("expected `,` or `]`")),
        }
        if let Some(Segment::Index(index)) = self.path.last_mut() {
            *index = index.wrapping_add(1);
        }
        self.value(byte)
    }

    /// A value that begins with `byte`; an object or array is only opened.
    fn value(&mut self, byte: u8) -> Result<(), Stop> {
        self.context.meter().step(1).map_err(Stop::Budget)?;
        let offset = self.reader.position() - 1;
        match byte {
            b'{' | b'[' => {
                if self.frames.len() == MAX_NESTING {
                    return Err(Stop::Malformed("nested deeper than any reader follows"));
                }
                self.receiver.open(&self.path);
                let keys = (self.frames.len() < DUPLICATE_DEPTH).then(HashSet::new);
                self.frames.push(if byte == b'{' { Frame::Object { keys } } else { Frame::Array });
                // One before the first: the first element wraps it to 0, the first key replaces it.
                self.path.push(Segment::Index(usize::MAX));
            }
            b'"' => {
                self.string(MAX_STRING)?;
                let text = String::from_utf8_lossy(&self.buffer);
                self.receiver.scalar(&self.path, Scalar::String(&text), offset);
            }
            _ => {
                self.bare(byte)?;
                let text = std::str::from_utf8(&self.buffer).unwrap_or_default();
                let scalar = match text {
                    "null" => Scalar::Null,
                    "true" => Scalar::Bool(true),
                    "false" => Scalar::Bool(false),
                    "NaN" | "Infinity" | "-Infinity" => Scalar::Number(text),
                    _ if text.starts_with(|c: char| c == '-' || c.is_ascii_digit())
                        && text.ends_with(|c: char| c.is_ascii_digit()) =>
                    {
                        Scalar::Number(text)
                    }
                    _ => return Err(Stop::Malformed("expected a value")),
                };
                self.receiver.scalar(&self.path, scalar, offset);
            }
        }
        Ok(())
    }

    /// A word or number that begins with `byte`, into the buffer.
    fn bare(&mut self, byte: u8) -> Result<(), Stop> {
        const LONGEST: usize = 4096;
        self.buffer.clear();
        self.buffer.push(byte);
        while let Ok(next) = self.reader.peek() {
            if !(next.is_ascii_alphanumeric() || matches!(next, b'+' | b'-' | b'.')) {
                break;
            }
            self.reader.u8()?;
            if self.buffer.len() == LONGEST {
                return Err(Stop::Malformed("expected a value"));
            }
            self.buffer.push(next);
        }
        Ok(())
    }

    /// The rest of a string after its quote, into the buffer, which keeps at most `max` bytes.
    fn string(&mut self, max: usize) -> Result<(), Stop> {
        self.buffer.clear();
        loop {
            let byte = self.reader.u8()?;
            match byte {
                b'"' => return Ok(()),
                b'\\' => self.escape(max)?,
                0..0x20 => return Err(Stop::Malformed("a control character in a string")),
                _ if self.buffer.len() < max => self.buffer.push(byte),
                _ => {}
            }
        }
    }

    fn escape(&mut self, max: usize) -> Result<(), Stop> {
        let character = match self.reader.u8()? {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            byte @ (b'"' | b'\\' | b'/') => char::from(byte),
            b'u' => {
                let mut unit = self.hex4()?;
                let after = self.reader.position();
                if (0xd800..0xdc00).contains(&unit)
                    && self.reader.remaining() >= 6
                    && self.reader.array::<2>()? == *b"\\u"
                {
                    let low = self.hex4()?;
                    if (0xdc00..0xe000).contains(&low) {
                        unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                    } else {
                        self.reader.seek(after);
                    }
                } else {
                    self.reader.seek(after);
                }
                // A lone half of a pair: Python keeps it, and it spells nothing.
                char::from_u32(unit).unwrap_or('\u{fffd}')
            }
            _ => return Err(Stop::Malformed("an unknown escape in a string")),
        };
        if self.buffer.len() < max {
            self.buffer.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
        Ok(())
    }

    fn hex4(&mut self) -> Result<u32, Stop> {
        let digits = self.reader.array::<4>()?;
        let text = std::str::from_utf8(&digits).unwrap_or_default();
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(Stop::Malformed("a `\\u` escape without four digits"));
        }
        u32::from_str_radix(text, 16).map_err(|_| Stop::Malformed("a `\\u` escape without four digits"))
    }

    /// The next byte that is no white space, consumed.
    fn next_byte(&mut self) -> Result<u8, Stop> {
        loop {
            let byte = self.reader.u8()?;
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return Ok(byte);
            }
        }
    }
}
