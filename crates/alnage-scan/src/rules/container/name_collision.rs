//! ARC012: two entries have names that some file systems take for one.

use alnage_formats::{Model, container::AnomalyKind};
use alnage_types::{Confidence, Level, Severity};

use super::anomalies;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "ARC012",
    name: "archive-name-collision",
    summary: "two entries have names that some file systems take for one",
    why: "On Windows and macOS the second entry overwrites the first when extracted; PyTorch's own reader \
          finds names without regard to case.",
    remediation: "Rename one of the entries.",
    references: &["CWE-178"],
    severity: Severity::Low,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a zip with `data.pkl` and `Data.pkl`",
    check,
};

const KINDS: &[AnomalyKind] = &[AnomalyKind::NameCollision];

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, anomaly) in anomalies(model, KINDS) {
        let entry = &anomaly.entry;
        let finding = sink.report_at(
            artifact,
            (anomaly.offset, anomaly.offset),
            format!("`{entry}` has the name of another entry but for its case"),
            anomaly.detail.as_str(),
        );
        if anomaly.detail.is_empty() {
            finding.evidence = None;
        }
    }
}
