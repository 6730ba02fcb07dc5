//! ARC001: an entry's name leads out of the folder it is extracted to.

use alnage_formats::{Model, container::AnomalyKind};
use alnage_types::{Confidence, Level, Severity};

use super::anomalies;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "ARC001",
    name: "archive-path-escape",
    summary: "an entry's name leads out of the folder it is extracted to",
    why: "Tools that extract the archive without checking names write this entry wherever its name says: \
          over a start-up file, a module on the import path, another model.",
    remediation: "Do not extract the archive. Get the model from its author as plain files.",
    references: &["CWE-22", "AML.T0011.000", "CWE-23"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a tar whose entry is named `../../.bashrc`",
    check,
};

const KINDS: &[AnomalyKind] = &[AnomalyKind::PathEscape];

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, anomaly) in anomalies(model, KINDS) {
        let entry = &anomaly.entry;
        let finding = sink.report_at(
            artifact,
            (anomaly.offset, anomaly.offset),
            format!("the entry `{entry}` would be written outside the folder it is extracted to"),
            anomaly.detail.as_str(),
        );
        if anomaly.detail.is_empty() {
            finding.evidence = None;
        }
    }
}
