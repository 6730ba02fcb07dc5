//! SFT006: a tensor of a safetensors file that lies outside it.

use alnage_formats::{Model, tensor::LayoutFaultKind};
use alnage_types::{Confidence, Level, Severity};

use super::{report_layout, safetensors};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "SFT006",
    name: "safetensors-out-of-bounds",
    summary: "a tensor lies outside the file",
    why: "A loader that trusts the offsets reads memory that is not the file's. A file cut short in a download looks the same.",
    remediation: "Get the file again from its publisher and compare digests; a file written by the safetensors library never looks like this.",
    references: &["CWE-125"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`data_offsets` [0, 4096] of 16 bytes",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in safetensors(model) {
        report_layout(artifact, &facts.layout_faults, sink, |kind| match kind {
            LayoutFaultKind::OutOfBounds => Some("lies outside the file"),
            _ => None,
        });
    }
}
