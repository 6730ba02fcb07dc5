//! A package is known to be an attack.

use alnage_types::{Confidence, Level, Severity};

use super::elsewhere;
use crate::Rule;

pub(super) static RULE: Rule = Rule {
    code: "DEP001",
    name: "dependency-malicious",
    summary: "a package is known to be an attack",
    why: "Installing or importing the package runs the attacker's code with the rights of whoever installs it.",
    remediation: "Remove the package. Where it was installed, treat the machine and its secrets as compromised.",
    references: &["CWE-506", "AML.T0010.001"],
    severity: Severity::Critical,
    confidence: Confidence::High,
    level: Level::Default,
    example: "requirements.txt: torchtriton==3.0.0",
    check: elsewhere,
};
