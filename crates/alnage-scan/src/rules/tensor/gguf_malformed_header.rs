//! GGU002: a GGUF header that breaks the format's rules.

use alnage_formats::{Model, tensor::gguf::GgufFaultKind};
use alnage_types::{Confidence, Level, Severity};

use super::gguf;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "GGU002",
    name: "gguf-malformed-header",
    summary: "the header, metadata or tensor table of a GGUF file is malformed",
    why: "Strict loaders refuse such a file; lenient ones read beyond it or make up what is missing. A file cut short in a download looks the same.",
    remediation: "Do not open the file with any loader; get it again from its publisher and compare digests.",
    references: &["CWE-20", "CWE-125"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a tensor with five dimensions",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in gguf(model) {
        for fault in &facts.faults {
            let words = match fault.kind {
                GgufFaultKind::CountBeyondFile => "a count goes beyond the file",
                GgufFaultKind::UnknownValueType => "a value has a type that does not exist",
                GgufFaultKind::BadAlignment => "the alignment is no power of two",
                GgufFaultKind::TooManyDimensions => "a tensor has more dimensions than loaders have room for",
                GgufFaultKind::LongTensorName => "a tensor's name is longer than loaders have room for",
                _ => continue,
            };
            sink.report_at(&artifact.path, (fault.start, fault.end), words, fault.detail.clone());
        }
    }
}
