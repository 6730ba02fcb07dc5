//! What a condition reckons with: evidence as it stands, and what was made of it.

use std::{cmp::Ordering, sync::Arc};

use serde_json::Value as Json;

#[derive(Debug, Clone)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(Text<'a>),
    List(List<'a>),
    Map(Map<'a>),
    Type(&'static str),
}

#[derive(Debug, Clone)]
pub(super) enum Text<'a> {
    Given(&'a str),
    Made(Arc<str>),
}

#[derive(Debug, Clone)]
pub(super) enum List<'a> {
    Given(&'a [Json]),
    Made(Arc<Vec<Value<'a>>>),
}

#[derive(Debug, Clone)]
pub(super) enum Map<'a> {
    Given(&'a serde_json::Map<String, Json>),
    Made(Arc<Vec<(Value<'a>, Value<'a>)>>),
}

impl<'a> Value<'a> {
    /// Whole numbers become signed ones, so that `now - 86400` has two of a kind.
    pub(super) fn given(value: &'a Json) -> Self {
        match value {
            Json::Null => Self::Null,
            Json::Bool(truth) => Self::Bool(*truth),
            Json::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => Self::Int(whole),
                (None, Some(real)) => Self::Double(real),
                (None, None) => Self::Null,
            },
            Json::String(text) => Self::Text(Text::Given(text)),
            Json::Array(items) => Self::List(List::Given(items)),
            Json::Object(fields) => Self::Map(Map::Given(fields)),
        }
    }

    pub(super) fn made_text(text: &str) -> Self {
        Self::Text(Text::Made(text.into()))
    }

    pub(super) fn made_list(items: Vec<Self>) -> Self {
        Self::List(List::Made(Arc::new(items)))
    }

    /// The name of its type, as `type()` gives it.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::Text(_) => "string",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Type(_) => "type",
        }
    }

    /// Which comes first; none where two have no order: texts and numbers, or not a number.
    pub(super) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Bool(one), Self::Bool(other)) => Some(one.cmp(other)),
            (Self::Text(one), Self::Text(other)) => Some(one.as_str().cmp(other.as_str())),
            (Self::Double(one), Self::Double(other)) => one.partial_cmp(other),
            (Self::Double(one), _) => order_with_double(other.whole()?, *one).map(Ordering::reverse),
            (_, Self::Double(other)) => order_with_double(self.whole()?, *other),
            _ => Some(self.whole()?.cmp(&other.whole()?)),
        }
    }

    /// A whole number, signed or not.
    pub(super) fn whole(&self) -> Option<i128> {
        match self {
            Self::Int(number) => Some(i128::from(*number)),
            Self::Uint(number) => Some(i128::from(*number)),
            _ => None,
        }
    }
}

/// Orders a whole number, of 65 bits at most, with a real one, without rounding either.
fn order_with_double(whole: i128, real: f64) -> Option<Ordering> {
    // A cast to `i128` cuts off what stands behind the point, and stops at the largest.
    #[expect(clippy::cast_possible_truncation, reason = "the part behind the point is compared below")]
    let cut = (!real.is_nan()).then_some(real.trunc() as i128)?;
    Some(whole.cmp(&cut).then_with(|| 0.0_f64.partial_cmp(&real.fract()).unwrap_or(Ordering::Equal)))
}

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Given(text) => text,
            Self::Made(text) => text,
        }
    }
}

impl<'a> List<'a> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Given(items) => items.len(),
            Self::Made(items) => items.len(),
        }
    }

    pub(super) fn get(&self, at: usize) -> Option<Value<'a>> {
        match self {
            Self::Given(items) => items.get(at).map(Value::given),
            Self::Made(items) => items.get(at).cloned(),
        }
    }
}

impl<'a> Map<'a> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Given(fields) => fields.len(),
            Self::Made(entries) => entries.len(),
        }
    }

    /// What it costs to find a key.
    pub(super) fn lookup_steps(&self) -> usize {
        match self {
            Self::Given(_) => 1,
            Self::Made(entries) => entries.len(),
        }
    }

    /// What stands under a field's name.
    pub(super) fn field(&self, name: &str) -> Option<Value<'a>> {
        match self {
            Self::Given(fields) => fields.get(name).map(Value::given),
            Self::Made(entries) => entries
                .iter()
                .find(|(key, _)| matches!(key, Value::Text(text) if text.as_str() == name))
                .map(|(_, value)| value.clone()),
        }
    }

    /// What stands under a key. Whole numbers are one key, however they are written; 2.0 finds 2.
    pub(super) fn get(&self, key: &Value<'_>) -> Option<Value<'a>> {
        match (self, key) {
            (_, Value::Text(name)) => self.field(name.as_str()),
            (Self::Given(_), _) => None,
            (Self::Made(entries), _) => entries
                .iter()
                .find(|(known, _)| known.order(key).is_some_and(Ordering::is_eq))
                .map(|(_, value)| value.clone()),
        }
    }

    pub(super) fn keys(&self) -> Vec<Value<'a>> {
        match self {
            Self::Given(fields) => fields.keys().map(|key| Value::Text(Text::Given(key))).collect(),
            Self::Made(entries) => entries.iter().map(|(key, _)| key.clone()).collect(),
        }
    }
}
