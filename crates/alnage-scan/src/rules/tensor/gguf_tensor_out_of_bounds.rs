//! GGU004: a GGUF tensor that lies outside its file.

use alnage_formats::{Model, tensor::LayoutFaultKind};
use alnage_types::{Confidence, Level, Severity};

use super::{gguf, report_layout};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "GGU004",
    name: "gguf-tensor-out-of-bounds",
    summary: "a tensor's shape needs more bytes than the file has",
    why: "A loader that trusts the shape reads memory that is not the file's: with Ollama the server's memory, keys and other users' prompts leaked into a new model file. A file cut short in a download looks the same.",
    remediation: "Do not open the file with any loader; get it again from its publisher and compare digests.",
    references: &["CVE-2026-7482", "CVE-2024-21802", "CWE-125", "CWE-190"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a tensor of 2^40 elements in a file of 1 kB",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in gguf(model) {
        report_layout(artifact, &facts.layout_faults, sink, |kind| match kind {
            LayoutFaultKind::OutOfBounds => Some("lies outside the file"),
            LayoutFaultKind::Overflow => Some("has a shape whose size overflows"),
            _ => None,
        });
    }
}
