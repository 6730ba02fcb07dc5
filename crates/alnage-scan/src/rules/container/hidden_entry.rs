//! ARC006: entries that the archive's directory does not list, or that follow its end.

use alnage_formats::{Model, container::AnomalyKind};
use alnage_types::{Confidence, Level, Severity};

use super::anomalies;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "ARC006",
    name: "archive-hidden-entry",
    summary: "entries that the archive's directory does not list, or that follow its end",
    why: "Readers that go by the directory do not see these entries; readers that go from the front do. \
          What they hold is analysed as an artifact of its own.",
    remediation: "Treat the archive as made to mislead. Save the model anew with its framework.",
    references: &["CWE-436", "AML.T0076"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a zip with an entry between two others that no directory lists",
    check,
};

const KINDS: &[AnomalyKind] = &[AnomalyKind::HiddenEntry, AnomalyKind::Concatenated];

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, anomaly) in anomalies(model, KINDS) {
        let entry = &anomaly.entry;
        let finding = sink.report_at(
            artifact,
            (anomaly.offset, anomaly.offset),
            format!("the entry `{entry}` is in the archive but most readers do not see it"),
            anomaly.detail.as_str(),
        );
        if anomaly.detail.is_empty() {
            finding.evidence = None;
        }
    }
}
