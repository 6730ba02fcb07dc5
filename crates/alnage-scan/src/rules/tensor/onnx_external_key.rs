//! ONX007: an ONNX external data reference with a key that no writer writes.

use std::collections::BTreeSet;

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{escaped, onnx};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "ONX007",
    name: "onnx-external-key",
    summary: "an external data reference has an unknown key",
    why: "The `onnx` package sets every key of the reference as an attribute of a Python object. A key of the attacker's choice overwrites that object's methods and fields, which turns loading into writing or running.",
    remediation: "Do not load the model with the `onnx` package before 1.21; ask the publisher for a clean export.",
    references: &["CVE-2025-51480", "CVE-2026-34446", "CWE-915"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`__class__` beside `location`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in onnx(model) {
        let mut reported = BTreeSet::new();
        for tensor in facts.external.iter() {
            for key in tensor.unknown_keys.iter().filter(|key| reported.insert(key.as_str())) {
                let shown = escaped(key);
                let message = format!("the external data of `{}` has the key `{shown}`", tensor.tensor);
                sink.report_at(&artifact.path, tensor.span, message, shown);
            }
        }
    }
}
