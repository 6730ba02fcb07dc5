//! Programs that a string carries: a pickle, a code object, an archive, also behind compression and text encodings.

use std::borrow::Cow;

use alnage_types::MemorySource;

use super::{
    identify::{self, Place},
    text,
};
use crate::marshal;

/// How many layers of compression and encoding are taken off to see whether there is a program behind them.
const MAX_LAYERS: usize = 4;
/// How much of each layer is looked at.
const GLANCE: usize = 256 << 10;

/// Whether something that carries a program could begin with `head`. Cheap, and wrong now and then.
pub(super) fn may_begin(head: &[u8]) -> bool {
    identify::may_begin(head) || is_archive(head) || is_compressed(head) || is_code(head) || is_encoded(head)
}

/// Whether `bytes` carry a program.
pub(super) fn is_program(bytes: &[u8]) -> bool {
    let mut layer = Cow::Borrowed(bytes);
    for _ in 0..MAX_LAYERS {
        let program = is_archive(&layer)
            || is_code(&layer) && marshal::module(&layer).is_some()
            || identify::may_begin(&layer)
                && identify::is_pickle(&MemorySource::new(&*layer), 0, Place::Anywhere);
        if program {
            return true;
        }
        let glance = &layer[..layer.len().min(GLANCE)];
        let next = if is_compressed(glance) { text::inflate_some(glance, GLANCE) } else { decoded(glance) };
        match next {
            Some(next) if !next.is_empty() => layer = Cow::Owned(next),
            _ => return false,
        }
    }
    false
}

/// The program that `bytes`, of which [`is_program`] holds, carry behind text encodings; archives and compressed streams
/// within are left to their own readers unless they hide another encoding.
pub(super) fn unwrapped(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut found = None;
    let mut layer = Cow::Borrowed(bytes);
    for _ in 0..MAX_LAYERS {
        let next = if is_compressed(&layer) { text::inflate(&layer) } else { decoded(&layer) };
        let Some(next) = next else { break };
        if !is_compressed(&layer) {
            found = Some(next.clone());
        }
        layer = Cow::Owned(next);
    }
    found
}

/// What `text` is when it is base64 or hexadecimal from end to end.
pub(super) fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    if !is_encoded(text) {
        return None;
    }
    let text = text.trim_ascii();
    let (digits, fill) = match text.iter().position(|&byte| byte == b'=') {
        Some(end) => text.split_at(end),
        None => (text, &[][..]),
    };
    let padded = fill.len() <= 2 || fill.iter().all(|&byte| byte == b'=' || byte.is_ascii_whitespace());
    if !padded {
        return None;
    }
    let all = |wanted: fn(u8) -> bool| digits.iter().all(|&byte| wanted(byte) || byte.is_ascii_whitespace());
    if all(|byte| byte.is_ascii_hexdigit()) {
        // What is cut to a glance may end within a byte.
        let even = digits.len() - digits.iter().filter(|byte| byte.is_ascii_hexdigit()).count() % 2;
        return text::unhex(&digits[..even]);
    }
    all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_'))
        .then(|| text::base64_cut(digits))
        .flatten()
}

/// Bytes that open an archive or a native program.
fn is_archive(head: &[u8]) -> bool {
    [&b"PK\x03\x04"[..], b"\x7fELF", b"MZ\x90\0", b"7z\xbc\xaf\x27\x1c"]
        .iter()
        .any(|magic| head.starts_with(magic))
}

fn is_compressed(head: &[u8]) -> bool {
    matches!(
        head,
        [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..]
            | [0x1f, 0x8b, 8, ..]
            | [b'B', b'Z', b'h', b'1'..=b'9', ..]
            | [0xfd, b'7', b'z', b'X', ..]
            | [0x5d, 0, 0, ..]
    )
}

/// A marshalled code object: few arguments are rare, more than 255 unheard of. Or the header of a `.pyc`.
fn is_code(head: &[u8]) -> bool {
    matches!(head, [0xe3 | 0x63, _, 0, 0, 0, ..] | [_, _, b'\r', b'\n', ..])
}

/// Base64 or hexadecimal of one of the above.
pub(super) fn is_encoded(head: &[u8]) -> bool {
    const HEXADECIMAL: &[&[u8]] = &[
        b"8000", b"8001", b"8002", b"8003", b"8004", b"8005", b"504b", b"7f45", b"1f8b", b"789c", b"78da",
        b"7801", b"785e", b"425a", b"fd37", b"377a", b"5d00", b"e300", b"e301", b"e302", b"e303", b"6300",
    ];
    match head {
        // Pickle with a header; zip; ELF; 7z; gzip; bzip2; xz; PE.
        [b'g', b'A', b'A'..=b'X', ..]
        | [b'U', b'E', b's', b'D', ..]
        | [b'f', b'0', b'V', b'M', ..]
        | [b'N', b'3', b'q', b'8', ..]
        | [b'H', b'4', b's', b'I', ..]
        | [b'Q', b'l', b'p', b'o', ..]
        | [b'/' | b'_', b'T', b'd', b'6', ..]
        | [b'T', b'V', b'q', b'Q', ..] => true,
        // zlib; a code object; pickles that begin with GLOBAL or MARK.
        [b'e', b'J' | b'N' | b'A' | b'F', ..]
        | [b'4' | b'Y', b'w', ..]
        | [b'Y', b'0'..=b'3' | b'x'..=b'z', ..]
        | [b'K', b'A'..=b'P', ..] => true,
        // The same encoded twice.
        [b'Z', b'0' | b'j' | b'U', ..]
        | [b'V', b'U' | b'F', ..]
        | [b'T', b'j', ..]
        | [b'S', b'D' | b'0' | b'1', ..]
        | [b'U', b'W', ..]
        | [b'L' | b'X', b'1', ..]
        | [b'N', b'H', ..]
        | [b'W', b'T' | b'X', ..] => true,
        _ => {
            let head = head.get(..4).unwrap_or_default().to_ascii_lowercase();
            HEXADECIMAL.contains(&head.as_slice())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: bool) {
        assert_eq!(may_begin(bytes) && is_program(bytes), expected, "{}", bytes.escape_ascii());
    }

    #[test]
    fn programs_are_seen_through_their_layers() {
        check(b"cposix\nsystem\n(S'id'\ntR.", true);
        check(b"\x80\x04cposix\nsystem\nX\x02\0\0\0id\x85R.", true);
        check(b"Y3Bvc2l4CnN5c3RlbQooUydpZCcKdFIu", true);
        check(b"gARjcG9zaXgKc3lzdGVtClgCAAAAaWSFUi4=", true);
        check(b"gARjcG9zaXgKc3lz\ndGVtClgCAAAAaWSFUi4=\n", true);
        check(b"800463706f7369780a73797374656d0a58020000006964855 22e", true);
        check(b"PK\x03\x04whatever", true);
        check(b"UEsDBBQAAAAIAAAAAAAAAAAA", true);
    }

    #[test]
    fn pictures_keys_and_words_are_no_programs() {
        // PNG, JPEG, an SSH key, a certificate, a digest, ordinary words.
        check(b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ", false);
        check(b"/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgICAgMC", false);
        check(b"AAAAB3NzaC1yc2EAAAADAQABAAABAQC7vbqajDhA4kWC", false);
        check(b"MIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUF", false);
        check(b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", false);
        check(b"KAFKAESQUE_AND_KINDRED_WORDS_IN_A_VOCABULARY", false);
        check(b"Yesterday we went to the sea and it rained", false);
        check(b"eJustAWordThatBeginsLikeZlib", false);
        check(&b"gA".repeat(200_000), false);
    }
}
