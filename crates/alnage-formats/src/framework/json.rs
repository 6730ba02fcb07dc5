//! JSON as Python's `json` module reads it, into a flat tree: no recursion, numbers inside arrays only counted.

use std::sync::Arc;

use alnage_types::{Exhausted, IssueKind, MemorySource, ReadEnd, Reader, Source};

use crate::{Context, Probe};

/// A parsed document; node 0 is the root.
pub(super) struct Document {
    nodes: Vec<Node>,
}

/// One value.
pub(super) struct Node {
    /// Its key, when it stands in an object.
    pub(super) key: Option<Box<str>>,
    /// What it is.
    pub(super) value: Value,
    /// Where it starts.
    pub(super) offset: u64,
    parent: usize,
    end: usize,
}

/// A JSON value. Numbers that stand in arrays have no node of their own.
pub(super) enum Value {
    Object,
    Array,
    Text(String),
    Number,
    Bool,
    Null,
}

/// The longest string kept; what is longer is cut.
const MAX_TEXT: usize = 32 << 20;
/// The longest document in another encoding than UTF-8 that is converted.
const MAX_CONVERTED: u64 = 32 << 20;

impl Document {
    /// Reads the document; what is malformed becomes an issue and ends the tree there.
    pub(super) fn read(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Self {
        if let Some(converted) = converted(source.as_ref()) {
            context.claim(0..source.len());
            return Parser::new(&converted).run(context, Claim::None);
        }
        Parser::new(source.as_ref()).run(context, Claim::Read)
    }

    /// All nodes with their indices, in document order.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.nodes.iter().enumerate()
    }

    /// How many nodes there are.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The node with this index.
    pub(super) fn node(&self, index: usize) -> Option<&Node> {
        self.nodes.get(index)
    }

    /// The direct children of a node.
    pub(super) fn children(&self, index: usize) -> impl Iterator<Item = usize> {
        let end = self.nodes.get(index).map_or(0, |node| node.end);
        let mut next = index + 1;
        std::iter::from_fn(move || {
            let child = (next < end).then_some(next)?;
            next = self.nodes.get(child).map_or(end, |node| node.end).max(child + 1);
            Some(child)
        })
    }

    /// The value at `key` of an object; of several the last, as Python takes it.
    pub(super) fn get(&self, object: usize, key: &str) -> Option<usize> {
        self.children(object).filter(|&child| self.key(child) == Some(key)).last()
    }

    /// The text at `key` of an object.
    pub(super) fn text_at(&self, object: usize, key: &str) -> Option<&str> {
        self.get(object, key).and_then(|child| self.text(child))
    }

    /// The text of a node that is a string.
    pub(super) fn text(&self, index: usize) -> Option<&str> {
        match &self.nodes.get(index)?.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The key of a node.
    pub(super) fn key(&self, index: usize) -> Option<&str> {
        self.nodes.get(index)?.key.as_deref()
    }

    /// The node that holds this one.
    pub(super) fn parent(&self, index: usize) -> Option<usize> {
        (index != 0).then(|| self.nodes.get(index).map(|node| node.parent)).flatten()
    }

    /// The JSON pointer (RFC 6901) of a node, cut in the middle when it is very long. Positions in arrays count
    /// only what has a node.
    pub(super) fn pointer(&self, index: usize) -> String {
        const MAX_PARTS: usize = 24;
        let mut parts = Vec::new();
        let mut at = index;
        while let Some(parent) = self.parent(at) {
            match self.key(at) {
                Some(key) => parts.push(super::text::short(&key.replace('~', "~0").replace('/', "~1"), 64)),
                None => {
                    let place = self.children(parent).take_while(|&child| child != at).take(10_000).count();
                    parts.push(place.to_string());
                }
            }
            at = parent;
            if parts.len() == MAX_PARTS {
                parts.push("…".to_owned());
                break;
            }
        }
        parts.iter().rev().fold(String::new(), |pointer, part| pointer + "/" + part)
    }
}

/// The tree of a document, as far as it can be read, for identification: nobody hears of issues.
pub(super) fn quiet(source: &dyn Source) -> Option<Document> {
    const MAX_NODES: u64 = 1_500_000;
    let converted = converted(source);
    let mut parser = Parser::new(converted.as_ref().map_or(source, |converted| converted));
    let mut steps = 0;
    let _ = parser.document(&mut || {
        steps += 1;
        if steps > MAX_NODES { Err(Exhausted { limit: "max-nodes" }) } else { Ok(()) }
    });
    let document = parser.finish();
    (document.len() > 0).then_some(document)
}

/// Whether the text could be a JSON object in which all `keys` occur, an escaped spelling included.
pub(super) fn mentions(probe: &Probe<'_>, keys: &[&str]) -> bool {
    if let Some(converted) = converted(probe.source) {
        return mentions_in(&converted, keys);
    }
    let first = probe.head.iter().find(|byte| !byte.is_ascii_whitespace());
    matches!(first, Some(b'{' | b'[')) && mentions_in(probe.source, keys)
}

fn mentions_in(source: &dyn Source, keys: &[&str]) -> bool {
    if keys.iter().all(|key| super::text::contains(source, key.as_bytes())) {
        return true;
    }
    super::text::contains(source, b"\\u00") && escaped_keys(source, keys)
}

/// Looks for the keys among the strings of the text, unescaped.
fn escaped_keys(source: &dyn Source, keys: &[&str]) -> bool {
    let mut parser = Parser::new(source);
    let mut missing: Vec<&str> = keys.to_vec();
    while let Ok(byte) = parser.reader.u8() {
        if byte == b'"' {
            let Ok(text) = parser.string() else { return false };
            missing.retain(|key| *key != text);
            if missing.is_empty() {
                return true;
            }
        }
    }
    false
}

/// The document in UTF-8, when it is in UTF-16 or UTF-32: `json.loads` takes those from bytes too.
fn converted(source: &dyn Source) -> Option<MemorySource> {
    let mut reader = Reader::new(source);
    let head = reader.take(source.len().min(4)).ok()?;
    let (width, big_endian) = match *head.as_ref() {
        [0xef, 0xbb, 0xbf, ..] => (1, false),
        [0, 0, 0xfe, 0xff] | [0, 0, 0, _] => (4, true),
        [0xff, 0xfe, 0, 0] | [_, 0, 0, 0] => (4, false),
        [0xfe, 0xff, ..] | [0, b'{' | b'[' | b' ' | b'\n' | b'\r' | b'\t', ..] => (2, true),
        [0xff, 0xfe, ..] | [b'{' | b'[' | b' ' | b'\n' | b'\r' | b'\t', 0, ..] => (2, false),
        _ => return None,
    };
    if source.len() > MAX_CONVERTED {
        return None;
    }
    reader.seek(0);
    let bytes = reader.take(source.len()).ok()?;
    let text: String = match width {
        1 => String::from_utf8_lossy(bytes.get(3..)?).into_owned(),
        2 => {
            let units = bytes.as_chunks::<2>().0.iter().map(|&pair| match big_endian {
                true => u16::from_be_bytes(pair),
                false => u16::from_le_bytes(pair),
            });
            char::decode_utf16(units).map(|unit| unit.unwrap_or('\u{fffd}')).collect()
        }
        _ => {
            let units = bytes.as_chunks::<4>().0.iter().map(|&quad| match big_endian {
                true => u32::from_be_bytes(quad),
                false => u32::from_le_bytes(quad),
            });
            units.map(|unit| char::from_u32(unit).unwrap_or('\u{fffd}')).collect()
        }
    };
    let text = text.trim_start_matches('\u{feff}').trim_start();
    text.starts_with(['{', '[']).then(|| MemorySource::new(text.as_bytes()))
}

/// What the parser claims of the bytes it reads.
#[derive(PartialEq)]
enum Claim {
    Read,
    None,
}

enum State {
    Value,
    FirstKey,
    Key,
    FirstElement,
    After,
}

/// Why the parser stopped before the end of the document.
enum Stop {
    End(ReadEnd),
    Malformed(&'static str),
    Limit(Exhausted),
}

impl From<Exhausted> for Stop {
    fn from(limit: Exhausted) -> Self {
        Self::Limit(limit)
    }
}

impl From<ReadEnd> for Stop {
    fn from(end: ReadEnd) -> Self {
        Self::End(end)
    }
}

struct Parser<'a> {
    reader: Reader<'a>,
    nodes: Vec<Node>,
    open: Vec<usize>,
    kept: usize,
}

impl<'a> Parser<'a> {
    fn new(source: &'a dyn Source) -> Self {
        Self { reader: Reader::new(source), nodes: Vec::new(), open: Vec::new(), kept: 0 }
    }

    fn run(mut self, context: &mut Context<'_>, claim: Claim) -> Document {
        let max_nodes = context.meter().budget().max_nodes;
        let mut kept = 0;
        let stop = self.document(&mut || {
            kept += 1;
            if kept > max_nodes { Err(Exhausted { limit: "max-nodes" }) } else { context.meter().step(1) }
        });
        if claim == Claim::Read {
            context.claim(0..self.reader.position());
        }
        match stop {
            Ok(()) => {}
            Err(Stop::End(end)) => context.read_end(end, self.reader.position(), "a JSON document"),
            Err(Stop::Limit(limit)) => context.exhausted(limit, self.reader.position()),
            Err(Stop::Malformed(what)) => {
                context.issue(IssueKind::Malformed, self.reader.position(), format!("not JSON here: {what}"));
            }
        }
        self.finish()
    }

    /// The tree so far; what is still open ends here.
    fn finish(mut self) -> Document {
        let end = self.nodes.len();
        for index in self.open {
            self.nodes[index].end = end;
        }
        Document { nodes: self.nodes }
    }

    /// Reads the document; `node` is asked before each value that gets a node.
    fn document(&mut self, node: &mut dyn FnMut() -> Result<(), Exhausted>) -> Result<(), Stop> {
        let mut state = State::Value;
        let mut key = None;
        loop {
            let byte = self.next_byte()?;
            state = match (state, byte) {
                (State::FirstKey, b'}') | (State::FirstElement, b']') => self.close(),
                (State::FirstKey | State::Key, b'"') => {
                    key = Some(self.string()?.into_boxed_str());
                    if self.next_byte()? != b':' {
                        return Err(Stop::Malformed("a key without a colon"));
                    }
                    State::Value
                }
                (State::FirstKey | State::Key, _) => return Err(Stop::Malformed("no key where one belongs")),
                (State::Value | State::FirstElement, byte) => self.value(byte, key.take(), node)?,
                (State::After, b',') => match self.in_object() {
                    Some(true) => State::Key,
                    Some(false) => State::Value,
                    None => return Err(Stop::Malformed("a comma after the document")),
                },
                (State::After, b'}') if self.in_object() == Some(true) => self.close(),
                (State::After, b']') if self.in_object() == Some(false) => self.close(),
                (State::After, _) => return Err(Stop::Malformed("neither a comma nor an end")),
            };
            if self.open.is_empty() {
                return Ok(self.skip_space()?);
            }
        }
    }

    fn value(
        &mut self,
        byte: u8,
        key: Option<Box<str>>,
        node: &mut dyn FnMut() -> Result<(), Exhausted>,
    ) -> Result<State, Stop> {
        let offset = self.reader.position() - 1;
        let (value, next) = match byte {
            b'{' => (Value::Object, State::FirstKey),
            b'[' => (Value::Array, State::FirstElement),
            b'"' => (Value::Text(self.string()?), State::After),
            b't' | b'f' | b'n' | b'N' | b'I' | b'-' | b'0'..=b'9' => (self.literal(byte)?, State::After),
            _ => return Err(Stop::Malformed("no value where one belongs")),
        };
        let is_open = matches!(value, Value::Object | Value::Array);
        if matches!(value, Value::Number) && self.in_object() == Some(false) {
            return Ok(next);
        }
        node()?;
        if self.kept > MAX_TEXT {
            return Err(Stop::Limit(Exhausted { limit: "max-nodes" }));
        }
        let index = self.nodes.len();
        let parent = self.open.last().copied().unwrap_or(0);
        self.kept += key.as_ref().map_or(0, |key| key.len());
        self.nodes.push(Node { key, value, offset, parent, end: index + 1 });
        if is_open {
            self.open.push(index);
        }
        Ok(next)
    }

    fn close(&mut self) -> State {
        if let Some(index) = self.open.pop() {
            self.nodes[index].end = self.nodes.len();
        }
        State::After
    }

    fn in_object(&self) -> Option<bool> {
        self.open.last().map(|&index| matches!(self.nodes[index].value, Value::Object))
    }

    fn skip_space(&mut self) -> Result<(), ReadEnd> {
        while self.reader.remaining() > 0 {
            if !matches!(self.reader.peek()?, b' ' | b'\n' | b'\r' | b'\t') {
                break;
            }
            self.reader.u8()?;
        }
        Ok(())
    }

    fn next_byte(&mut self) -> Result<u8, ReadEnd> {
        self.skip_space()?;
        self.reader.u8()
    }

    fn literal(&mut self, first: u8) -> Result<Value, Stop> {
        let mut text = String::from(first as char);
        while self.reader.remaining() > 0 && text.len() < 400 {
            match self.reader.peek()? {
                byte @ (b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'+' | b'-' | b'.') => {
                    text.push(byte as char)
                }
                _ => break,
            }
            self.reader.u8()?;
        }
        match text.as_str() {
            "true" | "false" => Ok(Value::Bool),
            "null" => Ok(Value::Null),
            "NaN" | "Infinity" | "-Infinity" => Ok(Value::Number),
            number => number
                .parse::<f64>()
                .map(|_| Value::Number)
                .map_err(|_| Stop::Malformed("an unknown literal")),
        }
    }

    /// The string whose opening quote was read.
    fn string(&mut self) -> Result<String, Stop> {
        let mut bytes = Vec::new();
        loop {
            match self.reader.u8()? {
                b'"' => break,
                b'\\' => match self.reader.u8()? {
                    b'n' => bytes.push(b'\n'),
                    b't' => bytes.push(b'\t'),
                    b'r' => bytes.push(b'\r'),
                    b'b' => bytes.push(8),
                    b'f' => bytes.push(12),
                    b'u' => {
                        let unit = self.hex()?;
                        self.push_unit(unit, &mut bytes)?;
                    }
                    byte => bytes.push(byte),
                },
                byte => bytes.push(byte),
            }
            if bytes.len() > MAX_TEXT {
                return Err(Stop::Malformed("a string longer than is kept"));
            }
        }
        self.kept += bytes.len();
        Ok(match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        })
    }

    fn push_unit(&mut self, unit: u16, bytes: &mut Vec<u8>) -> Result<(), Stop> {
        let mut units = vec![unit];
        if (0xd800..0xdc00).contains(&unit) && self.reader.remaining() >= 6 {
            let here = self.reader.position();
            if self.reader.array::<2>()? == *b"\\u" {
                units.push(self.hex()?);
            } else {
                self.reader.seek(here);
            }
        }
        let text: String = char::decode_utf16(units).map(|unit| unit.unwrap_or('\u{fffd}')).collect();
        bytes.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn hex(&mut self) -> Result<u16, Stop> {
        let digits = self.reader.array::<4>()?;
        let text = std::str::from_utf8(&digits).unwrap_or_default();
        u16::from_str_radix(text, 16).map_err(|_| Stop::Malformed("an escape that is no number"))
    }
}
