//! ARC013: an entry is a device, a pipe, or a folder with content.

use alnage_formats::{Model, container::AnomalyKind};
use alnage_types::{Confidence, Level, Severity};

use super::anomalies;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "ARC013",
    name: "archive-special-file",
    summary: "an entry is a device, a pipe, or a folder with content",
    why: "Models consist of regular files. A device or pipe that is extracted can block or feed whoever \
          opens it; a folder with content is skipped by many scanners.",
    remediation: "Do not extract the archive. Save the model anew with its framework.",
    references: &["CWE-67", "AML.T0076"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a tar with a named pipe `model.bin`",
    check,
};

const KINDS: &[AnomalyKind] = &[AnomalyKind::SpecialFile, AnomalyKind::DirectoryWithContent];

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, anomaly) in anomalies(model, KINDS) {
        let entry = &anomaly.entry;
        let finding = sink.report_at(
            artifact,
            (anomaly.offset, anomaly.offset),
            format!("`{entry}` is no regular file"),
            anomaly.detail.as_str(),
        );
        if anomaly.detail.is_empty() {
            finding.evidence = None;
        }
    }
}
