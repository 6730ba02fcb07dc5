//! Computes what constants come to: `''.join(map(chr, […]))`, `base64.b64decode('…')`, `'metsys'[::-1]`.

use std::io::Read;

use super::{
    facts::ArgumentOrigin,
    value::{MAX_CONSTANT, MAX_ITEMS, Value},
};

/// A binary operator on constants.
pub(super) fn binary(operator: &str, left: &Value, right: &Value) -> Option<Value> {
    Some(match (left, operator, right) {
        (Value::Text(a), "+", Value::Text(b)) if a.len() + b.len() <= MAX_CONSTANT => {
            Value::Text(format!("{a}{b}"))
        }
        (Value::Bytes(a), "+", Value::Bytes(b)) if a.len() + b.len() <= MAX_CONSTANT => {
            Value::Bytes([a.as_slice(), b.as_slice()].concat())
        }
        (Value::List(a), "+", Value::List(b)) if a.len() + b.len() <= MAX_ITEMS => {
            Value::List(a.iter().chain(b).cloned().collect())
        }
        (Value::Text(text), "*", Value::Integer(count)) | (Value::Integer(count), "*", Value::Text(text)) => {
            let count = usize::try_from(*count).unwrap_or(0);
            if text.len().checked_mul(count)? > MAX_CONSTANT {
                return None;
            }
            Value::Text(text.repeat(count))
        }
        (Value::Text(pattern), "%", Value::List(values)) => Value::Text(percent(pattern, values)?),
        (Value::Text(pattern), "%", value) => Value::Text(percent(pattern, std::slice::from_ref(value))?),
        (Value::Text(path), "/", Value::Text(more)) => Value::Text(format!("{path}/{more}")),
        (Value::Integer(a), _, Value::Integer(b)) => Value::Integer(match operator {
            "+" => a.checked_add(*b)?,
            "-" => a.checked_sub(*b)?,
            "*" => a.checked_mul(*b)?,
            "//" => a.checked_div_euclid(*b)?,
            "%" => a.checked_rem_euclid(*b)?,
            "^" => a ^ b,
            "&" => a & b,
            "|" => a | b,
            "<<" => a.checked_shl(u32::try_from(*b).ok()?)?,
            ">>" => a.checked_shr(u32::try_from(*b).ok()?)?,
            _ => return None,
        }),
        _ => return None,
    })
}

fn percent(pattern: &str, values: &[Value]) -> Option<String> {
    let mut values = values.iter();
    let mut text = String::new();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            text.push(character);
            continue;
        }
        match characters.next()? {
            '%' => text.push('%'),
            's' | 'd' | 'r' => text.push_str(&plain(values.next()?)?),
            'c' => match values.next()? {
                Value::Integer(code) => text.push(char::from_u32(u32::try_from(*code).ok()?)?),
                other => text.push_str(&other.as_text()?),
            },
            _ => return None,
        }
    }
    Some(text)
}

/// As `str()` writes it.
pub(super) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A method of a constant.
pub(super) fn method(base: &Value, name: &str, arguments: &[Value]) -> Option<Value> {
    let text = |at: usize| arguments.get(at).and_then(Value::as_text);
    Some(match (base, name) {
        (Value::Text(glue), "join") => {
            let parts: Option<Vec<String>> = arguments.first()?.items()?.iter().map(Value::as_text).collect();
            Value::Text(bounded(parts?.join(glue))?)
        }
        (Value::Bytes(glue), "join") => {
            let parts: Option<Vec<Vec<u8>>> = arguments
                .first()?
                .items()?
                .into_iter()
                .map(|item| match item {
                    Value::Bytes(bytes) => Some(bytes),
                    _ => None,
                })
                .collect();
            Value::Bytes(parts?.join(glue.as_slice()))
        }
        (Value::Text(all), "replace") => {
            let (from, to) = (text(0)?, text(1)?);
            if all.len().checked_mul(to.len().max(1))? > MAX_CONSTANT * 4 {
                return None;
            }
            Value::Text(bounded(all.replace(&from, &to))?)
        }
        (Value::Text(all), "lower" | "casefold") => Value::Text(all.to_lowercase()),
        (Value::Text(all), "upper") => Value::Text(all.to_uppercase()),
        (Value::Text(all), "strip") => match text(0) {
            Some(set) => Value::Text(all.trim_matches(|c| set.contains(c)).to_owned()),
            None => Value::Text(all.trim().to_owned()),
        },
        (Value::Text(all), "split") => {
            let parts: Vec<Value> = match text(0).filter(|separator| !separator.is_empty()) {
                Some(separator) => all.split(&separator).map(|part| Value::Text(part.to_owned())).collect(),
                None => all.split_whitespace().map(|part| Value::Text(part.to_owned())).collect(),
            };
            if parts.len() > MAX_ITEMS {
                return None;
            }
            Value::List(parts)
        }
        (Value::Text(all), "encode") => match text(0).as_deref() {
            Some("rot13" | "rot_13") => Value::Text(rot13(all)),
            _ => Value::Bytes(all.as_bytes().to_vec()),
        },
        (Value::Bytes(bytes), "decode") => decode(bytes, text(0).as_deref().unwrap_or("utf-8"))?,
        (Value::Bytes(bytes), "hex") => Value::Text(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
        (Value::Text(pattern), "format") => Value::Text(braces(pattern, arguments)?),
        _ => return None,
    })
}

fn bounded(text: String) -> Option<String> {
    (text.len() <= MAX_CONSTANT).then_some(text)
}

fn braces(pattern: &str, values: &[Value]) -> Option<String> {
    let mut text = String::new();
    let mut next = 0;
    let mut rest = pattern;
    while let Some(open) = rest.find('{') {
        text.push_str(&rest[..open]);
        let close = open + rest[open..].find('}')?;
        let field = &rest[open + 1..close];
        let at = if field.is_empty() { next } else { field.parse().ok()? };
        next = at + 1;
        text.push_str(&plain(values.get(at)?)?);
        rest = &rest[close + 1..];
    }
    text.push_str(rest);
    bounded(text)
}

/// `bytes.decode(codec)` and `codecs.decode(…, codec)`.
fn decode(bytes: &[u8], codec: &str) -> Option<Value> {
    Some(match codec.to_ascii_lowercase().replace('-', "_").as_str() {
        "rot13" | "rot_13" => Value::Text(rot13(&String::from_utf8_lossy(bytes))),
        "hex" | "hex_codec" => Value::Bytes(unhex(bytes)?),
        "base64" | "base64_codec" => Value::Bytes(unbase64(bytes)?),
        "zlib" | "zip" | "zlib_codec" => Value::Bytes(inflate(bytes)?),
        "latin_1" | "latin1" | "iso_8859_1" => {
            Value::Text(bytes.iter().map(|&byte| char::from(byte)).collect())
        }
        "utf_16" | "utf_16_le" => {
            let units: Vec<u16> =
                bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
            Value::Text(String::from_utf16_lossy(&units).trim_start_matches('\u{feff}').to_owned())
        }
        _ => Value::Text(String::from_utf8_lossy(bytes).into_owned()),
    })
}

/// A function of the standard library on constants.
pub(super) fn function(name: &str, arguments: &[Value]) -> Option<Value> {
    let first = arguments.first();
    let bytes = || match first? {
        Value::Bytes(bytes) => Some(bytes.clone()),
        Value::Text(text) => Some(text.clone().into_bytes()),
        _ => None,
    };
    Some(match name {
        "builtins.chr" => Value::Text(char::from_u32(u32::try_from(first?.as_integer()?).ok()?)?.to_string()),
        "builtins.ord" => {
            let text = first?.as_text()?;
            Value::Integer(u32::from(text.chars().next()?).into())
        }
        "builtins.int" => match first? {
            Value::Integer(value) => Value::Integer(*value),
            value => {
                let radix = arguments.get(1).and_then(Value::as_integer).unwrap_or(10);
                let radix = u32::try_from(radix).ok().filter(|radix| (2..=36).contains(radix))?;
                let text = value.as_text()?;
                let digits = text.trim().trim_start_matches("0x");
                Value::Integer(i64::from_str_radix(digits, radix).ok()?)
            }
        },
        "builtins.str" => match (first?, arguments.get(1)) {
            (Value::Bytes(bytes), Some(codec)) => decode(bytes, &codec.as_text()?)?,
            (value, _) => Value::Text(plain(value)?),
        },
        "builtins.bytes" | "builtins.bytearray" => match first? {
            Value::Text(text) => Value::Bytes(text.clone().into_bytes()),
            Value::Bytes(bytes) => Value::Bytes(bytes.clone()),
            Value::List(items) => {
                let bytes: Option<Vec<u8>> =
                    items.iter().map(|item| u8::try_from(item.as_integer()?).ok()).collect();
                Value::Bytes(bytes?)
            }
            _ => return None,
        },
        "builtins.bytes.fromhex"
        | "builtins.bytearray.fromhex"
        | "binascii.unhexlify"
        | "binascii.a2b_hex"
        | "base64.b16decode" => Value::Bytes(unhex(&bytes()?)?),
        "builtins.list" | "builtins.tuple" | "builtins.set" => Value::List(first?.items()?),
        "builtins.reversed" => Value::List(first?.items()?.into_iter().rev().collect()),
        "builtins.range" => {
            let bounds: Option<Vec<i64>> = arguments.iter().map(Value::as_integer).collect();
            let (start, end, step) = match bounds?.as_slice() {
                [end] => (0, *end, 1),
                [start, end] => (*start, *end, 1),
                [start, end, step] if *step > 0 => (*start, *end, *step),
                _ => return None,
            };
            let count = usize::try_from(end.checked_sub(start)?.max(0)).ok()?;
            if count > MAX_ITEMS {
                return None;
            }
            let step = usize::try_from(step).ok()?;
            Value::List((start..end).step_by(step).map(Value::Integer).collect())
        }
        "base64.b64decode"
        | "base64.urlsafe_b64decode"
        | "base64.standard_b64decode"
        | "base64.decodebytes"
        | "base64.decodestring"
        | "binascii.a2b_base64" => Value::Bytes(unbase64(&bytes()?)?),
        "base64.b32decode" => Value::Bytes(unbase32(&bytes()?)?),
        "zlib.decompress" => Value::Bytes(inflate(&bytes()?)?),
        "gzip.decompress" => {
            let mut out = Vec::new();
            let source = bytes()?;
            flate2::read::MultiGzDecoder::new(source.as_slice())
                .take(MAX_CONSTANT as u64)
                .read_to_end(&mut out)
                .ok()?;
            Value::Bytes(out)
        }
        "bz2.decompress" => {
            let mut out = Vec::new();
            let source = bytes()?;
            bzip2::read::BzDecoder::new(source.as_slice())
                .take(MAX_CONSTANT as u64)
                .read_to_end(&mut out)
                .ok()?;
            Value::Bytes(out)
        }
        "codecs.decode" => decode(&bytes()?, &arguments.get(1)?.as_text()?)?,
        "codecs.encode" => match (first?, arguments.get(1)?.as_text()?.as_str()) {
            (Value::Text(text), "rot13" | "rot_13") => Value::Text(rot13(text)),
            _ => return None,
        },
        "os.path.join" | "posixpath.join" => {
            let parts: Option<Vec<String>> = arguments.iter().map(Value::as_text).collect();
            Value::Text(parts?.join("/"))
        }
        "os.path.expanduser" | "os.path.expandvars" | "os.path.abspath" | "pathlib.Path"
        | "pathlib.PurePath" | "pathlib.PosixPath" | "os.fspath" => match arguments {
            [single] => Value::Text(single.as_text()?),
            many => {
                let parts: Option<Vec<String>> = many.iter().map(Value::as_text).collect();
                Value::Text(parts?.join("/"))
            }
        },
        "pathlib.Path.home" => Value::Text("~".to_owned()),
        "tempfile.gettempdir" => Value::Text("/tmp".to_owned()),
        _ => return None,
    })
}

/// Every `step`-th item from `lower` to `upper`, as Python slices.
pub(super) fn slice(
    base: &Value,
    lower: Option<i64>,
    upper: Option<i64>,
    step: Option<i64>,
) -> Option<Value> {
    let items = base.items()?;
    let length = i64::try_from(items.len()).ok()?;
    let step = step.unwrap_or(1);
    let clamp = |at: i64, least: i64, most: i64| (if at < 0 { at + length } else { at }).clamp(least, most);
    let mut picked = Vec::new();
    if step > 0 {
        let mut at = lower.map_or(0, |at| clamp(at, 0, length));
        let end = upper.map_or(length, |at| clamp(at, 0, length));
        while at < end {
            picked.push(items.get(usize::try_from(at).ok()?)?.clone());
            at = at.checked_add(step)?;
        }
    } else if step < 0 {
        let mut at = lower.map_or(length - 1, |at| clamp(at, -1, length - 1));
        let end = upper.map_or(-1, |at| clamp(at, -1, length - 1));
        while at > end {
            picked.push(items.get(usize::try_from(at).ok()?)?.clone());
            at = at.checked_add(step)?;
        }
    }
    Some(match base {
        Value::Text(_) => Value::Text(picked.iter().filter_map(Value::as_text).collect()),
        Value::Bytes(_) => {
            Value::Bytes(picked.iter().filter_map(|item| u8::try_from(item.as_integer()?).ok()).collect())
        }
        _ => Value::List(picked),
    })
}

/// What an unknown result keeps of where its parts come from.
pub(super) fn mixed<'a>(parts: impl Iterator<Item = &'a Value>) -> Value {
    let origin = parts.map(Value::origin).max().unwrap_or(ArgumentOrigin::Computed);
    Value::Unknown(origin.max(ArgumentOrigin::Computed))
}

fn rot13(text: &str) -> String {
    let turn = |c: char, base: u8| char::from((c as u8 - base + 13) % 26 + base);
    text.chars()
        .map(|c| match c {
            'a'..='z' => turn(c, b'a'),
            'A'..='Z' => turn(c, b'A'),
            other => other,
        })
        .collect()
}

fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .iter()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(|&byte| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

fn unbase64(text: &[u8]) -> Option<Vec<u8>> {
    unpack(text, 6, |byte| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    })
}

fn unbase32(text: &[u8]) -> Option<Vec<u8>> {
    unpack(text, 5, |byte| match byte.to_ascii_uppercase() {
        byte @ b'A'..=b'Z' => Some(byte - b'A'),
        byte @ b'2'..=b'7' => Some(byte - b'2' + 26),
        _ => None,
    })
}

/// Digits of `bits` bits each; what is no digit is skipped, as Python does.
fn unpack(text: &[u8], bits: u32, digit: impl Fn(u8) -> Option<u8>) -> Option<Vec<u8>> {
    if text.len() > MAX_CONSTANT {
        return None;
    }
    let mut out = Vec::with_capacity(text.len());
    let (mut held, mut count) = (0_u32, 0_u32);
    for digit in text.iter().take_while(|&&byte| byte != b'=').filter_map(|&byte| digit(byte)) {
        held = (held << bits | u32::from(digit)) & 0xffff;
        count += bits;
        if count >= 8 {
            count -= 8;
            out.push((held >> count) as u8);
        }
    }
    Some(out)
}

fn inflate(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    flate2::read::ZlibDecoder::new(bytes).take(MAX_CONSTANT as u64).read_to_end(&mut out).ok()?;
    Some(out)
}
