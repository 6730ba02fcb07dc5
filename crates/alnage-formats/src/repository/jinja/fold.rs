//! What expressions come to that are built from constants: `'__cl' ~ 'ass__'`, `dict(__cl=a,ass__=b)|join`.

use std::collections::HashMap;

use super::parser::{Arena, Argument, Node, NodeId};

/// Texts longer than this are not followed.
const MAX_TEXT: usize = 4096;
const MAX_ITEMS: usize = 256;

/// What an expression comes to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    List(Vec<Value>),
    Dict(Vec<(Value, Value)>),
    /// Only rendering knows.
    Unknown,
}

impl Value {
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(value) => Some(*value),
            _ => None,
        }
    }

    /// As `~` and `|join` write it.
    fn written(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Integer(value) => Some(value.to_string()),
            _ => None,
        }
    }

    /// What iterating gives: items, keys or characters.
    fn items(&self) -> Option<Vec<Value>> {
        match self {
            Self::List(items) => Some(items.clone()),
            Self::Dict(pairs) => Some(pairs.iter().map(|(key, _)| key.clone()).collect()),
            Self::Text(text) if text.len() <= MAX_ITEMS => {
                Some(text.chars().map(|c| Self::Text(c.to_string())).collect())
            }
            _ => None,
        }
    }
}

/// Values of names and nodes so far.
#[derive(Debug, Default)]
pub(super) struct Folder {
    pub(super) values: Vec<Value>,
    names: HashMap<String, Value>,
}

impl Folder {
    pub(super) fn value(&self, id: NodeId) -> &Value {
        self.values.get(id).unwrap_or(&Value::Unknown)
    }

    pub(super) fn bind(&mut self, name: &str, value: Option<NodeId>) {
        let value = value.map_or(Value::Unknown, |id| self.value(id).clone());
        self.names.insert(name.to_owned(), value);
    }

    pub(super) fn is_bound(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// Folds the nodes up to `end`; parts come before what they are part of, so one pass is enough.
    pub(super) fn fold_until(&mut self, arena: &Arena, end: NodeId, template: &str) {
        while self.values.len() < end {
            let id = self.values.len();
            let value = self.fold(arena, id, template).filter(is_small).unwrap_or(Value::Unknown);
            self.values.push(value);
        }
    }

    fn fold(&self, arena: &Arena, id: NodeId, template: &str) -> Option<Value> {
        Some(match arena.node(id) {
            Node::String(text) => Value::Text(text.clone()),
            Node::Integer(value) => Value::Integer(*value),
            Node::Name(name) => self.names.get(name)?.clone(),
            Node::List(items) => Value::List(items.iter().map(|&item| self.value(item).clone()).collect()),
            Node::Dict(items) => Value::Dict(
                items
                    .chunks_exact(2)
                    .map(|pair| (self.value(pair[0]).clone(), self.value(pair[1]).clone()))
                    .collect(),
            ),
            Node::Attribute(base, name) => match arena.node(*base) {
                Node::Name(base) => self.names.get(&format!("{base}.{name}"))?.clone(),
                _ => return None,
            },
            Node::Subscript(base, index) => self.subscript(arena, *base, *index, template)?,
            Node::Binary(operator, left, right) => binary(operator, self.value(*left), self.value(*right))?,
            Node::Unary("-", operand) => Value::Integer(self.value(*operand).as_integer()?.checked_neg()?),
            Node::Conditional(value, ..) => self.value(*value).clone(),
            Node::Filter(base, name, arguments) => self.method(self.value(*base), name, arguments)?,
            Node::Call(callee, arguments) => match arena.node(*callee) {
                Node::Attribute(base, method) => match (self.value(*base), method.as_str()) {
                    (Value::Text(glue), "join") => {
                        join(&self.value(arguments.first()?.value).items()?, glue)?
                    }
                    (base @ Value::Text(_), _) => self.method(base, method, arguments)?,
                    _ => return None,
                },
                Node::Name(name) if name == "dict" && !self.is_bound(name) => Value::Dict(
                    arguments
                        .iter()
                        .filter_map(|argument| {
                            let key = Value::Text(argument.name.clone()?);
                            Some((key, self.value(argument.value).clone()))
                        })
                        .collect(),
                ),
                Node::Name(name) if name == "namespace" => Value::Unknown,
                _ => return None,
            },
            _ => return None,
        })
    }

    fn subscript(&self, arena: &Arena, base: NodeId, index: NodeId, template: &str) -> Option<Value> {
        if matches!(arena.node(index), Node::Slice(_)) {
            let (start, end) = *arena.spans.get(index)?;
            let slice: String = template.get(start..end)?.chars().filter(|c| !c.is_whitespace()).collect();
            let text = self.value(base).as_text()?;
            return match slice.trim_end_matches(']') {
                "::-1" => Some(Value::Text(text.chars().rev().collect())),
                _ => None,
            };
        }
        match (self.value(base), self.value(index)) {
            (Value::Dict(pairs), key) if *key != Value::Unknown => {
                pairs.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.clone())
            }
            (value @ (Value::List(_) | Value::Text(_)), Value::Integer(at)) => {
                let items = value.items()?;
                let at = if *at < 0 { at.checked_add(i64::try_from(items.len()).ok()?)? } else { *at };
                items.get(usize::try_from(at).ok()?).cloned()
            }
            _ => None,
        }
    }

    /// Filters, and methods of text of the same name.
    fn method(&self, base: &Value, name: &str, arguments: &[Argument]) -> Option<Value> {
        let argument = |at: usize| arguments.get(at).map(|argument| self.value(argument.value));
        let text = |at: usize| argument(at).and_then(Value::as_text);
        Some(match name {
            "join" => join(&base.items()?, text(0).unwrap_or_default())?,
            "reverse" => match base {
                Value::Text(text) => Value::Text(text.chars().rev().collect()),
                other => Value::List(other.items()?.into_iter().rev().collect()),
            },
            "replace" => Value::Text(replace(base.as_text()?, text(0)?, text(1)?)?),
            "lower" => Value::Text(base.as_text()?.to_lowercase()),
            "upper" => Value::Text(base.as_text()?.to_uppercase()),
            "swapcase" => Value::Text(
                base.as_text()?
                    .chars()
                    .map(|c| if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
                    .collect(),
            ),
            "capitalize" => {
                let mut characters = base.as_text()?.chars();
                let first = characters.next().map(|c| c.to_ascii_uppercase());
                Value::Text(first.into_iter().chain(characters.map(|c| c.to_ascii_lowercase())).collect())
            }
            "trim" | "strip" => match text(0) {
                Some(set) => Value::Text(base.as_text()?.trim_matches(|c| set.contains(c)).to_owned()),
                None => Value::Text(base.as_text()?.trim().to_owned()),
            },
            "removeprefix" | "removesuffix" => {
                let (all, part) = (base.as_text()?, text(0)?);
                let rest =
                    if name == "removeprefix" { all.strip_prefix(part) } else { all.strip_suffix(part) };
                Value::Text(rest.unwrap_or(all).to_owned())
            }
            "string" | "safe" | "e" | "escape" | "forceescape" => Value::Text(base.written()?),
            "default" | "d" if *base == Value::Unknown => argument(0)?.clone(),
            "default" | "d" => base.clone(),
            "list" => Value::List(base.items()?),
            "first" => base.items()?.first()?.clone(),
            "last" => base.items()?.last()?.clone(),
            "format" => {
                let values: Vec<&Value> =
                    arguments.iter().map(|argument| self.value(argument.value)).collect();
                let pattern = base.as_text()?;
                let formatted =
                    if pattern.contains('{') { braces(pattern, &values) } else { percent(pattern, &values) };
                Value::Text(formatted?)
            }
            _ => return None,
        })
    }
}

fn is_small(value: &Value) -> bool {
    match value {
        Value::Text(text) => text.len() <= MAX_TEXT,
        Value::List(items) => items.len() <= MAX_ITEMS && items.iter().all(is_flat),
        Value::Dict(pairs) => pairs.len() <= MAX_ITEMS && pairs.iter().all(|(_, value)| is_flat(value)),
        Value::Integer(_) | Value::Unknown => true,
    }
}

/// Lists in lists may hold the same one many times over; they are not followed.
fn is_flat(value: &Value) -> bool {
    match value {
        Value::List(items) => items.len() <= 8 && items.iter().all(|item| !matches!(item, Value::List(_))),
        Value::Dict(_) => false,
        Value::Text(text) => text.len() <= 256,
        Value::Integer(_) | Value::Unknown => true,
    }
}

fn join(items: &[Value], glue: &str) -> Option<Value> {
    let texts: Option<Vec<String>> = items.iter().map(Value::written).collect();
    Some(Value::Text(texts?.join(glue)))
}

fn replace(text: &str, from: &str, to: &str) -> Option<String> {
    let grown = text.len().checked_mul(to.len().max(1))?;
    (grown <= MAX_TEXT * 64).then(|| text.replace(from, to))
}

fn binary(operator: &str, left: &Value, right: &Value) -> Option<Value> {
    Some(match (operator, left, right) {
        ("~", left, right) => Value::Text(left.written()? + &right.written()?),
        ("+", Value::Text(left), Value::Text(right)) => Value::Text(format!("{left}{right}")),
        ("+", Value::List(left), Value::List(right)) => {
            Value::List(left.iter().chain(right).cloned().collect())
        }
        ("+", Value::Integer(left), Value::Integer(right)) => Value::Integer(left.checked_add(*right)?),
        ("-", Value::Integer(left), Value::Integer(right)) => Value::Integer(left.checked_sub(*right)?),
        ("*", Value::Integer(left), Value::Integer(right)) => Value::Integer(left.saturating_mul(*right)),
        ("**", Value::Integer(left), Value::Integer(right)) => {
            let exponent = u32::try_from(*right).unwrap_or(if *right > 0 { u32::MAX } else { 0 });
            Value::Integer(left.saturating_pow(exponent))
        }
        ("*", Value::Text(text), Value::Integer(count)) | ("*", Value::Integer(count), Value::Text(text)) => {
            let count = usize::try_from(*count).ok()?;
            if text.len().checked_mul(count)? > MAX_TEXT {
                return None;
            }
            Value::Text(text.repeat(count))
        }
        ("%", Value::Text(pattern), Value::List(values)) => {
            Value::Text(percent(pattern, &values.iter().collect::<Vec<_>>())?)
        }
        ("%", Value::Text(pattern), value) => Value::Text(percent(pattern, &[value])?),
        ("or", left, _) if *left != Value::Unknown => left.clone(),
        ("or" | "and", _, right) => right.clone(),
        _ => return None,
    })
}

/// Python's `%` formatting with the conversions that build names.
fn percent(pattern: &str, values: &[&Value]) -> Option<String> {
    let mut values = values.iter();
    let mut text = String::new();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            text.push(character);
            continue;
        }
        let conversion =
            characters.find(|c| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | ' ' | '#')))?;
        match (conversion, conversion != '%') {
            (_, false) => text.push('%'),
            ('c', _) => match values.next()? {
                Value::Integer(code) => text.push(char::from_u32(u32::try_from(*code).ok()?)?),
                other => text.push_str(other.as_text()?),
            },
            ('s' | 'd' | 'i', _) => text.push_str(&values.next()?.written()?),
            _ => return None,
        }
    }
    Some(text)
}

/// Python's `str.format` with plain and numbered fields.
fn braces(pattern: &str, values: &[&Value]) -> Option<String> {
    let mut text = String::new();
    let mut next = 0;
    let mut rest = pattern;
    while let Some(open) = rest.find('{') {
        text.push_str(&rest[..open]);
        let close = open + rest[open..].find('}')?;
        let field = &rest[open + 1..close];
        let (name, spec) = field.split_once(':').unwrap_or((field, ""));
        let at = if name.is_empty() { next } else { name.parse().ok()? };
        next = at + 1;
        match (values.get(at)?, spec) {
            (Value::Integer(code), "c") => text.push(char::from_u32(u32::try_from(*code).ok()?)?),
            (value, _) => text.push_str(&value.written()?),
        }
        rest = &rest[close + 1..];
    }
    text.push_str(rest);
    Some(text)
}
