//! PKL015: a declared length beyond the end of the file.

use alnage_formats::{Model, pickle::AnomalyKind};
use alnage_types::{Confidence, Level, Severity};

use super::report_anomalies;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PKL015",
    name: "pickle-declared-length",
    summary: "a declared length beyond the end of the file",
    why: "Readers that allocate before they read can be made to take all memory with a few bytes. A file cut short in transit looks the same.",
    remediation: "Get the file again and compare digests.",
    references: &["CWE-789", "CWE-400"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "BINBYTES8 of 2^60 bytes",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    report_anomalies(
        model,
        sink,
        AnomalyKind::DeclaredLength,
        "a length is declared that the file does not have",
    );
}
