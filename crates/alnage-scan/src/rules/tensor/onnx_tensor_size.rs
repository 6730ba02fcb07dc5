//! ONX008: an ONNX tensor whose bytes do not fit its shape.

use alnage_formats::{Model, tensor::LayoutFaultKind};
use alnage_types::{Confidence, Level, Severity};

use super::{onnx, report_layout};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "ONX008",
    name: "onnx-tensor-size",
    summary: "a tensor's bytes are not as many as its shape and type need",
    why: "A loader that trusts the shape reads beyond the tensor, or wraps around when the product overflows.",
    remediation: "Get the file again from its publisher and compare digests; exporters never write this.",
    references: &["CWE-131", "CWE-190", "CWE-125"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "shape [2, 3] of float32 over 16 bytes",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in onnx(model) {
        report_layout(artifact, &facts.tensor_faults, sink, |kind| match kind {
            LayoutFaultKind::SizeMismatch => Some("has not as many bytes as its shape needs"),
            LayoutFaultKind::Overflow => Some("has a shape that is negative or too large"),
            LayoutFaultKind::UnknownType => Some("has an element type that does not exist"),
            _ => None,
        });
    }
}
