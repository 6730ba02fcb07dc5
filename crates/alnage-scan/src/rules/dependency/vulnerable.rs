//! An advisory affects the pinned version of a package.

use alnage_types::{Confidence, Level, Severity};

use super::elsewhere;
use crate::Rule;

pub(super) static RULE: Rule = Rule {
    code: "DEP002",
    name: "dependency-vulnerable",
    summary: "an advisory affects the pinned version of a package",
    why: "The version has a published defect that an attacker may use, often with inputs as ordinary as a model file.",
    remediation: "Move to a version that the advisory says is fixed, or record why the defect cannot be reached.",
    references: &["CWE-1395"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "requirements.txt: pillow==8.0.0",
    check: elsewhere,
};
