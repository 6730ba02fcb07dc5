//! Python's string methods and codecs, as far as names and payloads are hidden with them.

use std::io::Read;

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

/// The bytes of `bytes` after a codec. Text is UTF-8 on both sides.
pub(super) fn codec(bytes: &[u8], encoding: &str, direction: Direction) -> Option<Vec<u8>> {
    let encoding = normal(encoding);
    match encoding.trim_end_matches("_codec") {
        "utf_8" | "utf8" | "u8" | "utf" | "cp65001" | "ascii" | "us_ascii" | "646" | "utf_8_sig" => {
            Some(bytes.to_vec())
        }
        "latin_1" | "latin1" | "latin" | "l1" | "iso8859_1" | "iso_8859_1" | "8859" | "cp819" | "cp1252"
        | "charmap" => match direction {
            Direction::Encode => match std::str::from_utf8(bytes) {
                Ok(text) => text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect(),
                // The bytes of a string of Python 2, which its loader reads as Latin-1.
                Err(_) => Some(bytes.to_vec()),
            },
            Direction::Decode => {
                Some(bytes.iter().map(|&byte| char::from(byte)).collect::<String>().into_bytes())
            }
        },
        "rot13" | "rot_13" => Some(bytes.iter().map(|&byte| rot13(byte)).collect()),
        "hex" => unhex(bytes),
        "base64" | "base_64" => base64(bytes),
        "zlib" | "zip" | "bz2" => inflate(bytes),
        "unicode_escape" | "string_escape" | "raw_unicode_escape" if direction == Direction::Decode => {
            let unescaped =
                if encoding.starts_with("raw") { bytes.to_vec() } else { super::literal::unescape(bytes)? };
            Some(super::literal::raw_unicode(&unescaped).into_bytes())
        }
        "utf_16" | "utf_16_le" | "utf16" | "utf_16le" | "utf_16_be" | "utf_16be" => {
            let big = encoding.ends_with("be");
            match direction {
                Direction::Decode => {
                    let (pairs, _) = bytes.as_chunks::<2>();
                    let units: Vec<u16> = pairs
                        .iter()
                        .map(|&pair| if big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) })
                        .collect();
                    let text = String::from_utf16(&units).ok()?;
                    Some(text.trim_start_matches('\u{feff}').as_bytes().to_vec())
                }
                Direction::Encode => None,
            }
        }
        "utf_7" | "utf7" if bytes.is_ascii() && !bytes.contains(&b'+') => Some(bytes.to_vec()),
        "idna" | "punycode" if bytes.is_ascii() => Some(bytes.to_vec()),
        _ => None,
    }
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

/// Base64 in both alphabets; other characters are skipped, as Python skips them.
pub(super) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    };
    pack(text.iter().copied().take_while(|&byte| byte != b'=').filter_map(value), 6)
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
    let mut out = Vec::new();
    let mut read = |reader: &mut dyn Read| reader.take(max as u64).read_to_end(&mut out).is_ok();
    let fine = match bytes {
        [0x1f, 0x8b, ..] => read(&mut flate2::read::MultiGzDecoder::new(bytes)),
        [b'B', b'Z', b'h', ..] => read(&mut bzip2::read::MultiBzDecoder::new(bytes)),
        [0xfd, b'7', b'z', ..] => read(&mut lzma_rust2::XzReader::new(bytes, true)),
        [0x5d, 0, ..] => read(&mut lzma_rust2::LzmaReader::new_mem_limit(bytes, 64 << 10, None).ok()?),
        [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => read(&mut flate2::read::ZlibDecoder::new(bytes)),
        _ => read(&mut flate2::read::DeflateDecoder::new(bytes)),
    };
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

/// `template % parts` and `template.format(*parts)` with plain fields only.
pub(super) fn fill(template: &str, parts: &[Part], percent: bool) -> Option<String> {
    let mut out = String::new();
    let mut next = 0;
    let mut rest = template;
    let marker = if percent { '%' } else { '{' };
    while let Some((before, after)) = rest.split_once(marker) {
        out.push_str(before);
        if let Some(tail) = after.strip_prefix(marker) {
            out.push(marker);
            rest = tail;
            continue;
        }
        let (field, tail) = if percent { after.split_at_checked(1)? } else { after.split_once('}')? };
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
    if out.len() as u64 > LONGEST {
        return None;
    }
    Some(if percent { out } else { out.replace("}}", "}") })
}

/// A method of `str` that gives a `str`.
pub(super) fn method(text: &str, name: &str, first: Option<&str>, second: Option<&str>) -> Option<String> {
    let set = |text: &str, c: char| text.contains(c);
    Some(match name {
        "replace" => {
            let (from, to) = (first?, second?);
            let grown = text.len().saturating_mul(to.len().max(1));
            if grown as u64 > LONGEST {
                return None;
            }
            text.replace(from, to)
        }
        "lower" | "casefold" => text.to_lowercase(),
        "upper" => text.to_uppercase(),
        "swapcase" => text
            .chars()
            .map(|c| if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
            .collect(),
        "capitalize" => {
            let mut letters = text.chars();
            letters.next()?.to_uppercase().chain(letters.flat_map(char::to_lowercase)).collect()
        }
        "strip" => match first {
            Some(letters) => text.trim_matches(|c| set(letters, c)).to_owned(),
            None => text.trim().to_owned(),
        },
        "lstrip" => match first {
            Some(letters) => text.trim_start_matches(|c| set(letters, c)).to_owned(),
            None => text.trim_start().to_owned(),
        },
        "rstrip" => match first {
            Some(letters) => text.trim_end_matches(|c| set(letters, c)).to_owned(),
            None => text.trim_end().to_owned(),
        },
        "removeprefix" => text.strip_prefix(first?).unwrap_or(text).to_owned(),
        "removesuffix" => text.strip_suffix(first?).unwrap_or(text).to_owned(),
        "__str__" | "expandtabs" | "__format__" => text.to_owned(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codecs_go_back_to_the_name() {
        let check = |bytes: &[u8], encoding: &str, direction| {
            assert_eq!(codec(bytes, encoding, direction).as_deref(), Some(&b"posix"[..]), "{encoding}");
        };
        check(b"cbfvk", "rot13", Direction::Decode);
        check(b"706f736978", "hex_codec", Direction::Decode);
        check(b"cG9zaXg=", "base64", Direction::Decode);
        check(br"p\x6fsix", "unicode_escape", Direction::Decode);
        check(b"p\0o\0s\0i\0x\0", "utf-16-le", Direction::Decode);
        check(b"posix", "latin-1", Direction::Encode);
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
    fn templates_are_filled() {
        let parts = ["os", "system"].map(|part| Part::Text(part.to_owned()));
        assert_eq!(fill("{}.{}", &parts, false).as_deref(), Some("os.system"));
        assert_eq!(fill("{1}.{0}", &parts, false).as_deref(), Some("system.os"));
        assert_eq!(fill("%s.%s", &parts, true).as_deref(), Some("os.system"));
        assert_eq!(fill("%r.%s", &parts, true).as_deref(), Some("'os'.system"));
        assert_eq!(fill("%s.%s.%s", &parts, true), None);
        assert_eq!(fill("%s.%0s", &parts, true), None);
    }
}
