//! What a record says about tensors and metadata of any format: short, whatever the file's size.

use std::{collections::BTreeMap, ops::Range};

use serde::Serialize;

/// How much of a name or value stands in a record.
const MAX_TEXT: usize = 256;
/// How many metadata entries stand in a record.
const MAX_ENTRIES: usize = 128;

/// What the tensors of one element type add up to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ElementTotals {
    /// How many tensors.
    pub tensors: u64,
    /// How many elements in all of them.
    pub parameters: u64,
    /// How many bytes they take.
    pub bytes: u64,
}

impl ElementTotals {
    /// Adds a tensor.
    pub(crate) fn add(&mut self, parameters: u64, bytes: u64) {
        self.tensors += 1;
        self.parameters = self.parameters.saturating_add(parameters);
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// Totals by element type. At most a hundred types are told apart: a hostile file can name any number.
pub(crate) fn add_to(
    totals: &mut BTreeMap<String, ElementTotals>,
    element: &str,
    parameters: u64,
    bytes: u64,
) {
    const MAX_TYPES: usize = 100;
    if totals.len() < MAX_TYPES || totals.contains_key(element) {
        totals.entry(shortened(element)).or_default().add(parameters, bytes);
    }
}

/// One tensor as a record shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TensorSummary {
    /// Its name, shortened.
    pub name: String,
    /// Its element type as the format spells it.
    pub dtype: String,
    /// Its dimensions, at most 16 of them.
    pub shape: Vec<u64>,
}

impl TensorSummary {
    pub(crate) fn new(name: &str, dtype: &str, shape: &[u64]) -> Self {
        let shape = shape.iter().take(16).copied().collect();
        Self { name: shortened(name), dtype: shortened(dtype), shape }
    }
}

/// A key of the file's metadata and its value, both shortened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MetadataEntry {
    /// The key.
    pub key: String,
    /// The value as text.
    pub value: String,
    /// The bytes of the file it stands in, for whoever must show where a fact comes from.
    #[serde(skip)]
    pub span: (u64, u64),
}

/// Keeps an entry for the record, as long as there are not too many.
pub(crate) fn keep_entry(entries: &mut Vec<MetadataEntry>, key: &str, value: &str, at: Range<u64>) {
    if entries.len() < MAX_ENTRIES {
        let span = (at.start, at.end);
        entries.push(MetadataEntry { key: shortened(key), value: shortened(value), span });
    }
}

/// `text`, cut after [`MAX_TEXT`] bytes.
pub(crate) fn shortened(text: &str) -> String {
    if text.len() <= MAX_TEXT {
        return text.to_owned();
    }
    let end = (0..=MAX_TEXT).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    format!("{}…", text.get(..end).unwrap_or_default())
}
