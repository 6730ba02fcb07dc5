//! Places in a JSON value: patterns that find them, and pointers that name them.

use serde_json::Value;

/// A pattern finds at most so many places.
const MAX_FOUND: usize = 2048;

/// Every place in `value` that `pattern` fits, with its JSON pointer. `spec.*.uris[*].uri`: a key, any key, each element.
pub(crate) fn find<'v>(value: &'v Value, base: &str, pattern: &str) -> Vec<(String, &'v Value)> {
    let mut found = vec![(base.to_owned(), value)];
    for segment in segments(pattern) {
        let mut next = Vec::new();
        for (at, value) in found {
            match (segment, value) {
                ("[*]", Value::Array(items)) => {
                    let items = items.iter().enumerate();
                    next.extend(items.map(|(index, item)| (format!("{at}/{index}"), item)));
                }
                ("*", Value::Object(fields)) => {
                    next.extend(fields.iter().map(|(key, field)| (step(&at, key), field)));
                }
                (key, Value::Object(fields)) => {
                    next.extend(fields.get(key).map(|field| (step(&at, key), field)))
                }
                _ => {}
            }
            next.truncate(MAX_FOUND);
        }
        found = next;
    }
    found
}

/// The pointer to `key` in the object at `at`.
pub(crate) fn step(at: &str, key: &str) -> String {
    if key.contains(['~', '/']) {
        format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"))
    } else {
        format!("{at}/{key}")
    }
}

/// The segments of a pattern; a key with dots in it stands in quotes.
fn segments(pattern: &str) -> Vec<&str> {
    let mut segments = Vec::new();
    for (index, part) in pattern.split('\'').enumerate() {
        if index % 2 == 1 {
            segments.push(part);
            continue;
        }
        for segment in part.split('.').filter(|segment| !segment.is_empty()) {
            match segment.strip_suffix("[*]") {
                Some("") => segments.push("[*]"),
                Some(key) => segments.extend([key, "[*]"]),
                None => segments.push(segment),
            }
        }
    }
    segments
}

/// The string in the field `key` of `value`.
pub(crate) fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key)?.as_str()
}

/// The elements of the array in the field `key` of `value`, with their pointers.
pub(crate) fn items<'v>(value: &'v Value, at: &str, key: &str) -> Vec<(String, &'v Value)> {
    let items = value.get(key).and_then(Value::as_array).into_iter().flatten();
    items.enumerate().take(MAX_FOUND).map(|(index, item)| (format!("{at}/{key}/{index}"), item)).collect()
}
