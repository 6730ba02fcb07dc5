//! ARC007: an entry is not packed the way it says.

use alnage_formats::{Model, container::AnomalyKind};
use alnage_types::{Confidence, Level, Severity};

use super::anomalies;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "ARC007",
    name: "archive-false-declaration",
    summary: "an entry is not packed the way it says",
    why: "A scanner that believes the declared method, size or encryption gives up or reads something \
          else, while a lenient loader reads the payload. Alnage reads the entry the way it really is.",
    remediation: "Treat the archive as made to mislead. Save the model anew with its framework.",
    references: &["CWE-436", "CVE-2025-1945", "AML.T0076"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a zip entry that is stored as it is but says method 99",
    check,
};

const KINDS: &[AnomalyKind] =
    &[AnomalyKind::FalseMethod, AnomalyKind::FalseEncryption, AnomalyKind::WrongSize];

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, anomaly) in anomalies(model, KINDS) {
        let entry = &anomaly.entry;
        let finding = sink.report_at(
            artifact,
            (anomaly.offset, anomaly.offset),
            format!("`{entry}` is not packed the way its header says"),
            anomaly.detail.as_str(),
        );
        if anomaly.detail.is_empty() {
            finding.evidence = None;
        }
    }
}
