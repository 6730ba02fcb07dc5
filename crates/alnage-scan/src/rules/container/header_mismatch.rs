//! ARC003: an entry's own header contradicts the archive's directory.

use alnage_formats::{Model, container::AnomalyKind};
use alnage_types::{Confidence, Level, Severity};

use super::anomalies;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "ARC003",
    name: "archive-header-mismatch",
    summary: "an entry's own header contradicts the archive's directory",
    why: "Loaders believe one of the two, scanners the other, so a payload passes the scanner and is still \
          loaded: PyTorch ignores the entry's own name and flags, other readers refuse them. Ordinary \
          writers write the same twice.",
    remediation: "Treat the archive as made to mislead. Save the model anew with its framework.",
    references: &["CWE-436", "CVE-2025-1944", "CVE-2025-1945", "AML.T0076"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a PyTorch checkpoint whose `data.pkl` is called `data_pkl` in its own header",
    check,
};

const KINDS: &[AnomalyKind] = &[
    AnomalyKind::NameMismatch,
    AnomalyKind::MethodMismatch,
    AnomalyKind::FlagMismatch,
    AnomalyKind::SizeMismatch,
    AnomalyKind::AmbiguousName,
];

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, anomaly) in anomalies(model, KINDS) {
        let entry = &anomaly.entry;
        let finding = sink.report_at(
            artifact,
            (anomaly.offset, anomaly.offset),
            format!("`{entry}` is described differently by its own header"),
            anomaly.detail.as_str(),
        );
        if anomaly.detail.is_empty() {
            finding.evidence = None;
        }
    }
}
