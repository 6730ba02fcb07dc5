//! The name of a package is one slip away from a much used one.

use alnage_types::{Confidence, Level, Severity};

use super::elsewhere;
use crate::Rule;

pub(super) static RULE: Rule = Rule {
    code: "DEP007",
    name: "dependency-lookalike",
    summary: "the name of a package is one slip away from a much used one",
    why: "Attackers register misspelt names and wait.",
    remediation: "Check that the package is the one that is meant.",
    references: &["CWE-1357", "AML.T0010.001"],
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    level: Level::Default,
    example: "requirements.txt: transfomers",
    check: elsewhere,
};
