//! JSON in its canonical form, RFC 8785: what signatures over JSON are made over.

use serde_json::Value;

/// The canonical text of `value`; `None` for a number that JavaScript's numbers cannot hold.
pub(crate) fn canonical(value: &Value) -> Option<String> {
    serde_json_canonicalizer::to_string(value).ok()
}
