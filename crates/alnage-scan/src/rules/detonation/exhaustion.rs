//! Loading the model starts more processes than any loader does.

use alnage_types::{Confidence, Level, Severity};

use super::elsewhere;
use crate::Rule;

pub(super) static RULE: Rule = Rule {
    code: "DET008",
    name: "detonation-exhaustion",
    summary: "loading the model starts more processes than any loader does",
    why: "A load that goes on forking takes the machine down. The jail stopped it at its limit.",
    remediation: "Do not load the file.",
    references: &["CWE-400", "CWE-770", "AML.T0029"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a pickle that runs `while True: os.fork()`",
    check: elsewhere,
};
