//! ARC005: readers disagree on what the archive's directory is.

use alnage_formats::{Model, container::AnomalyKind};
use alnage_types::{Confidence, Level, Severity};

use super::anomalies;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "ARC005",
    name: "archive-rival-directory",
    summary: "readers disagree on what the archive's directory is",
    why: "A zip is found from its end. With a second end record in the comment, or with counts that lie, \
          one reader sees an empty or harmless archive where another sees the payload. Alnage reads every \
          directory that some reader would take.",
    remediation: "Treat the archive as made to mislead. Save the model anew with its framework.",
    references: &["CWE-436", "AML.T0076"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a zip whose comment holds the end record of another, empty zip",
    check,
};

const KINDS: &[AnomalyKind] = &[AnomalyKind::RivalDirectory];

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, anomaly) in anomalies(model, KINDS) {
        let finding = sink.report_at(
            artifact,
            (anomaly.offset, anomaly.offset),
            "readers disagree on the directory of this archive",
            anomaly.detail.as_str(),
        );
        if anomaly.detail.is_empty() {
            finding.evidence = None;
        }
    }
}
