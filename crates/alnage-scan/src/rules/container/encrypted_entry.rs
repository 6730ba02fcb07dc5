//! ARC008: an entry is encrypted.

use alnage_formats::{Model, container::AnomalyKind};
use alnage_types::{Confidence, Level, Severity};

use super::anomalies;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "ARC008",
    name: "archive-encrypted-entry",
    summary: "an entry is encrypted",
    why: "What is encrypted cannot be vetted. No framework writes encrypted models; encryption keeps \
          scanners out until a person types the password.",
    remediation: "Decrypt the archive and vet what is inside.",
    references: &["AML.T0076"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a zip protected by a password",
    check,
};

const KINDS: &[AnomalyKind] = &[AnomalyKind::Encrypted];

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, anomaly) in anomalies(model, KINDS) {
        let entry = &anomaly.entry;
        let finding = sink.report_at(
            artifact,
            (anomaly.offset, anomaly.offset),
            format!("`{entry}` is encrypted, so its content is unknown"),
            anomaly.detail.as_str(),
        );
        if anomaly.detail.is_empty() {
            finding.evidence = None;
        }
    }
}
