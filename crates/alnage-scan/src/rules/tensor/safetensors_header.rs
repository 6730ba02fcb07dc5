//! SFT001: a safetensors header that breaks the format's rules.

use alnage_formats::{Model, tensor::safetensors::HeaderFaultKind};
use alnage_types::{Confidence, Level, Severity};

use super::safetensors;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "SFT001",
    name: "safetensors-malformed-header",
    summary: "the header of a safetensors file is malformed",
    why: "The header says where every tensor lies. One that is longer than the file, longer than loaders allow, or no plain table of tensors makes strict loaders fail and lenient ones read something else than was reviewed.",
    remediation: "Get the file again from its publisher and compare digests; a file written by the safetensors library never looks like this.",
    references: &["CWE-20", "CWE-1284", "https://huggingface.co/docs/safetensors/index#format"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a header length of 2^39 in a file of 100 bytes",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in safetensors(model) {
        for fault in &facts.header_faults {
            let (severity, what) = match fault.kind {
                HeaderFaultKind::LengthBeyondFile => (Severity::Medium, "the header ends beyond the file"),
                HeaderFaultKind::TooLong => (Severity::Medium, "the header is longer than loaders take"),
                HeaderFaultKind::NotTensors => (Severity::Medium, "the header is no table of tensors"),
                HeaderFaultKind::LeadingWhiteSpace => (Severity::Low, "the header starts with white space"),
                HeaderFaultKind::UnknownKey => {
                    (Severity::Low, "a tensor's entry has a key the format does not know")
                }
                HeaderFaultKind::MetadataNotText => (Severity::Low, "a metadata value is no string"),
                HeaderFaultKind::NameLeadsOut => {
                    (Severity::Medium, "a tensor's name is a path that leads out of a folder")
                }
                HeaderFaultKind::NameWithControls => {
                    (Severity::Medium, "a tensor's name has control characters")
                }
                HeaderFaultKind::RepeatedKey => continue,
            };
            let at = (fault.start, fault.end);
            sink.report_at(&artifact.path, at, what, fault.detail.clone()).severity = severity;
        }
    }
}
