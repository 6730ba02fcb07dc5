//! GGU003: a key or tensor name that stands twice in a GGUF file.

use alnage_formats::{Model, tensor::gguf::GgufFaultKind};
use alnage_types::{Confidence, Level, Severity};

use super::gguf;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "GGU003",
    name: "gguf-repeated-key",
    summary: "a metadata key or tensor name stands more than once",
    why: "Loaders differ in which of two equal keys they take: the reviewer's tool shows one chat template, the loader uses the other.",
    remediation: "Do not open the file with any loader; get it again from its publisher and compare digests.",
    references: &["CWE-694", "CWE-436"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`tokenizer.chat_template` twice",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in gguf(model) {
        for fault in &facts.faults {
            let words = match fault.kind {
                GgufFaultKind::RepeatedKey => "a metadata key stands more than once",
                GgufFaultKind::RepeatedTensor => "a tensor's name stands more than once",
                _ => continue,
            };
            sink.report_at(&artifact.path, (fault.start, fault.end), words, fault.detail.clone());
        }
    }
}
