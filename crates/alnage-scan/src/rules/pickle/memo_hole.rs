//! PKL024: memo numbers with a hole that no pickler leaves.

use alnage_formats::{Model, pickle::AnomalyKind};
use alnage_types::{Confidence, Level, Severity};

use super::report_anomalies;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PKL024",
    name: "pickle-memo-hole",
    summary: "two runs of memo numbers far apart",
    why: "Picklers number what they remember one after another. Tools that splice a program into another pickle move its numbers far away, so that they do not meet those of the host.",
    remediation: "Compare the file with the one its author published, and see what the part with the high numbers does.",
    references: &["CWE-506", "AML.T0018"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`LONG_BINPUT 286326784` in a pickle of a hundred values",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    report_anomalies(
        model,
        sink,
        AnomalyKind::MemoHole,
        "values are remembered under two runs of numbers far apart, as when a pickle was spliced into another",
    );
}
