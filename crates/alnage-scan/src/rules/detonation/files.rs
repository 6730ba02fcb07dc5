//! Loading the model changes files.

use alnage_types::{Confidence, Level, Severity};

use super::elsewhere;
use crate::Rule;

pub(super) static RULE: Rule = Rule {
    code: "DET005",
    name: "detonation-files",
    summary: "loading the model changes files",
    why: "It made, changed or removed a file that neither Python nor a loader needs. A control run with a harmless file of the same kind did not.",
    remediation: "Do not load the file before a person has seen what it writes and why.",
    references: &["CWE-502", "CWE-73", "AML.T0011.000"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a pickle that calls `pathlib.Path.write_text`",
    check: elsewhere,
};
