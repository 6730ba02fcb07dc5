//! PKL013: a frame that ends inside an operand.

use alnage_formats::{Model, pickle::AnomalyKind};
use alnage_types::{Confidence, Level, Severity};

use super::report_anomalies;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PKL013",
    name: "pickle-frame-crossing",
    summary: "a frame that ends inside an operand",
    why: "Loading from bytes and loading from a file then run different opcodes. Each reading is judged, but the file was made to be read in two ways.",
    remediation: "Treat the file as hostile: no pickler writes this.",
    references: &["CWE-436", "AML.T0015", "https://github.com/python/cpython/issues/154848"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "FRAME of 2 bytes before a BINBYTES",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    report_anomalies(
        model,
        sink,
        AnomalyKind::FrameCrossing,
        "an operand crosses the end of a frame, so readers disagree about what follows",
    );
}
