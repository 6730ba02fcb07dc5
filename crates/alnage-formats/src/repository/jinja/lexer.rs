//! Cuts a template into text, tags and outputs, and these into words, as Jinja2's lexer does.

/// A part of a template outside plain text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Block {
    pub(super) kind: BlockKind,
    pub(super) tokens: Vec<Token>,
    /// Where the block begins in the template.
    pub(super) start: usize,
    /// Where the plain text after the block ends.
    pub(super) text_end: usize,
    /// Where the block ends.
    pub(super) end: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockKind {
    /// `{% … %}`.
    Tag,
    /// `{{ … }}`.
    Output,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) start: usize,
    pub(super) end: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    Name(String),
    /// Unescaped.
    String(String),
    /// Whole numbers; what is larger is `i64::MAX`.
    Integer(i64),
    Float,
    /// An operator or bracket, as written.
    Operator(&'static str),
}

/// Why cutting stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LexError {
    pub(super) offset: usize,
    pub(super) what: &'static str,
}

/// Longest first.
const OPERATORS: [&str; 31] = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "*", "/", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<",
    "=", ".", ":", "|", ",", ";", "!", "&", "^", "@", "?",
];

/// The blocks of `template` in order, and why cutting stopped before the end, if it did.
pub(super) fn blocks(template: &str) -> (Vec<Block>, Option<LexError>) {
    let mut blocks: Vec<Block> = Vec::new();
    let mut at = 0;
    loop {
        let Some(found) = next_opening(template, at) else {
            close_text(&mut blocks, template.len());
            return (blocks, None);
        };
        close_text(&mut blocks, found);
        let inside = found + 2;
        match template.as_bytes()[found + 1] {
            b'#' => match template[inside..].find("#}") {
                Some(length) => at = inside + length + 2,
                None => return (blocks, Some(LexError { offset: found, what: "a comment without its end" })),
            },
            opening => {
                let (kind, closing) =
                    if opening == b'%' { (BlockKind::Tag, "%}") } else { (BlockKind::Output, "}}") };
                if kind == BlockKind::Tag
                    && let Some(after) = raw(template, inside)
                {
                    match after {
                        Some(end) => at = end,
                        None => {
                            let what = "a `raw` tag without its end";
                            return (blocks, Some(LexError { offset: found, what }));
                        }
                    }
                    continue;
                }
                match block(template, inside, closing) {
                    Ok((tokens, end)) => {
                        blocks.push(Block { kind, tokens, start: found, text_end: end, end });
                        at = end;
                    }
                    Err(error) => return (blocks, Some(error)),
                }
            }
        }
    }
}

fn close_text(blocks: &mut [Block], end: usize) {
    if let Some(last) = blocks.last_mut() {
        last.text_end = last.text_end.max(end);
    }
}

fn next_opening(template: &str, from: usize) -> Option<usize> {
    memchr::memchr_iter(b'{', template.as_bytes().get(from..)?)
        .map(|at| from + at)
        .find(|&at| matches!(template.as_bytes().get(at + 1), Some(b'%' | b'{' | b'#')))
}

/// Whether the tag at `inside` is `raw`: the outer answer; where the text after `endraw` begins: the inner.
fn raw(template: &str, inside: usize) -> Option<Option<usize>> {
    let tag = template[inside..].trim_start_matches(['-', '+']).trim_start().strip_prefix("raw")?;
    let tag = tag.trim_start().trim_start_matches(['-', '+']).strip_prefix("%}")?;
    let mut from = template.len() - tag.len();
    while let Some(at) = template[from..].find("{%") {
        let end = template[from + at + 2..].trim_start_matches(['-', '+']).trim_start();
        if let Some(end) = end.strip_prefix("endraw") {
            let end = end.trim_start().trim_start_matches(['-', '+']);
            if let Some(rest) = end.strip_prefix("%}") {
                return Some(Some(template.len() - rest.len()));
            }
        }
        from += at + 2;
    }
    Some(None)
}

/// The tokens up to `closing` that is not inside brackets, and where the block ends.
fn block(template: &str, inside: usize, closing: &str) -> Result<(Vec<Token>, usize), LexError> {
    let bytes = template.as_bytes();
    let mut tokens = Vec::new();
    let mut at = inside;
    if matches!(bytes.get(at), Some(b'-' | b'+')) {
        at += 1;
    }
    let mut depth = 0_usize;
    while at < bytes.len() {
        let rest = &template[at..];
        if depth == 0 {
            let trimmed = rest.strip_prefix(['-', '+']).unwrap_or(rest);
            if let Some(after) = trimmed.strip_prefix(closing) {
                return Ok((tokens, template.len() - after.len()));
            }
            if let Some(after) = rest.strip_prefix(closing) {
                return Ok((tokens, template.len() - after.len()));
            }
        }
        let first = rest.chars().next().unwrap_or_default();
        let (kind, length) = match first {
            c if c.is_whitespace() => {
                at += c.len_utf8();
                continue;
            }
            '\'' | '"' => string(rest).ok_or(LexError { offset: at, what: "a string without its end" })?,
            '0'..='9' => number(rest),
            c if c.is_alphabetic() || c == '_' => {
                let length = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
                (TokenKind::Name(rest[..length].to_owned()), length)
            }
            _ => {
                let operator = OPERATORS.iter().find(|operator| rest.starts_with(**operator));
                let operator =
                    operator.ok_or(LexError { offset: at, what: "a character Jinja has no use for" })?;
                match *operator {
                    "(" | "[" | "{" => depth += 1,
                    ")" | "]" | "}" => depth = depth.saturating_sub(1),
                    _ => {}
                }
                (TokenKind::Operator(operator), operator.len())
            }
        };
        tokens.push(Token { kind, start: at, end: at + length });
        at += length;
    }
    Err(LexError { offset: inside, what: "a tag without its end" })
}

fn number(rest: &str) -> (TokenKind, usize) {
    let digits = |text: &str| {
        text.find(|c: char| !(c.is_ascii_hexdigit() || c == '_' || c == 'x' || c == 'o'))
            .unwrap_or(text.len())
    };
    let radix = match rest.get(..2) {
        Some("0x" | "0X") => 16,
        Some("0o" | "0O") => 8,
        Some("0b" | "0B") => 2,
        _ => 10,
    };
    if radix != 10 {
        let length = 2 + digits(&rest[2..]);
        let text = rest[2..length].replace('_', "");
        return (TokenKind::Integer(i64::from_str_radix(&text, radix).unwrap_or(i64::MAX)), length);
    }
    let whole = rest.find(|c: char| !(c.is_ascii_digit() || c == '_')).unwrap_or(rest.len());
    let mut length = whole;
    let after = &rest[whole..];
    if after.starts_with('.') && after[1..].starts_with(|c: char| c.is_ascii_digit()) {
        length += 1 + after[1..].find(|c: char| !(c.is_ascii_digit() || c == '_')).unwrap_or(after.len() - 1);
    }
    let exponent = &rest[length..];
    if exponent.starts_with(['e', 'E']) {
        let sign = usize::from(exponent[1..].starts_with(['+', '-']));
        let digits = exponent[1 + sign..].find(|c: char| !c.is_ascii_digit());
        let digits = digits.unwrap_or(exponent.len() - 1 - sign);
        if digits > 0 {
            length += 1 + sign + digits;
        }
    }
    if length > whole {
        return (TokenKind::Float, length);
    }
    (TokenKind::Integer(rest[..whole].replace('_', "").parse().unwrap_or(i64::MAX)), whole)
}

/// The string that `rest` begins with, unescaped, and its length with quotes.
fn string(rest: &str) -> Option<(TokenKind, usize)> {
    let quote = rest.chars().next()?;
    let mut text = String::new();
    let mut characters = rest.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        if character == quote {
            return Some((TokenKind::String(text), at + 1));
        }
        if character != '\\' {
            text.push(character);
            continue;
        }
        let (_, escaped) = characters.next()?;
        let mut coded = |count: usize, first: u32, radix: u32| {
            let mut code = first;
            for _ in 0..count {
                let mut ahead = characters.clone();
                let Some(digit) = ahead.next().and_then(|(_, c)| c.to_digit(radix)) else { break };
                code = code.saturating_mul(radix).saturating_add(digit);
                characters = ahead;
            }
            char::from_u32(code).unwrap_or('\u{fffd}')
        };
        match escaped {
            'n' => text.push('\n'),
            't' => text.push('\t'),
            'r' => text.push('\r'),
            'a' => text.push('\u{7}'),
            'b' => text.push('\u{8}'),
            'f' => text.push('\u{c}'),
            'v' => text.push('\u{b}'),
            '\n' => {}
            'x' => text.push(coded(2, 0, 16)),
            'u' => text.push(coded(4, 0, 16)),
            'U' => text.push(coded(8, 0, 16)),
            '0'..='7' => {
                let first = escaped.to_digit(8).unwrap_or_default();
                text.push(coded(2, first, 8));
            }
            'N' => {
                let name: String = characters.by_ref().map(|(_, c)| c).take_while(|&c| c != '}').collect();
                match name.trim_start_matches('{').to_ascii_uppercase().as_str() {
                    "LOW LINE" | "UNDERSCORE" => text.push('_'),
                    "FULL STOP" => text.push('.'),
                    _ => text.push('\u{fffd}'),
                }
            }
            '\\' | '\'' | '"' => text.push(escaped),
            other => {
                text.push('\\');
                text.push(other);
            }
        }
    }
    None
}
