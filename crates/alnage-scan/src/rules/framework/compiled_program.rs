//! CMP001: a compiled model that only a person can judge.

use alnage_formats::{Model, format};
use alnage_types::{Confidence, Level, Severity};

use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "CMP001",
    name: "compiled-program",
    summary: "the model is compiled code, or has functions of its own, that Alnage does not read",
    why: "Loading such a file runs what is in it: kernels, plug-ins or functions. Alnage recognises the format by its \
          first bytes and can say nothing about the rest.",
    remediation: "Build the file yourself from a model in an open format, or decide by who made it.",
    references: &["CWE-829", "AML.T0011.000"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a TensorRT engine",
    check,
};

/// Formats whose loading runs what is in the file, and that are recognised only.
const UNREAD: &[&str] = &["tensorrt", "executorch", "rknn", "cntk"];

fn check(model: &Model, sink: &mut Sink<'_>) {
    for artifact in model.artifacts.iter().filter(|artifact| UNREAD.contains(&artifact.format)) {
        let title = format(artifact.format).map_or(artifact.format, |format| format.title);
        sink.report(&artifact.path, format!("nothing can be said about what this {title} runs"));
    }
}
