//! SFT004: bytes of a safetensors file that belong to no tensor.

use alnage_formats::{Model, tensor::LayoutFaultKind};
use alnage_types::{Confidence, Level, Severity};

use super::{report_layout, safetensors};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "SFT004",
    name: "safetensors-unclaimed-bytes",
    summary: "bytes of a safetensors file belong to no tensor",
    why: "The format leaves no room between or behind tensors. Bytes there are invisible to loaders and can carry a second file: an archive, a pickle, an executable.",
    remediation: "Get the file again from its publisher and compare digests; a file written by the safetensors library never looks like this.",
    references: &["CWE-20", "CWE-434"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "an ELF file appended to `model.safetensors`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in safetensors(model) {
        report_layout(artifact, &facts.layout_faults, sink, |kind| match kind {
            LayoutFaultKind::Hole => Some("bytes before the tensor belong to none"),
            LayoutFaultKind::Trailing => Some("bytes follow the last tensor"),
            _ => None,
        });
    }
}
