//! What an expression comes to, as far as the file alone says.

use super::facts::ArgumentOrigin;

/// Constants longer than this are not followed.
pub(super) const MAX_CONSTANT: usize = 1 << 20;
/// Lists longer than this are not followed.
pub(super) const MAX_ITEMS: usize = 1 << 13;

/// What an expression comes to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// A module or something in one, by its dotted name.
    Named(String),
    /// What a call of that name returns.
    Result(String),
    /// A function or lambda of the file.
    Function(usize),
    /// A class of the file.
    Class(usize),
    /// An instance of a class of the file.
    Instance(usize),
    Text(String),
    Bytes(Vec<u8>),
    Integer(i64),
    List(Vec<Value>),
    Dict(Vec<(Value, Value)>),
    /// `operator.attrgetter('system')`.
    Getter(String),
    /// Not known, but where it comes from may be.
    Unknown(ArgumentOrigin),
}

impl Value {
    pub(super) const COMPUTED: Self = Self::Unknown(ArgumentOrigin::Computed);

    /// The dotted name it is.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            _ => None,
        }
    }

    /// As text: bytes too, since functions take either.
    pub(super) fn as_text(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        }
    }

    pub(super) fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(value) => Some(*value),
            _ => None,
        }
    }

    /// Where it comes from.
    pub(super) fn origin(&self) -> ArgumentOrigin {
        match self {
            Self::Text(_) | Self::Bytes(_) | Self::Integer(_) => ArgumentOrigin::Constant,
            Self::List(items) => items.iter().map(Self::origin).max().unwrap_or(ArgumentOrigin::Constant),
            Self::Dict(items) => {
                items.iter().map(|(_, value)| value.origin()).max().unwrap_or(ArgumentOrigin::Constant)
            }
            Self::Unknown(origin) => *origin,
            Self::Result(name) if super::sinks::fetches(name) => ArgumentOrigin::Network,
            Self::Result(name) if super::sinks::decodes(name) => ArgumentOrigin::Decoded,
            Self::Result(name) if name == "builtins.open" || name == "io.open" => ArgumentOrigin::File,
            _ => ArgumentOrigin::Computed,
        }
    }

    /// What iterating gives.
    pub(super) fn items(&self) -> Option<Vec<Value>> {
        match self {
            Self::List(items) => Some(items.clone()),
            Self::Dict(items) => Some(items.iter().map(|(key, _)| key.clone()).collect()),
            Self::Bytes(bytes) if bytes.len() <= MAX_ITEMS => {
                Some(bytes.iter().map(|&byte| Self::Integer(byte.into())).collect())
            }
            Self::Text(text) if text.len() <= MAX_ITEMS => {
                Some(text.chars().map(|c| Self::Text(c.to_string())).collect())
            }
            _ => None,
        }
    }

    /// Of two things a name may stand for, the one worth following.
    pub(super) fn or_graver(self, other: Self) -> Self {
        let rank = |value: &Self| match value {
            Self::Named(name) if super::sinks::action(name).is_some() => 4,
            Self::Function(_) | Self::Class(_) => 3,
            Self::Named(_) | Self::Getter(_) => 2,
            Self::Unknown(_) => 0,
            _ => 1,
        };
        if rank(&other) > rank(&self) { other } else { self }
    }

    /// As a person may read it.
    pub(super) fn shown(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.chars().take(300).collect()),
            Self::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).chars().take(300).collect()),
            Self::Integer(value) => Some(value.to_string()),
            Self::List(items) => {
                let parts: Vec<String> = items
                    .iter()
                    .take(16)
                    .map(|item| item.shown().unwrap_or_else(|| "…".to_owned()))
                    .collect();
                Some(parts.join(" ").chars().take(300).collect())
            }
            _ => None,
        }
    }
}
