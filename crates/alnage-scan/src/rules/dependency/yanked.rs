//! A locked package was withdrawn by its publisher.

use alnage_types::{Confidence, Level, Severity};

use super::elsewhere;
use crate::Rule;

pub(super) static RULE: Rule = Rule {
    code: "DEP009",
    name: "dependency-yanked",
    summary: "a locked package was withdrawn by its publisher",
    why: "A release is withdrawn because it is broken or dangerous.",
    remediation: "Move to a release that stands.",
    references: &["CWE-1357"],
    severity: Severity::Low,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`\"is_yanked\": true` in what `pip install --dry-run --report pip-report.json` wrote",
    check: elsewhere,
};
