//! TFG002: operations of other libraries.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{quote, tensorflow};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "TFG002",
    name: "tensorflow-custom-operation",
    summary: "a TensorFlow graph needs operations of another library",
    why: "Operations with a name space come from a native library that must be loaded first, and that library runs \
          with all rights of the process.",
    remediation: "Take the library from the project that makes it, never from beside the model.",
    references: &["CWE-829"],
    severity: Severity::Low,
    confidence: Confidence::High,
    level: Level::Default,
    example: "the operation `Addons>Gelu`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in tensorflow(model) {
        let custom: Vec<String> = facts
            .operations
            .keys()
            .filter(|name| name.contains('>') && !name.starts_with("IO>"))
            .take(8)
            .map(|name| quote(name, 80))
            .collect();
        if let Some(first) = custom.first() {
            let message = format!("the graph needs operations of another library: `{first}`");
            sink.report(&artifact.path, message).evidence = Some(custom.join(", "));
        }
    }
}
