//! SFT003: tensors of a safetensors file that share bytes.

use alnage_formats::{Model, tensor::LayoutFaultKind};
use alnage_types::{Confidence, Level, Severity};

use super::{report_layout, safetensors};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "SFT003",
    name: "safetensors-overlap",
    summary: "tensors of a safetensors file share bytes",
    why: "The format forbids it, and lenient loaders accept it: changing one tensor changes another, and weights that were reviewed under one name are used under a second one.",
    remediation: "Get the file again from its publisher and compare digests; a file written by the safetensors library never looks like this.",
    references: &["CWE-20", "https://huggingface.co/docs/safetensors/index#format"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`data_offsets` [0, 16] and [8, 24]",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in safetensors(model) {
        report_layout(artifact, &facts.layout_faults, sink, |kind| match kind {
            LayoutFaultKind::Overlap => Some("shares bytes with another tensor"),
            _ => None,
        });
    }
}
