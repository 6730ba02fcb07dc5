//! What is too much, and the digest of an input.

use alnage_types::Digest;
use serde_json::Value;

use crate::Error;

/// How deep evidence may nest.
const MAX_DEPTH: usize = 48;
/// How many values evidence may hold.
const MAX_VALUES: usize = 2_000_000;

/// Refuses evidence that is too deep to walk by recursion, or too large to look at.
pub(crate) fn check(value: &Value) -> Result<(), Error> {
    let mut seen = 0_usize;
    let mut open = vec![(value, 0_usize)];
    while let Some((value, depth)) = open.pop() {
        seen += 1;
        if seen > MAX_VALUES {
            return Err(Error::input("", format!("more than {MAX_VALUES} values")));
        }
        if depth > MAX_DEPTH {
            return Err(Error::input("", format!("nested deeper than {MAX_DEPTH}")));
        }
        match value {
            Value::Array(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(fields) => open.extend(fields.values().map(|field| (field, depth + 1))),
            _ => {}
        }
    }
    Ok(())
}

/// The digest of evidence that passed [`check`], whatever the order of its keys.
pub(crate) fn digest(value: &Value) -> Digest {
    let mut text = String::new();
    write_sorted(value, &mut text);
    Digest::of(text.as_bytes())
}

/// Bounded by [`check`], so recursion is too.
fn write_sorted(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_sorted(item, out);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            let mut keys: Vec<&String> = fields.keys().collect();
            keys.sort_unstable();
            out.push('{');
            for (index, key) in keys.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                if let Some(field) = fields.get(key) {
                    write_sorted(field, out);
                }
            }
            out.push('}');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}
