//! Links as the schema takes them: RFC 3986 references.

use std::fmt::Write as _;

/// `text` as a web address or a relative reference, with what may not stand in one escaped; `None` when it is
/// neither.
pub(crate) fn reference(text: &str) -> Option<String> {
    let text = text.trim();
    let rest = match text.split_once("://") {
        Some(("http" | "https", rest)) => {
            let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
            if host.is_empty() || !host.bytes().all(fits) {
                return None;
            }
            rest
        }
        Some(_) => return None,
        // A colon in the first segment would make a scheme of what stands before it.
        None if text.is_empty() || text.contains(':') => return None,
        None => text,
    };
    let mut escaped = text.strip_suffix(rest)?.to_owned();
    let mut fragment = false;
    for (at, byte) in rest.bytes().enumerate() {
        let plain = match byte {
            b'%' => is_escape(rest.as_bytes().get(at + 1..at + 3)),
            b'#' => !std::mem::replace(&mut fragment, true),
            _ => byte.is_ascii_alphanumeric() || b"-._~/?:@!$&'()*+,;=".contains(&byte),
        };
        if plain {
            escaped.push(byte.into());
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    Some(escaped)
}

fn is_escape(digits: Option<&[u8]>) -> bool {
    digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}
