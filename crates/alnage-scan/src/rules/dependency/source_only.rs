//! A locked package has no wheel.

use alnage_types::{Confidence, Level, Severity};

use super::elsewhere;
use crate::Rule;

pub(super) static RULE: Rule = Rule {
    code: "DEP008",
    name: "dependency-source-only",
    summary: "a locked package has no wheel",
    why: "Installing it builds it, which runs its code before anybody imports it.",
    remediation: "Prefer a version with wheels, or build the wheel once in a place that may be lost.",
    references: &["CWE-829"],
    severity: Severity::Low,
    confidence: Confidence::High,
    level: Level::Default,
    example: "uv.lock: a package with `sdist` and without `wheels`",
    check: elsewhere,
};
