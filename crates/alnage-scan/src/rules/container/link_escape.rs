//! ARC002: a link in the archive leads out of the folder it is extracted to.

use alnage_formats::{Model, container::AnomalyKind};
use alnage_types::{Confidence, Level, Severity};

use super::anomalies;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "ARC002",
    name: "archive-link-escape",
    summary: "a link in the archive leads out of the folder it is extracted to",
    why: "Once the link is extracted, whatever is written or read through it lands outside: a later entry \
          can overwrite any file, and a loader can be made to read one.",
    remediation: "Do not extract the archive. Get the model from its author as plain files.",
    references: &["CWE-59", "CWE-61", "AML.T0011.000"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a tar with a symbolic link `weights -> /etc`",
    check,
};

const KINDS: &[AnomalyKind] = &[AnomalyKind::LinkEscape];

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, anomaly) in anomalies(model, KINDS) {
        let entry = &anomaly.entry;
        let finding = sink.report_at(
            artifact,
            (anomaly.offset, anomaly.offset),
            format!("the link `{entry}` leads out of the folder it is extracted to"),
            anomaly.detail.as_str(),
        );
        if anomaly.detail.is_empty() {
            finding.evidence = None;
        }
    }
}
