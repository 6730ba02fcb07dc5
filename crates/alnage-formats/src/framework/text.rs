//! Small helpers over text and bytes that several frameworks' files need.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use alnage_types::{Reader, Source};
use memchr::memmem;

/// `text`, cut to `max` characters with an ellipsis.
pub(super) fn short(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Whether `needle` occurs anywhere in the bytes.
pub(super) fn contains(source: &dyn Source, needle: &[u8]) -> bool {
    if let Some(bytes) = source.as_bytes() {
        return memmem::find(bytes, needle).is_some();
    }
    const STEP: u64 = 32 << 10;
    let finder = memmem::Finder::new(needle);
    let mut position = 0;
    while position < source.len() {
        let mut reader = Reader::at(source, position);
        let Ok(window) = reader.take((STEP + needle.len() as u64).min(reader.remaining())) else {
            return false;
        };
        if finder.find(&window).is_some() {
            return true;
        }
        position += STEP;
    }
    false
}

/// Decodes base64 the way Python's `binascii.a2b_base64` does: what is not of the alphabet is passed over.
pub(super) fn decode_base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' if held > 0 => break,
            _ => continue,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    bytes
}

/// Whether `text` is long enough and of an alphabet that makes decoding it as base64 worth while.
pub(super) fn looks_like_base64(text: &str) -> bool {
    let body = text.trim_end_matches(['=', '\n']);
    body.len() >= 24
        && body.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'\n' | b'\r')
        })
}

/// What a call or a path into the interpreter is written with.
const CALLS: &[&str] = &[
    "__import__",
    "os.system",
    "os.popen",
    "os.execute",
    "io.popen",
    "subprocess.",
    "eval(",
    "exec(",
    "compile(",
    "loadstring(",
    "dofile(",
    "loadfile(",
    "package.loadlib",
    "ffi.load",
    "importlib.",
    "pickle.loads",
    "marshal.loads",
    "Runtime.getRuntime",
    "ProcessBuilder",
    "java.lang.",
    "javax.script",
    "ScriptEngine",
    "system(",
    "popen(",
    "/bin/sh",
    "/bin/bash",
    "cmd.exe",
    "powershell",
    "<script",
    "__globals__",
    "__subclasses__",
    "__builtins__",
    "__reduce",
    "__setstate__",
];

/// Whether a text that should be a name or a value calls into Python, Lua, Java or a shell.
pub(super) fn is_code_like(text: &str) -> bool {
    static FINDER: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| AhoCorasick::new(CALLS).ok());
    let Some(finder) = FINDER.as_ref() else { return false };
    // `retrieval(` and `ecosystem(` are words of their own.
    let starts_a_word = |start: usize| {
        let before = start.checked_sub(1).and_then(|at| text.as_bytes().get(at));
        let first = text.as_bytes().get(start);
        !(first.is_some_and(u8::is_ascii_lowercase) && before.is_some_and(u8::is_ascii_alphanumeric))
    };
    text.len() >= 6 && finder.find_overlapping_iter(text).any(|found| starts_a_word(found.start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_decoded_leniently() {
        for text in ["aGVsbG8gd29ybGQ=", "aGVs\nbG8g d29ybGQ", "aGVsbG8gd29ybGQ=trailing"] {
            assert_eq!(decode_base64(text), b"hello world", "{text}");
        }
    }

    #[test]
    fn text_is_cut_at_characters() {
        assert_eq!(short("äöü", 2), "äö…");
        assert_eq!(short("äöü", 3), "äöü");
    }
}
