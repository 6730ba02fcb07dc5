//! A document in another format, and what of it is lost on the way.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{Format, read, read::parse, write};

/// A converted document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Converted {
    /// The document in the new format.
    pub text: String,
    /// What stands in the old one and nowhere in the new one.
    pub lost: Vec<Lost>,
}

/// A value that has no place in the new format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Where it stood, as a JSON pointer.
    pub pointer: String,
    /// What it was.
    pub value: String,
}

/// Writes the document in `bytes` as `format`, and compares value by value what is left.
pub fn convert(bytes: &[u8], format: Format) -> Result<Converted, crate::ReadError> {
    let (bom, before) = (read(bytes)?, parse(bytes)?);
    let text = write(&bom, format);
    let after = parse(text.as_bytes())?;
    let kept: BTreeSet<String> = leaves(&after).into_iter().map(|(_, value)| value).collect();
    let all: String = kept.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
    let lost = leaves(&before)
        .into_iter()
        .filter(|(pointer, _)| !is_form(pointer))
        // A value may be part of a longer text: a version behind the name of a tool.
        .filter(|(_, value)| !kept.contains(value) && !all.contains(value.as_str()))
        .map(|(pointer, value)| Lost { pointer, value })
        .collect();
    Ok(Converted { text, lost })
}

/// Whether a value belongs to the form of a document, not to what it says.
fn is_form(pointer: &str) -> bool {
    const KEYS: [&str; 17] = [
        "bom-ref",
        "ref",
        "type",
        "$schema",
        "specVersion",
        "bomFormat",
        "spdxId",
        "creationInfo",
        "@id",
        "@context",
        "subject",
        "from",
        "relationshipType",
        "acknowledgement",
        "attributedTo",
        "contentType",
        "profileConformance",
    ];
    let mut keys = pointer.rsplit('/').filter(|key| !key.bytes().all(|byte| byte.is_ascii_digit()));
    let last = keys.next().unwrap_or_default();
    let lists = [
        "dependsOn",
        "to",
        "element",
        "rootElement",
        "subjects",
        "pointers",
        "assemblies",
        "dependencies",
        "createdBy",
        "createdUsing",
    ];
    // Citations and annotations are rewritten, each for its own format.
    KEYS.contains(&last)
        || lists.contains(&last)
        || pointer.starts_with("/citations/")
        || pointer.starts_with("/annotations/")
        || last == "statement"
        // Where the other format has a field, the name of a property is not needed.
        || last == "name" && pointer.contains("/properties/")
        || last == "notes" && pointer.contains("/pedigree/")
}

/// Every text and number with its place.
fn leaves(document: &Value) -> Vec<(String, String)> {
    let mut leaves = Vec::new();
    let mut open = vec![(String::new(), document)];
    while let Some((pointer, value)) = open.pop() {
        match value {
            Value::Object(map) => {
                let inner = map.iter().map(|(key, value)| {
                    (format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")), value)
                });
                open.extend(inner);
            }
            Value::Array(list) => {
                open.extend(list.iter().enumerate().map(|(at, value)| (format!("{pointer}/{at}"), value)));
            }
            Value::String(text) => leaves.push((pointer, text.clone())),
            Value::Number(number) => leaves.push((pointer, number.to_string())),
            Value::Bool(_) | Value::Null => {}
        }
    }
    leaves.sort();
    leaves
}
