//! Manifests in YAML, read into values as Kubernetes reads them: aliases are followed, within bounds.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Number, Value};
use thiserror::Error;

/// Longer text is no manifest.
const MAX_BYTES: usize = 16 << 20;
/// Nodes, with aliases counted as what they stand for.
const MAX_NODES: usize = 500_000;
/// As deep as JSON may be nested where it is read.
const MAX_DEPTH: usize = 120;

/// A document, and the line it begins at.
#[derive(Debug, Clone)]
pub struct Document {
    /// What it holds.
    pub value: Value,
    /// From 1.
    pub line: usize,
}

/// Why text is no manifest.
#[derive(Debug, Error)]
#[error("not YAML at line {line}: {why}")]
pub struct YamlError {
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub why: String,
}

/// The documents in `text`, without the empty ones; JSON is YAML.
pub fn documents(text: &str) -> Result<Vec<Document>, YamlError> {
    let fail = |line: usize, why: &str| YamlError { line, why: why.to_owned() };
    if text.len() > MAX_BYTES {
        return Err(fail(1, "more than 16 MiB"));
    }
    let mut documents = Vec::new();
    let mut builder = Builder::default();
    let mut start = 1;
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| fail(error.marker().line(), error.info()))?;
        let line = span.start.line();
        match event {
            Event::StreamEnd => break,
            Event::DocumentStart(_) => {
                start = line;
                builder = Builder { nodes: builder.nodes, ..Builder::default() };
            }
            Event::DocumentEnd => {
                if let Some(value) = builder.root.take().filter(|value| !value.is_null()) {
                    documents.push(Document { value, line: start });
                }
            }
            event => builder.event(event).map_err(|why| fail(line, why))?,
        }
    }
    Ok(documents)
}

/// A node that is open.
enum Open {
    Sequence { anchor: usize, items: Vec<Value> },
    Mapping { anchor: usize, fields: Map<String, Value>, key: Option<String>, merged: Vec<Value> },
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, (Value, usize)>,
    root: Option<Value>,
    nodes: usize,
}

impl Builder {
    fn event(&mut self, event: Event<'_>) -> Result<(), &'static str> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = style != ScalarStyle::Plain || tag.is_some_and(|tag| tag.suffix == "str");
                let value = if is_text { Value::String(text.into_owned()) } else { plain(&text) };
                self.close(value, anchor)
            }
            Event::Alias(anchor) => {
                let (value, nodes) = self.anchors.get(&anchor).cloned().ok_or("an alias of nothing")?;
                self.count(nodes)?;
                self.close(value, 0)
            }
            Event::SequenceStart(anchor, _) => self.begin(Open::Sequence { anchor, items: Vec::new() }),
            Event::MappingStart(anchor, _) => {
                self.begin(Open::Mapping { anchor, fields: Map::new(), key: None, merged: Vec::new() })
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open::Sequence { anchor, items }) => self.close(Value::Array(items), anchor),
                Some(Open::Mapping { anchor, mut fields, merged, .. }) => {
                    for (key, value) in merged.into_iter().flat_map(mappings) {
                        fields.entry(key).or_insert(value);
                    }
                    self.close(Value::Object(fields), anchor)
                }
                None => Err("an end without a beginning"),
            },
            _ => Ok(()),
        }
    }

    fn begin(&mut self, open: Open) -> Result<(), &'static str> {
        if self.open.len() >= MAX_DEPTH {
            return Err("nested too deeply");
        }
        self.open.push(open);
        Ok(())
    }

    fn count(&mut self, nodes: usize) -> Result<(), &'static str> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MAX_NODES { Err("more nodes than a manifest has") } else { Ok(()) }
    }

    /// A whole node was read.
    fn close(&mut self, value: Value, anchor: usize) -> Result<(), &'static str> {
        self.count(1)?;
        if anchor != 0 {
            // What an anchor stands for is counted once more wherever it is named.
            let nodes = size(&value);
            if depth(&value) + self.open.len() > MAX_DEPTH {
                return Err("nested too deeply");
            }
            self.anchors.insert(anchor, (value.clone(), nodes));
        }
        match self.open.last_mut() {
            None => self.root = Some(value),
            Some(Open::Sequence { items, .. }) => items.push(value),
            Some(Open::Mapping { fields, key, merged, .. }) => match key.take() {
                None => *key = Some(key_text(&value).ok_or("a key that is no scalar")?),
                Some(key) if key == "<<" => merged.push(value),
                Some(key) => {
                    if fields.insert(key, value).is_some() {
                        return Err("a key that is there twice");
                    }
                }
            },
        }
        Ok(())
    }
}

/// The fields that a merge key brings.
fn mappings(value: Value) -> Vec<(String, Value)> {
    match value {
        Value::Object(fields) => fields.into_iter().collect(),
        Value::Array(items) => items
            .into_iter()
            .flat_map(|item| match item {
                Value::Object(fields) => fields.into_iter().collect(),
                _ => Vec::new(),
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn key_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(_) | Value::Object(_) => None,
        other => Some(other.to_string()),
    }
}

/// How many nodes `value` has.
fn size(value: &Value) -> usize {
    let mut nodes = 0_usize;
    let mut rest = vec![value];
    while let Some(value) = rest.pop() {
        nodes = nodes.saturating_add(1);
        match value {
            Value::Array(items) => rest.extend(items),
            Value::Object(fields) => rest.extend(fields.values()),
            _ => {}
        }
    }
    nodes
}

/// How deeply `value` is nested.
fn depth(value: &Value) -> usize {
    let mut deepest = 0;
    let mut rest = vec![(value, 1)];
    while let Some((value, depth)) = rest.pop() {
        deepest = deepest.max(depth);
        match value {
            Value::Array(items) => rest.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(fields) => rest.extend(fields.values().map(|field| (field, depth + 1))),
            _ => {}
        }
    }
    deepest
}

/// A scalar without quotes.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Value::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Value::Bool(false),
        _ => {
            if let Ok(number) = text.parse::<i64>() {
                return Value::Number(number.into());
            }
            let is_number = text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first));
            let number = text.parse::<f64>().ok().filter(|_| is_number).and_then(Number::from_f64);
            number.map_or_else(|| Value::String(text.to_owned()), Value::Number)
        }
    }
}
