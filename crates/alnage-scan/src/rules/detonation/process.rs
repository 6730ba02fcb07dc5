//! Loading the model starts a program.

use alnage_types::{Confidence, Level, Severity};

use super::elsewhere;
use crate::Rule;

pub(super) static RULE: Rule = Rule {
    code: "DET001",
    name: "detonation-process",
    summary: "loading the model starts a program",
    why: "Weights are data; no loader needs to start a program to read them. What was started, with which arguments, was seen in the jail, so it is no guess about what the bytes could mean.",
    remediation: "Do not load the file. Treat machines that have loaded it as compromised.",
    references: &["CWE-502", "CWE-78", "AML.T0011.000", "AML.T0018"],
    severity: Severity::Critical,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a pickle whose REDUCE calls `os.system(\"id\")`",
    check: elsewhere,
};
