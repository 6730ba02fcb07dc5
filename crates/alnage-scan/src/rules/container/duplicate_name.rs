//! ARC004: two entries have one name and different content.

use alnage_formats::{Model, container::AnomalyKind};
use alnage_types::{Confidence, Level, Severity};

use super::anomalies;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "ARC004",
    name: "archive-duplicate-name",
    summary: "two entries have one name and different content",
    why: "PyTorch takes the first, Python's zipfile the last: a scanner that looks at one of them does not \
          see what is loaded. Alnage reads both.",
    remediation: "Treat the archive as made to mislead. Save the model anew with its framework.",
    references: &["CWE-436", "CWE-694", "AML.T0076"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a PyTorch checkpoint with two `archive/data.pkl`",
    check,
};

const KINDS: &[AnomalyKind] = &[AnomalyKind::DuplicateName];

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, anomaly) in anomalies(model, KINDS) {
        let entry = &anomaly.entry;
        let finding = sink.report_at(
            artifact,
            (anomaly.offset, anomaly.offset),
            format!("there is more than one `{entry}`, with different content"),
            anomaly.detail.as_str(),
        );
        if anomaly.detail.is_empty() {
            finding.evidence = None;
        }
    }
}
