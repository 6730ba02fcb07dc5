//! Documents of keys and values, read as a stream of events: the same for JSON and YAML, never a tree in memory.

mod json;
mod path;
mod yaml;

#[cfg(test)]
mod tests;

pub(crate) use json::{looks_like_json, read_json};
pub(crate) use path::{Path, Segment};
pub(crate) use yaml::{read_yaml, read_yaml_text};

/// A value without parts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scalar<'a> {
    Null,
    Bool(bool),
    /// As written.
    Number(&'a str),
    String(&'a str),
}

impl<'a> Scalar<'a> {
    pub(crate) fn as_str(&self) -> Option<&'a str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Number(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// As a person would write it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Number(text) => (*text).to_owned(),
            Self::String(text) => (*text).to_owned(),
        }
    }
}

/// Takes the events of a document.
pub(crate) trait Receiver {
    /// An object or array begins at `path`; the root's path is empty.
    fn open(&mut self, path: &Path);

    /// A scalar stands at `path`, which begins at byte `offset`.
    fn scalar(&mut self, path: &Path, value: Scalar<'_>, offset: u64);

    /// The object at `path`'s parent has this key a second time.
    fn duplicate(&mut self, path: &Path, offset: u64);

    /// A node has a tag of its own (`!!python/object:os.system`).
    fn tag(&mut self, path: &Path, tag: &str, offset: u64);
}
