//! FMT005: a model file without a byte in it.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::name_content_mismatch::promised;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "FMT005",
    name: "empty-model-file",
    summary: "a file named as a model is empty",
    why: "An interrupted download leaves an empty file, and a loader may then fall back to another, less safe one.",
    remediation: "Fetch the file again, or remove it.",
    references: &["CWE-354"],
    severity: Severity::Low,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`model.safetensors` of 0 bytes",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for artifact in model.read_as("empty") {
        if let Some(format) = promised(&artifact.path).iter().find(|format| format.holds_a_model()) {
            sink.report(&artifact.path, format!("named as {} and empty", format.title));
        }
    }
}
