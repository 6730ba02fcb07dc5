//! Numbers and texts of an R file in its three encodings.

use alnage_types::{ReadEnd, Reader};

use super::Encoding;

/// A cursor that knows the encoding.
pub(super) struct Tokens<'a> {
    pub(super) reader: Reader<'a>,
    pub(super) encoding: Encoding,
}

/// What an integer that is not available is written as.
const NOT_AVAILABLE: i32 = i32::MIN;

impl<'a> Tokens<'a> {
    pub(super) fn new(reader: Reader<'a>, encoding: Encoding) -> Self {
        Self { reader, encoding }
    }

    /// One integer.
    pub(super) fn int(&mut self) -> Result<i32, ReadEnd> {
        match self.encoding {
            Encoding::Xdr => self.reader.i32be(),
            Encoding::Native => self.reader.i32le(),
            Encoding::Ascii => {
                let word = self.word()?;
                let text = std::str::from_utf8(&word).unwrap_or_default();
                if text == "NA" { Ok(NOT_AVAILABLE) } else { text.parse().map_err(|_| ReadEnd::Truncated) }
            }
        }
    }

    /// A length, which may take more than one integer.
    pub(super) fn length(&mut self) -> Result<u64, ReadEnd> {
        match self.int()? {
            -1 => {
                let (upper, lower) = (self.int()?, self.int()?);
                Ok(u64::from(upper.cast_unsigned()) << 32 | u64::from(lower.cast_unsigned()))
            }
            length => u64::try_from(length).map_err(|_| ReadEnd::Truncated),
        }
    }

    /// Steps over `count` numbers of `width` bytes (in text, of `words` words each).
    pub(super) fn skip(&mut self, count: u64, width: u64, words: u64) -> Result<(), ReadEnd> {
        if self.encoding != Encoding::Ascii {
            return self.reader.skip(count.checked_mul(width).ok_or(ReadEnd::Truncated)?);
        }
        for _ in 0..count.checked_mul(words).ok_or(ReadEnd::Truncated)? {
            self.word()?;
        }
        Ok(())
    }

    /// A text of `length` bytes; what is longer than a name or a command is stepped over and cut.
    pub(super) fn text(&mut self, length: u64) -> Result<String, ReadEnd> {
        const KEPT: u64 = 1024;
        if self.encoding != Encoding::Ascii {
            let kept = self.reader.take(length.min(KEPT))?;
            self.reader.skip(length.saturating_sub(KEPT))?;
            return Ok(String::from_utf8_lossy(&kept).into_owned());
        }
        self.blanks()?;
        let mut bytes = Vec::new();
        for at in 0..length {
            let byte = self.escaped()?;
            if at < KEPT {
                bytes.push(byte);
            }
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// One byte of a text, with the escapes of C.
    fn escaped(&mut self) -> Result<u8, ReadEnd> {
        let byte = self.reader.u8()?;
        if byte != b'\\' {
            return Ok(byte);
        }
        Ok(match self.reader.u8()? {
            b'n' => b'\n',
            b't' => b'\t',
            b'v' => 0x0b,
            b'b' => 0x08,
            b'r' => b'\r',
            b'f' => 0x0c,
            b'a' => 0x07,
            first @ b'0'..=b'7' => {
                let mut value = u32::from(first - b'0');
                for _ in 0..2 {
                    match self.reader.peek()? {
                        digit @ b'0'..=b'7' => {
                            value = value << 3 | u32::from(digit - b'0');
                            self.reader.skip(1)?;
                        }
                        _ => break,
                    }
                }
                value as u8
            }
            other => other,
        })
    }

    fn blanks(&mut self) -> Result<(), ReadEnd> {
        while self.reader.peek()?.is_ascii_whitespace() {
            self.reader.skip(1)?;
        }
        Ok(())
    }

    /// The next word, at most 128 bytes as in R.
    fn word(&mut self) -> Result<Vec<u8>, ReadEnd> {
        self.blanks()?;
        let mut word = Vec::new();
        while word.len() < 128 {
            match self.reader.u8() {
                Ok(byte) if byte.is_ascii_whitespace() => break,
                Ok(byte) => word.push(byte),
                Err(ReadEnd::Truncated) if !word.is_empty() => break,
                Err(end) => return Err(end),
            }
        }
        Ok(word)
    }
}
