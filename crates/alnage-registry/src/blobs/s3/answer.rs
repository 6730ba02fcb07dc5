//! What stores answer, as far as it is asked for: the texts between a name's tags. Stores are configured, not hostile, and what
//! cannot be read is none.

/// The text of the first element called `name`, wherever it stands.
pub(super) fn text(xml: &str, name: &str) -> Option<String> {
    within(xml, name).next().map(unescaped)
}

/// What stands between the tags of each element called `name`; those within each other are not told apart.
pub(super) fn within<'a>(xml: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut rest = xml;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once(&open)?;
        let (inner, after) = after.split_once(&close)?;
        rest = after;
        Some(inner)
    })
}

/// The five entities of XML, and characters by number.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let Some((entity, next)) = after.split_once(';') else {
            out.push('&');
            rest = after;
            continue;
        };
        let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
        let character = match entity {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => match entity.strip_prefix("#x") {
                Some(digits) => number(digits, 16),
                None => entity.strip_prefix('#').and_then(|digits| number(digits, 10)),
            },
        };
        match character {
            Some(character) => out.push(character),
            None => out.extend(["&", entity, ";"]),
        }
        rest = next;
    }
    out.push_str(rest);
    out
}

/// Text that may stand between tags.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
