//! Packages are asked for without one exact version.

use alnage_types::{Confidence, Level, Severity};

use super::elsewhere;
use crate::Rule;

pub(super) static RULE: Rule = Rule {
    code: "DEP005",
    name: "dependency-unpinned",
    summary: "packages are asked for without one exact version",
    why: "What is installed tomorrow is not what was looked at today.",
    remediation: "Pin exact versions, best in a lock file with hashes.",
    references: &["CWE-1357"],
    severity: Severity::Low,
    confidence: Confidence::High,
    level: Level::Default,
    example: "requirements.txt: transformers>=4",
    check: elsewhere,
};
