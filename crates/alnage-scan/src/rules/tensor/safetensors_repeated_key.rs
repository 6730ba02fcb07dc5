//! SFT002: a key that stands twice in a safetensors header.

use alnage_formats::{Model, tensor::safetensors::HeaderFaultKind};
use alnage_types::{Confidence, Level, Severity};

use super::safetensors;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "SFT002",
    name: "safetensors-repeated-key",
    summary: "a key stands more than once in a safetensors header",
    why: "JSON parsers differ in which of two equal keys they take. With a repeated key the reviewer's tool and the loader see different tensors or metadata in the same file.",
    remediation: "Get the file again from its publisher and compare digests; a file written by the safetensors library never looks like this.",
    references: &["CWE-694", "CWE-436"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: r#"`{"a": {…}, "a": {…}}`"#,
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in safetensors(model) {
        for fault in &facts.header_faults {
            if fault.kind == HeaderFaultKind::RepeatedKey {
                let message = format!("`{}` stands more than once in the header", fault.detail);
                sink.report_at(&artifact.path, (fault.start, fault.end), message, fault.detail.clone());
            }
        }
    }
}
