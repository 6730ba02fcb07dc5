//! Python's string methods and codecs, as far as names and payloads are hidden with them.

use std::io::Read;

use crate::container::is_zlib_header;

/// Longest string that is computed.
const LONGEST: u64 = 8 << 20;

/// Which way a codec goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Encode,
    Decode,
}

fn normal(encoding: &str) -> String {
    encoding.to_ascii_lowercase().replace(['-', ' '], "_")
}

/// Codecs from `str` to `str`.
pub(super) fn is_text_transform(encoding: &str) -> bool {
    matches!(normal(encoding).as_str(), "rot13" | "rot_13")
}

/// Codecs from `bytes` to `bytes`.
pub(super) fn is_binary_transform(encoding: &str) -> bool {
    matches!(
        normal(encoding).trim_end_matches("_codec"),
        "hex" | "base64" | "base_64" | "zlib" | "zip" | "bz2" | "uu" | "quopri"
    )
}

/// The bytes of `bytes` after a codec. Text is UTF-8 on both sides. With `lenient`, what does not fit is left out or
/// replaced, in some way.
pub(super) fn codec(bytes: &[u8], encoding: &str, direction: Direction, lenient: bool) -> Option<Vec<u8>> {
    let encoding = normal(encoding);
    match encoding.trim_end_matches("_codec") {
        _ if lenient && !bytes.is_ascii() => None,
        "utf_8" | "utf8" | "u8" | "utf" | "cp65001" | "ascii" | "us_ascii" | "646" => Some(bytes.to_vec()),
        "utf_8_sig" if direction == Direction::Decode => {
            Some(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).to_vec())
        }
        "cp1252" => bytes.is_ascii().then(|| bytes.to_vec()),
        "latin_1" | "latin1" | "latin" | "l1" | "iso8859_1" | "iso_8859_1" | "8859" | "cp819" | "charmap" => {
            match direction {
                Direction::Encode => match std::str::from_utf8(bytes) {
                    Ok(text) => text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect(),
                    // The bytes of a string of Python 2, which its loader reads as Latin-1.
                    Err(_) => Some(bytes.to_vec()),
                },
                Direction::Decode => {
                    Some(bytes.iter().map(|&byte| char::from(byte)).collect::<String>().into_bytes())
                }
            }
        }
        "rot13" | "rot_13" => Some(bytes.iter().map(|&byte| rot13(byte)).collect()),
        "hex" => unhex(bytes),
        "base64" | "base_64" => base64(bytes, false),
        "zlib" | "zip" | "bz2" => inflate(bytes),
        "unicode_escape" | "string_escape" | "raw_unicode_escape" if direction == Direction::Decode => {
            let raw = encoding.starts_with("raw");
            // A backslash that comes of another one would be read again, and names of characters are not known.
            if !raw && bytes.windows(2).any(|pair| pair == br"\\" || pair == br"\N") {
                return None;
            }
            let unescaped = if raw { bytes.to_vec() } else { super::literal::unescape(bytes)? };
            Some(super::literal::raw_unicode(&unescaped).into_bytes())
        }
        "utf_16" | "utf16" if direction == Direction::Decode => match bytes {
            [0xfe, 0xff, rest @ ..] => utf_16(rest, u16::from_be_bytes),
            [0xff, 0xfe, rest @ ..] => utf_16(rest, u16::from_le_bytes),
            _ => utf_16(bytes, u16::from_le_bytes),
        },
        "utf_16_le" | "utf_16le" if direction == Direction::Decode => utf_16(bytes, u16::from_le_bytes),
        "utf_16_be" | "utf_16be" if direction == Direction::Decode => utf_16(bytes, u16::from_be_bytes),
        "utf_7" | "utf7" if bytes.is_ascii() && !bytes.contains(&b'+') => Some(bytes.to_vec()),
        "idna"
            if bytes.is_ascii() && !bytes.to_ascii_lowercase().windows(4).any(|label| label == b"xn--") =>
        {
            Some(bytes.to_vec())
        }
        _ => None,
    }
}

fn utf_16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<Vec<u8>> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|&pair| unit(pair)).collect();
    rest.is_empty().then(|| String::from_utf16(&units).ok().map(String::into_bytes)).flatten()
}

fn rot13(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => (byte - b'a' + 13) % 26 + b'a',
        b'A'..=b'Z' => (byte - b'A' + 13) % 26 + b'A',
        _ => byte,
    }
}

/// `bytes.fromhex` and `binascii.unhexlify`.
pub(super) fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text
        .iter()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(|&byte| char::from(byte).to_digit(16))
        .collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|pair| (pair[0] << 4 | pair[1]) as u8).collect())
}

/// Base64 as `binascii.a2b_base64` reads it: other characters and padding in the wrong place are skipped, padding where
/// it belongs ends it. `urlsafe` has `-` and `_`, too.
pub(super) fn base64(text: &[u8], urlsafe: bool) -> Option<Vec<u8>> {
    let (mut values, mut padding) = (Vec::with_capacity(text.len()), 0);
    for &byte in text {
        let held = values.len() % 4;
        if byte == b'=' && held >= 2 {
            padding += 1;
            if held + padding >= 4 {
                return pack(values.into_iter(), 6);
            }
        } else if let Some(value) = base64_digit(byte, urlsafe) {
            values.push(value);
            padding = 0;
        }
    }
    values.len().is_multiple_of(4).then(|| pack(values.into_iter(), 6)).flatten()
}

/// Base64 in either alphabet whose end may be missing.
pub(super) fn base64_cut(text: &[u8]) -> Option<Vec<u8>> {
    pack(text.iter().filter_map(|&byte| base64_digit(byte, true)), 6)
}

fn base64_digit(byte: u8, urlsafe: bool) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        b'-' if urlsafe => Some(62),
        b'_' if urlsafe => Some(63),
        _ => None,
    }
}

/// Base32.
pub(super) fn base32(text: &[u8]) -> Option<Vec<u8>> {
    let value = |byte: u8| match byte.to_ascii_uppercase() {
        byte @ b'A'..=b'Z' => Some(byte - b'A'),
        byte @ b'2'..=b'7' => Some(byte - b'2' + 26),
        _ => None,
    };
    pack(text.iter().copied().filter_map(value), 5)
}

fn pack(values: impl Iterator<Item = u8>, width: u32) -> Option<Vec<u8>> {
    let (mut bits, mut count, mut out) = (0u32, 0, Vec::new());
    for value in values {
        bits = bits << width | u32::from(value);
        count += width;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    (!out.is_empty()).then_some(out)
}

/// `base64.a85decode`.
pub(super) fn ascii85(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.strip_prefix(b"<~").unwrap_or(text);
    let text = text.strip_suffix(b"~>").unwrap_or(text);
    let mut digits = Vec::with_capacity(text.len());
    for &byte in text.iter().filter(|byte| !byte.is_ascii_whitespace()) {
        match byte {
            b'z' => digits.extend([0; 5]),
            b'!'..=b'u' => digits.push(byte - b'!'),
            _ => return None,
        }
    }
    radix85(digits)
}

/// `base64.b85decode`.
pub(super) fn base85(text: &[u8]) -> Option<Vec<u8>> {
    const ALPHABET: &[u8; 85] =
        b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
    let digit = |byte: &u8| ALPHABET.iter().position(|letter| letter == byte).map(|at| at as u8);
    radix85(text.iter().map(digit).collect::<Option<_>>()?)
}

fn radix85(mut digits: Vec<u8>) -> Option<Vec<u8>> {
    let missing = (5 - digits.len() % 5) % 5;
    digits.extend(std::iter::repeat_n(84, missing));
    let mut out = Vec::new();
    for group in digits.as_chunks::<5>().0 {
        let value = group.iter().fold(0u64, |value, &digit| value * 85 + u64::from(digit));
        out.extend(u32::try_from(value).ok()?.to_be_bytes());
    }
    out.truncate(out.len().checked_sub(missing)?);
    Some(out)
}

/// Undoes zlib, raw deflate, gzip, bzip2, xz or lzma, whichever it is, up to a limit; a bomb gives nothing.
pub(super) fn inflate(bytes: &[u8]) -> Option<Vec<u8>> {
    inflate_some(bytes, LONGEST as usize).filter(|out| (out.len() as u64) < LONGEST)
}

/// The first bytes that undoing the compression gives, at most `max`.
pub(super) fn inflate_some(bytes: &[u8], max: usize) -> Option<Vec<u8>> {
    let read = |reader: &mut dyn Read| drained(reader, max);
    match bytes {
        [0x1f, 0x8b, ..] => read(&mut flate2::read::MultiGzDecoder::new(bytes)),
        [b'B', b'Z', b'h', ..] => read(&mut bzip2::read::MultiBzDecoder::new(bytes)),
        [0xfd, b'7', b'z', ..] => read(&mut lzma_rust2::XzReader::new(bytes, true)),
        [0x5d, 0, ..] => read(&mut lzma_rust2::LzmaReader::new_mem_limit(bytes, 64 << 10, None).ok()?),
        &[method, flags, ..] if is_zlib_header(method, flags) => {
            read(&mut flate2::read::ZlibDecoder::new(bytes))
        }
        _ => read(&mut flate2::read::DeflateDecoder::new(bytes)),
    }
}

/// Undoes deflate without any header, up to a limit.
pub(super) fn inflate_raw(bytes: &[u8]) -> Option<Vec<u8>> {
    let out = drained(&mut flate2::read::DeflateDecoder::new(bytes), LONGEST as usize);
    out.filter(|out| (out.len() as u64) < LONGEST)
}

/// What comes out of a decompressor before it ends or fails, at most `max` bytes.
fn drained(reader: &mut dyn Read, max: usize) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let fine = reader.take(max as u64).read_to_end(&mut out).is_ok();
    (fine || !out.is_empty()).then_some(out)
}

/// What a template is filled with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Number(i64),
}

impl Part {
    fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
        }
    }

    /// `repr(part)`, where it is simple.
    fn quoted(&self) -> Option<String> {
        match self {
            Self::Text(text) if text.chars().any(|c| !matches!(c, ' '..='~') || matches!(c, '\'' | '\\')) => {
                None
            }
            Self::Text(text) => Some(format!("'{text}'")),
            Self::Number(number) => Some(number.to_string()),
        }
    }
}

/// `repr` of a byte string, where it is simple.
pub(super) fn shown(bytes: &[u8]) -> Option<Vec<u8>> {
    let simple = bytes.iter().all(|&byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'\'' | b'\\'));
    simple.then(|| [b"b'", bytes, b"'"].concat())
}

/// `template % parts` and `template.format(*parts)` with plain fields only.
pub(super) fn fill(template: &str, parts: &[Part], percent: bool) -> Option<String> {
    let mut out = String::new();
    let mut next = 0;
    let mut rest = template;
    let marks: &[char] = if percent { &['%'] } else { &['{', '}'] };
    while let Some(at) = rest.find(marks) {
        let (before, after) = rest.split_at(at);
        let (mark, after) = after.split_at(1);
        out.push_str(before);
        if let Some(tail) = after.strip_prefix(mark) {
            out.push_str(mark);
            rest = tail;
            continue;
        }
        let (field, tail) = match mark {
            "%" => after.split_at_checked(1)?,
            "{" => after.split_once('}')?,
            _ => return None,
        };
        let index = match field {
            "" if !percent => next,
            "s" | "d" | "r" if percent => next,
            // A width or a flag of `%`, not a number of a part.
            _ if percent => return None,
            _ => field.parse().ok()?,
        };
        next += 1;
        let part = parts.get(index)?;
        out.push_str(&if percent && field == "r" { part.quoted()? } else { part.shown() });
        rest = tail;
    }
    out.push_str(rest);
    (out.len() as u64 <= LONGEST).then_some(out)
}

/// What Python takes for space in a `str`; of these, `bytes` have those alone that C has.
fn is_space(c: char) -> bool {
    c.is_ascii_whitespace() || matches!(c, '\x0b' | '\x1c'..='\x1f')
}

/// The parts of `text` between `separator`, or between runs of space, `most` of them cut off at most from either end.
/// `None` where letters beyond ASCII would have to be told apart.
pub(super) fn split(
    text: &str,
    separator: Option<&str>,
    most: Option<usize>,
    from_end: bool,
) -> Option<Vec<String>> {
    if !text.is_ascii() || separator == Some("") {
        return None;
    }
    let owned = |parts: Vec<&str>| Some(parts.into_iter().map(str::to_owned).collect());
    match (separator, most) {
        (Some(separator), None) => owned(text.split(separator).collect()),
        (Some(separator), Some(most)) if from_end => {
            let mut parts: Vec<&str> = text.rsplitn(most.checked_add(1)?, separator).collect();
            parts.reverse();
            owned(parts)
        }
        (Some(separator), Some(most)) => owned(text.splitn(most.checked_add(1)?, separator).collect()),
        (None, None) => owned(text.split(is_space).filter(|part| !part.is_empty()).collect()),
        (None, Some(_)) => None,
    }
}

/// A method of `str`, or of `bytes`, that gives one; `count` is how often at most it replaces. `None` where letters beyond
/// ASCII would have to be told apart: how many there are depends on what the loader takes 8-bit strings for.
pub(super) fn method(
    text: &str,
    name: &str,
    [first, second]: [Option<&str>; 2],
    count: Option<usize>,
    of_bytes: bool,
) -> Option<String> {
    if name == "replace" {
        let (from, to) = (first?, second?);
        if text.len().saturating_mul(to.len().max(1)) as u64 > LONGEST
            || (from.is_empty() && !text.is_ascii())
        {
            return None;
        }
        return Some(match count {
            Some(count) => text.replacen(from, to, count),
            None => text.replace(from, to),
        });
    }
    match name {
        "removeprefix" => return Some(text.strip_prefix(first?).unwrap_or(text).to_owned()),
        "removesuffix" => return Some(text.strip_suffix(first?).unwrap_or(text).to_owned()),
        "__str__" if !of_bytes => return Some(text.to_owned()),
        _ if !text.is_ascii() || first.is_some_and(|first| !first.is_ascii()) => return None,
        _ => {}
    }
    let stripped = |c: char| match first {
        Some(letters) => letters.contains(c),
        None => is_space(c) && !(of_bytes && c >= '\x1c' && c != ' '),
    };
    Some(match name {
        "lower" | "casefold" => text.to_ascii_lowercase(),
        "upper" => text.to_ascii_uppercase(),
        "swapcase" => text
            .chars()
            .map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
            .collect(),
        "capitalize" => {
            let (letter, rest) = text.split_at_checked(1)?;
            letter.to_ascii_uppercase() + &rest.to_ascii_lowercase()
        }
        "strip" => text.trim_matches(stripped).to_owned(),
        "lstrip" => text.trim_start_matches(stripped).to_owned(),
        "rstrip" => text.trim_end_matches(stripped).to_owned(),
        "expandtabs" if !text.contains('\t') => text.to_owned(),
        "__format__" if first.is_none_or(str::is_empty) && !of_bytes => text.to_owned(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codecs_go_back_to_the_name() {
        let check = |bytes: &[u8], encoding: &str, direction| {
            assert_eq!(
                codec(bytes, encoding, direction, false).as_deref(),
                Some(&b"posix"[..]),
                "{encoding}"
            );
        };
        check(b"cbfvk", "rot13", Direction::Decode);
        check(b"706f736978", "hex_codec", Direction::Decode);
        check(b"cG9zaXg=", "base64", Direction::Decode);
        check(br"p\x6fsix", "unicode_escape", Direction::Decode);
        check(b"p\0o\0s\0i\0x\0", "utf-16-le", Direction::Decode);
        check(b"\xfe\xff\0p\0o\0s\0i\0x", "utf-16", Direction::Decode);
        check(b"\xef\xbb\xbfposix", "utf-8-sig", Direction::Decode);
        check(b"posix", "latin-1", Direction::Encode);
        check(b"posix", "idna", Direction::Decode);
        assert_eq!(codec(b"system-", "punycode", Direction::Decode, false), None);
        assert_eq!(codec(b"XN--system-", "idna", Direction::Decode, false), None);
    }

    #[test]
    fn bases_decode_as_python_decodes_them() {
        assert_eq!(base32(b"OBXXG2LY").as_deref(), Some(&b"posix"[..]));
        assert_eq!(base85(b"aBp*Icm").as_deref(), Some(&b"posix"[..]));
        assert_eq!(ascii85(b"<~E,Tf3GQ~>").as_deref(), Some(&b"posix"[..]));
        assert_eq!(unhex(b"70 6F").as_deref(), Some(&b"po"[..]));
        assert_eq!(unhex(b"7"), None);
    }

    #[test]
    fn base64_goes_on_after_what_is_out_of_place() {
        let check = |text: &[u8], urlsafe, expected: Option<&[u8]>| {
            assert_eq!(base64(text, urlsafe).as_deref(), expected, "{}", text.escape_ascii());
        };
        check(b"c3lz-dGVt", false, Some(b"system"));
        check(b"=c3=lzdGVt", false, Some(b"system"));
        check(b"c3lzdGV0aGk=ignored", false, Some(b"systethi"));
        check(b"-_-_", true, Some(b"\xfb\xff\xbf"));
        check(b"c3lzd", false, None);
    }

    #[test]
    fn methods_do_what_those_of_python_do() {
        let check = |name, text, arguments, count, expected: Option<&str>| {
            assert_eq!(
                method(text, name, arguments, count, false).as_deref(),
                expected,
                "{name} of {text:?}"
            );
        };
        check("strip", "\x1f os\x0b\x1c", [None, None], None, Some("os"));
        check("lstrip", "xyos", [Some("yx"), None], None, Some("os"));
        check("strip", "\u{a0}os", [None, None], None, None);
        check("replace", "o#s#", [Some("#"), Some("")], Some(1), Some("os#"));
        check("capitalize", "OS", [None, None], None, Some("Os"));
        check("__format__", "os", [Some(">9"), None], None, None);
        assert_eq!(method("os\x1c", "strip", [None, None], None, true).as_deref(), Some("os\x1c"));
        let os = ["a", "os.path"].map(str::to_owned).to_vec();
        assert_eq!(split("a.os.path", Some("."), Some(1), false), Some(os));
        assert_eq!(split("a b\x1fc", None, None, false).map(|parts| parts.len()), Some(3));
    }

    #[test]
    fn templates_are_filled() {
        let parts = ["os", "system"].map(|part| Part::Text(part.to_owned()));
        assert_eq!(fill("{}.{}", &parts, false).as_deref(), Some("os.system"));
        assert_eq!(fill("{1}.{0}", &parts, false).as_deref(), Some("system.os"));
        assert_eq!(fill("%s.%s", &parts, true).as_deref(), Some("os.system"));
        assert_eq!(fill("%r.%s", &parts, true).as_deref(), Some("'os'.system"));
        assert_eq!(fill("%s.%s.%s", &parts, true), None);
        assert_eq!(fill("%s.%0s", &parts, true), None);
        let braces = [Part::Text("a}}b".to_owned())];
        assert_eq!(fill("{{{}}}", &braces, false).as_deref(), Some("{a}}b}"));
        assert_eq!(fill("{}}", &braces, false), None);
    }
}
