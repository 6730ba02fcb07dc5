//! PKL012: a number that blinds strict readers.

use alnage_formats::{Model, pickle::AnomalyKind};
use alnage_types::{Confidence, Level, Severity};

use super::report_anomalies;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PKL012",
    name: "pickle-odd-number",
    summary: "a number that blinds strict readers",
    why: "CPython reads text numbers with `strtol`, so hexadecimal, octal and blanks pass; `pickletools` and the scanners built on it stop there and see nothing of what follows.",
    remediation: "Treat the file as hostile: no pickler writes this.",
    references: &["CWE-436", "AML.T0015"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`I0x1` before the payload",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    report_anomalies(
        model,
        sink,
        AnomalyKind::OddNumber,
        "a number is spelled so that strict readers stop at it and CPython reads on",
    );
}
