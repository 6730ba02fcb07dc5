//! A tokeniser for XML: what an entity-expanding parser would see before it expands anything.

use alnage_types::{ReadEnd, Reader, Source};

/// One piece of a document.
#[derive(Debug, PartialEq)]
pub(super) enum Token {
    /// `<?xml … ?>`.
    Declaration { encoding: String },
    /// `<!DOCTYPE …`, up to its internal subset.
    Doctype { external: Option<String> },
    /// `<!ENTITY …>`.
    Entity { name: String, value: String, external: Option<String> },
    /// `<?name …?>`.
    Instruction { name: String, text: String },
    /// `<name …>` or `<name …/>`.
    Open { name: String, attributes: Vec<(String, String)> },
    /// `</name>`.
    Close,
    /// Text, entities unexpanded, that is more than space.
    Text(String),
}

pub(super) struct Tokens<'a> {
    reader: Reader<'a>,
    in_doctype: bool,
}

/// The longest piece of text, name or value that is kept.
const MAX_KEPT: usize = 64 << 10;
/// How many attributes of an element are kept.
const MAX_ATTRIBUTES: usize = 1024;

impl<'a> Tokens<'a> {
    pub(super) fn new(source: &'a dyn Source) -> Self {
        let mut reader = Reader::new(source);
        if reader.array::<3>() != Ok([0xef, 0xbb, 0xbf]) {
            reader.seek(0);
        }
        Self { reader, in_doctype: false }
    }

    /// Offset of the next byte.
    pub(super) fn position(&self) -> u64 {
        self.reader.position()
    }

    /// The next token, `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Token>, ReadEnd> {
        loop {
            if self.reader.remaining() == 0 {
                return Ok(None);
            }
            let token = if self.in_doctype { self.in_subset()? } else { self.in_content()? };
            if token.is_some() {
                return Ok(token);
            }
        }
    }

    fn in_content(&mut self) -> Result<Option<Token>, ReadEnd> {
        if self.reader.peek()? != b'<' {
            let text = self.until(b"<", false)?;
            let is_blank = text.trim().is_empty();
            return Ok((!is_blank).then_some(Token::Text(text)));
        }
        self.reader.u8()?;
        match self.reader.peek()? {
            b'?' => self.instruction(),
            b'!' => self.markup(),
            b'/' => {
                self.until(b">", true)?;
                Ok(Some(Token::Close))
            }
            _ => self.element().map(Some),
        }
    }

    fn instruction(&mut self) -> Result<Option<Token>, ReadEnd> {
        self.reader.u8()?;
        let body = self.until(b"?>", true)?;
        let (name, text) = body.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((&body, ""));
        if name.eq_ignore_ascii_case("xml") {
            let encoding = text
                .split_once("encoding")
                .and_then(|(_, rest)| rest.split(['"', '\'']).nth(1).map(str::to_owned));
            return Ok(Some(Token::Declaration { encoding: encoding.unwrap_or_default() }));
        }
        Ok(Some(Token::Instruction { name: name.to_owned(), text: text.to_owned() }))
    }

    fn markup(&mut self) -> Result<Option<Token>, ReadEnd> {
        let start = self.reader.position();
        let mut head = [0; 8];
        for (index, byte) in head.iter_mut().enumerate() {
            *byte = if self.reader.remaining() > index as u64 { self.reader.u8()? } else { 0 };
        }
        self.reader.seek(start);
        if head.starts_with(b"!--") {
            self.reader.skip(3)?;
            self.until(b"-->", true)?;
            Ok(None)
        } else if head == *b"![CDATA[" {
            self.reader.skip(8)?;
            self.until(b"]]>", true).map(|text| Some(Token::Text(text)))
        } else if head.eq_ignore_ascii_case(b"!DOCTYPE") {
            self.reader.skip(8)?;
            self.doctype().map(Some)
        } else {
            self.until(b">", true)?;
            Ok(None)
        }
    }

    fn doctype(&mut self) -> Result<Token, ReadEnd> {
        let words = self.words(b"[>")?;
        self.in_doctype = self.reader.u8()? == b'[';
        Ok(Token::Doctype { external: external(&words, 1) })
    }

    /// Inside `[ … ]` of a document type.
    fn in_subset(&mut self) -> Result<Option<Token>, ReadEnd> {
        match self.reader.u8()? {
            b']' => {
                self.until(b">", true)?;
                self.in_doctype = false;
                Ok(None)
            }
            b'<' if self.reader.peek()? == b'?' => self.instruction().map(|_| None),
            b'<' => {
                let start = self.reader.position();
                let is_comment = self.reader.remaining() >= 3 && self.reader.array::<3>()? == *b"!--";
                if is_comment {
                    self.until(b"-->", true)?;
                    return Ok(None);
                }
                self.reader.seek(start);
                let words = self.words(b">")?;
                self.reader.u8()?;
                Ok(entity(&words))
            }
            _ => Ok(None),
        }
    }

    fn element(&mut self) -> Result<Token, ReadEnd> {
        let name = self.name()?;
        let mut attributes = Vec::new();
        loop {
            match self.reader.u8()? {
                b'>' => break,
                b'/' | b'=' => {}
                byte if byte.is_ascii_whitespace() => {}
                _ => {
                    self.reader.seek(self.reader.position() - 1);
                    let key = self.name()?;
                    self.space()?;
                    if self.reader.peek()? != b'=' {
                        continue;
                    }
                    self.reader.u8()?;
                    self.space()?;
                    let value = match self.reader.peek()? {
                        quote @ (b'"' | b'\'') => {
                            self.reader.u8()?;
                            self.until(&[quote], true)?
                        }
                        _ => self.name()?,
                    };
                    if attributes.len() < MAX_ATTRIBUTES {
                        attributes.push((key, unescape(&value)));
                    }
                }
            }
        }
        Ok(Token::Open { name, attributes })
    }

    /// A run without space, quotes and markup; at least one byte is taken.
    fn name(&mut self) -> Result<String, ReadEnd> {
        let mut bytes = vec![self.reader.u8()?];
        while self.reader.remaining() > 0 {
            let byte = self.reader.peek()?;
            if byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/' | b'=' | b'"' | b'\'' | b'<') {
                break;
            }
            self.reader.u8()?;
            if bytes.len() < MAX_KEPT {
                bytes.push(byte);
            }
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn space(&mut self) -> Result<(), ReadEnd> {
        while self.reader.peek()?.is_ascii_whitespace() {
            self.reader.u8()?;
        }
        Ok(())
    }

    /// The words up to one of `ends`, which is left; a quoted word keeps its opening quote as a mark.
    fn words(&mut self, ends: &[u8]) -> Result<Vec<String>, ReadEnd> {
        let mut words = Vec::new();
        loop {
            let byte = self.reader.peek()?;
            let word = match byte {
                byte if ends.contains(&byte) => return Ok(words),
                byte if byte.is_ascii_whitespace() => {
                    self.reader.u8()?;
                    continue;
                }
                quote @ (b'"' | b'\'') => {
                    self.reader.u8()?;
                    format!("\"{}", self.until(&[quote], true)?)
                }
                _ => self.name()?,
            };
            if words.len() < 16 {
                words.push(word);
            }
        }
    }

    /// The bytes up to `end`; with `consume` it is taken too and must be there.
    fn until(&mut self, end: &[u8], consume: bool) -> Result<String, ReadEnd> {
        let mut bytes = Vec::new();
        let mut last = Vec::new();
        loop {
            if !consume && (self.reader.remaining() == 0 || end.first() == Some(&self.reader.peek()?)) {
                break;
            }
            let byte = self.reader.u8()?;
            last.push(byte);
            if last.len() > end.len() {
                last.remove(0);
            }
            if bytes.len() < MAX_KEPT {
                bytes.push(byte);
            }
            if consume && last == end {
                if bytes.ends_with(end) {
                    bytes.truncate(bytes.len() - end.len());
                }
                break;
            }
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// `!ENTITY name "value"`, `!ENTITY % name SYSTEM "where"`.
fn entity(words: &[String]) -> Option<Token> {
    if !words.first()?.eq_ignore_ascii_case("!ENTITY") {
        return None;
    }
    let at = if words.get(1)? == "%" { 2 } else { 1 };
    let name = words.get(at)?.clone();
    let external = external(words, at + 1);
    let value = words.get(at + 1)?.strip_prefix('"').unwrap_or_default().to_owned();
    Some(Token::Entity { name, value, external })
}

/// `SYSTEM "where"` or `PUBLIC "id" "where"` from word `at` on.
fn external(words: &[String], at: usize) -> Option<String> {
    let quoted = |index: usize| words.get(index).and_then(|word| word.strip_prefix('"')).map(str::to_owned);
    match words.get(at)?.as_str() {
        "SYSTEM" => Some(quoted(at + 1).unwrap_or_default()),
        "PUBLIC" => Some(quoted(at + 2).or_else(|| quoted(at + 1)).unwrap_or_default()),
        _ => None,
    }
}

/// The predefined entities and character references.
fn unescape(value: &str) -> String {
    if !value.contains('&') {
        return value.to_owned();
    }
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('&') {
        text.push_str(before);
        let Some((name, after)) = after.split_once(';') else {
            text.push('&');
            rest = after;
            continue;
        };
        let number = name.strip_prefix('#').and_then(|number| match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => number.parse().ok(),
        });
        match (name, number.and_then(char::from_u32)) {
            (_, Some(character)) => text.push(character),
            ("lt", _) => text.push('<'),
            ("gt", _) => text.push('>'),
            ("amp", _) => text.push('&'),
            ("quot", _) => text.push('"'),
            ("apos", _) => text.push('\''),
            _ => text.push_str(&format!("&{name};")),
        }
        rest = after;
    }
    text + rest
}
