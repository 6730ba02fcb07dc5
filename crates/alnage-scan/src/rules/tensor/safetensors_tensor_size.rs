//! SFT005: a tensor of a safetensors file whose bytes do not fit its shape.

use alnage_formats::{Model, tensor::LayoutFaultKind};
use alnage_types::{Confidence, Level, Severity};

use super::{report_layout, safetensors};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "SFT005",
    name: "safetensors-tensor-size",
    summary: "a tensor's bytes are not as many as its shape and type need",
    why: "A loader that trusts the shape reads beyond the tensor, or wraps around when the product overflows.",
    remediation: "Get the file again from its publisher and compare digests; a file written by the safetensors library never looks like this.",
    references: &["CWE-131", "CWE-190"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "shape [2, 2] of F32 over 8 bytes",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in safetensors(model) {
        report_layout(artifact, &facts.layout_faults, sink, |kind| match kind {
            LayoutFaultKind::SizeMismatch => Some("has not as many bytes as its shape needs"),
            LayoutFaultKind::Overflow => Some("has a shape that no whole number of bytes holds"),
            LayoutFaultKind::UnknownType => Some("has an element type the format does not know"),
            _ => None,
        });
    }
}
