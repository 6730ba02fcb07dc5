//! GGU001: a count in a GGUF file made to overflow.

use alnage_formats::{Model, tensor::gguf::GgufFaultKind};
use alnage_types::{Confidence, Level, Severity};

use super::gguf;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "GGU001",
    name: "gguf-count-overflow",
    summary: "a count or length is larger than any file can hold",
    why: "Loaders multiply such counts by the size of an entry before they allocate. The product wraps around, the buffer is too small, and the entries are written beyond it: memory corruption, up to running the attacker's code.",
    remediation: "Do not open the file with any loader; get it again from its publisher and compare digests.",
    references: &[
        "CVE-2024-23496",
        "CVE-2024-21802",
        "CVE-2024-21825",
        "CVE-2024-21836",
        "CVE-2024-23605",
        "CWE-190",
        "CWE-122",
        "AML.T0018",
    ],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a metadata count of 2^61",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in gguf(model) {
        for fault in &facts.faults {
            let words = match fault.kind {
                GgufFaultKind::CountOverflow => "a count is larger than any file can hold",
                _ => continue,
            };
            sink.report_at(&artifact.path, (fault.start, fault.end), words, fault.detail.clone());
        }
    }
}
