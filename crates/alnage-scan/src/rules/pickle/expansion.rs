//! PKL018: an object that grows without bound when walked.

use alnage_formats::{Model, pickle::AnomalyKind};
use alnage_types::{Confidence, Level, Severity};

use super::report_anomalies;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PKL018",
    name: "pickle-expansion",
    summary: "an object that grows without bound when walked",
    why: "A few bytes of memo references describe an object with billions of elements. Comparing, hashing, copying or printing it never ends.",
    remediation: "Do not load the file.",
    references: &["CWE-400", "CWE-776"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a tuple of ten references to a tuple of ten references, twenty levels deep",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    report_anomalies(
        model,
        sink,
        AnomalyKind::Expansion,
        "references are nested so that walking the object takes exponential time",
    );
}
