//! GGU005: GGUF tensors that do not lie as the format demands.

use alnage_formats::{Model, tensor::LayoutFaultKind};
use alnage_types::{Confidence, Level, Severity};

use super::{gguf, report_layout};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "GGU005",
    name: "gguf-layout",
    summary: "tensors overlap, leave gaps, or have an unknown element type",
    why: "Loaders that check refuse such a file. Overlapping tensors make one change another; gaps and trailing bytes can carry a second file.",
    remediation: "Do not open the file with any loader; get it again from its publisher and compare digests.",
    references: &["CWE-20"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "two tensors at the same offset",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in gguf(model) {
        report_layout(artifact, &facts.layout_faults, sink, |kind| match kind {
            LayoutFaultKind::Overlap => Some("shares bytes with another tensor"),
            LayoutFaultKind::Hole => Some("bytes before the tensor belong to none"),
            LayoutFaultKind::Trailing => Some("bytes follow the last tensor"),
            LayoutFaultKind::SizeMismatch => Some("has rows that are no whole number of blocks"),
            LayoutFaultKind::UnknownType => Some("has an element type that is not known"),
            LayoutFaultKind::Misaligned => Some("starts off the file's alignment"),
            _ => None,
        });
    }
}
