//! The text literals of protocol 0, read as leniently as CPython's C and Python unpicklers read them.

use std::borrow::Cow;

/// A number read from text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    /// `I00` and `I01`.
    Bool(bool),
    /// Fits 64 bits.
    Int(i64),
    /// An integer beyond 64 bits.
    Big,
}

/// How a number was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// As picklers write it.
    Plain,
    /// Only lenient readers take it: hexadecimal, octal, leading blanks, underscores, an embedded NUL.
    Odd,
}

/// The argument of INT, without its newline. `None` when neither unpickler takes it.
pub(super) fn int(text: &[u8]) -> Option<(Number, Spelling)> {
    if text == b"00" || text == b"01" {
        return Some((Number::Bool(text == b"01"), Spelling::Plain));
    }
    if text.is_empty() {
        return None;
    }
    let spelling = spelling(text);
    if let Some(value) = strtol(text) {
        // The C unpickler takes any two characters that come to 0 or 1 for a boolean.
        if text.len() == 2 && (value == 0 || value == 1) {
            return Some((Number::Bool(value == 1), Spelling::Odd));
        }
        return Some((Number::Int(value), spelling));
    }
    python_int(until_nul(text), 0).map(|number| (number, spelling))
}

/// The argument of LONG, without its newline.
pub(super) fn long(text: &[u8]) -> Option<(Number, Spelling)> {
    let digits = text.strip_suffix(b"L").unwrap_or(text);
    python_int(until_nul(digits), 0).map(|number| (number, spelling(digits)))
}

/// The argument of GET and PUT, without its newline: the memo's key.
pub(super) fn memo_key(text: &[u8]) -> Option<u64> {
    let text = until_nul(text);
    match python_int(text, 10)? {
        Number::Int(value) => u64::try_from(value).ok(),
        Number::Bool(value) => Some(value.into()),
        // Only a dictionary memo takes such a key; all that matters is that equal keys are equal.
        Number::Big if text.contains(&b'-') => None,
        Number::Big => {
            Some(text.iter().filter(|byte| byte.is_ascii_digit()).fold(1 << 63, |hash, &byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3) | 1 << 63
            }))
        }
    }
}

/// The argument of FLOAT, without its newline.
pub(super) fn float(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(until_nul(text)).ok()?.trim();
    text.parse().ok().or_else(|| text.contains('_').then(|| text.replace('_', "").parse().ok()).flatten())
}

/// The argument of STRING, without its newline: quotes taken off and escapes undone.
pub(super) fn string(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    let end = text.iter().rposition(|&byte| byte > b' ')? + 1;
    let quoted = |text: &[u8]| {
        text.len() >= 2 && text.first() == text.last() && matches!(text.first(), Some(b'\'' | b'"'))
    };
    let text = if quoted(text) { text } else { &text[..end] };
    if !quoted(text) {
        return None;
    }
    let inner = &text[1..text.len() - 1];
    if memchr::memchr(b'\\', inner).is_none() {
        Some(Cow::Borrowed(inner))
    } else {
        unescape(inner).map(Cow::Owned)
    }
}

/// Python's escapes of byte strings.
pub(super) fn unescape(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let (&escape, tail) = rest.split_first()?;
        rest = tail;
        match escape {
            b'\n' => {}
            b'a' => out.push(7),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'v' => out.push(11),
            b'\\' | b'\'' | b'"' => out.push(escape),
            b'x' => {
                let digit = |at: usize| rest.get(at).and_then(|&byte| char::from(byte).to_digit(16));
                out.push((digit(0)? * 16 + digit(1)?) as u8);
                rest = &rest[2..];
            }
            b'0'..=b'7' => {
                let mut value = u32::from(escape - b'0');
                for _ in 0..2 {
                    let Some((&digit @ b'0'..=b'7', tail)) = rest.split_first() else { break };
                    value = value * 8 + u32::from(digit - b'0');
                    rest = tail;
                }
                out.push(value as u8);
            }
            other => out.extend([b'\\', other]),
        }
    }
    Some(out)
}

/// The `raw-unicode-escape` codec: Latin-1 with `\uXXXX` and `\UXXXXXXXX`.
pub(super) fn raw_unicode(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'\\' {
            out.push(char::from(byte));
            continue;
        }
        let Some((&escape, tail)) = rest.split_first() else {
            out.push('\\');
            break;
        };
        let count = match escape {
            b'u' => 4,
            b'U' => 8,
            _ => 0,
        };
        let code = tail.get(..count).filter(|_| count > 0).and_then(|digits| {
            digits.iter().try_fold(0u32, |code, &digit| Some(code << 4 | char::from(digit).to_digit(16)?))
        });
        match code {
            Some(code) => {
                out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                rest = &tail[count..];
            }
            None => {
                out.push('\\');
                out.push(char::from(escape));
                rest = tail;
            }
        }
    }
    out
}

fn until_nul(text: &[u8]) -> &[u8] {
    text.split(|&byte| byte == 0).next().unwrap_or_default()
}

fn spelling(text: &[u8]) -> Spelling {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let digits = digits.strip_suffix(b"\r").unwrap_or(digits);
    let plain = !digits.is_empty()
        && digits.iter().all(u8::is_ascii_digit)
        && (digits.len() == 1 || digits.first() != Some(&b'0'));
    if plain { Spelling::Plain } else { Spelling::Odd }
}

/// C's `strtol` with base 0 where it consumes the whole text or stops at a NUL.
fn strtol(text: &[u8]) -> Option<i64> {
    let start = text.iter().position(|&byte| !is_space(byte)).unwrap_or(text.len());
    let (negative, digits) = match text.get(start) {
        Some(b'-') => (true, &text[start + 1..]),
        Some(b'+') => (false, &text[start + 1..]),
        _ => (false, &text[start..]),
    };
    let hexadecimal = digits.len() > 2
        && digits[0] == b'0'
        && matches!(digits[1], b'x' | b'X')
        && digits[2].is_ascii_hexdigit();
    let (radix, digits) = match digits.first() {
        _ if hexadecimal => (16, &digits[2..]),
        Some(b'0') => (8, digits),
        _ => (10, digits),
    };
    let count = digits.iter().position(|&byte| !char::from(byte).is_digit(radix)).unwrap_or(digits.len());
    if count == 0 {
        // Nothing converted: the end pointer is the start of the text, which may be the NUL.
        return (text.first() == Some(&0)).then_some(0);
    }
    if digits.get(count).is_some_and(|&byte| byte != 0) {
        return None;
    }
    let mut value: i64 = 0;
    for &digit in &digits[..count] {
        let digit = i64::from(char::from(digit).to_digit(radix)?);
        value = value.checked_mul(radix.into())?;
        value = if negative { value.checked_sub(digit)? } else { value.checked_add(digit)? };
    }
    Some(value)
}

/// Python's `int(text, base)` for base 0 and 10.
fn python_int(text: &[u8], base: u32) -> Option<Number> {
    let text = trim(text);
    let (negative, digits) = match text.first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let prefixed = (digits.len() > 2 && digits[0] == b'0' && base == 0).then(|| digits[1] | 0x20);
    let (radix, digits) = match prefixed {
        Some(b'x') => (16, &digits[2..]),
        Some(b'o') => (8, &digits[2..]),
        Some(b'b') => (2, &digits[2..]),
        _ => (10, digits),
    };
    // A single underscore may stand between digits and after the prefix.
    let mut after_digit = radix != 10;
    let mut value: Option<i64> = Some(0);
    for &byte in digits {
        if byte == b'_' && after_digit {
            after_digit = false;
            continue;
        }
        let digit = i64::from(char::from(byte).to_digit(radix)?);
        after_digit = true;
        value = value
            .and_then(|value| value.checked_mul(radix.into()))
            .and_then(|value| if negative { value.checked_sub(digit) } else { value.checked_add(digit) });
    }
    after_digit.then_some(value.map_or(Number::Big, Number::Int)).filter(|_| !digits.is_empty())
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn trim(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|&byte| !is_space(byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|&byte| !is_space(byte)).map_or(start, |at| at + 1);
    &text[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_int(text: &str, expected: Option<(Number, Spelling)>) {
        assert_eq!(int(text.as_bytes()), expected, "{text:?}");
    }

    #[test]
    fn integers_are_read_as_strtol_and_python_read_them() {
        check_int("5", Some((Number::Int(5), Spelling::Plain)));
        check_int("-12", Some((Number::Int(-12), Spelling::Plain)));
        check_int("01", Some((Number::Bool(true), Spelling::Plain)));
        check_int("0x1f", Some((Number::Int(31), Spelling::Odd)));
        check_int("  7", Some((Number::Int(7), Spelling::Odd)));
        check_int("010", Some((Number::Int(8), Spelling::Odd)));
        check_int("0b11", Some((Number::Int(3), Spelling::Odd)));
        check_int("1_0", Some((Number::Int(10), Spelling::Odd)));
        check_int("7\0junk", Some((Number::Int(7), Spelling::Odd)));
        check_int("99999999999999999999", Some((Number::Big, Spelling::Plain)));
        check_int("", None);
        check_int("abc", None);
        check_int("1_", None);
    }

    #[test]
    fn strings_lose_quotes_and_escapes() {
        assert_eq!(string(br"'a\x62\143\n'").as_deref(), Some(&b"abc\n"[..]));
        assert_eq!(string(br#""it's""#).as_deref(), Some(&b"it's"[..]));
        assert_eq!(string(b"'a").as_deref(), None);
        assert_eq!(string(b"").as_deref(), None);
    }

    #[test]
    fn raw_unicode_escapes_are_undone() {
        assert_eq!(raw_unicode(br"o\u0073\U0000002e"), "os.");
        assert_eq!(raw_unicode(br"\\u0073\x"), r"\\u0073\x");
    }

    #[test]
    fn memo_keys() {
        assert_eq!(memo_key(b"7"), Some(7));
        assert_eq!(memo_key(b"-1"), None);
        assert!(memo_key(b"99999999999999999999999").is_some());
    }
}
