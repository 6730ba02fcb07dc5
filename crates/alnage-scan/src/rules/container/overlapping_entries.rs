//! ARC010: entries share bytes.

use alnage_formats::{Model, container::AnomalyKind};
use alnage_types::{Confidence, Level, Severity};

use super::anomalies;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "ARC010",
    name: "archive-overlapping-entries",
    summary: "entries share bytes",
    why: "Ordinary archives never do. It is how a small archive unfolds to petabytes, and how one piece of \
          data is shown under two names.",
    remediation: "Treat the archive as made to mislead. Save the model anew with its framework.",
    references: &["CWE-409", "CWE-436"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a zip with two entries whose data is the same bytes",
    check,
};

const KINDS: &[AnomalyKind] = &[AnomalyKind::Overlap];

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, anomaly) in anomalies(model, KINDS) {
        let entry = &anomaly.entry;
        let finding = sink.report_at(
            artifact,
            (anomaly.offset, anomaly.offset),
            format!("`{entry}` shares bytes with another entry"),
            anomaly.detail.as_str(),
        );
        if anomaly.detail.is_empty() {
            finding.evidence = None;
        }
    }
}
