//! A package is taken from an address that may give something else tomorrow.

use alnage_types::{Confidence, Level, Severity};

use super::elsewhere;
use crate::Rule;

pub(super) static RULE: Rule = Rule {
    code: "DEP011",
    name: "dependency-floating-address",
    summary: "a package is taken from an address that may give something else tomorrow",
    why: "A branch moves, and a file is replaced; nothing says what was meant.",
    remediation: "Name the full commit, or give the file's hash.",
    references: &["CWE-494", "CWE-829"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "requirements.txt: x @ git+https://host/x@main",
    check: elsewhere,
};
