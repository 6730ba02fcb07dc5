//! Packages are fetched without a protected connection.

use alnage_types::{Confidence, Level, Severity};

use super::elsewhere;
use crate::Rule;

pub(super) static RULE: Rule = Rule {
    code: "DEP010",
    name: "dependency-unprotected-transport",
    summary: "packages are fetched without a protected connection",
    why: "Anybody on the way can replace them.",
    remediation: "Use `https://`, and remove `--trusted-host`.",
    references: &["CWE-319", "CWE-295"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "requirements.txt: --index-url http://host/simple",
    check: elsewhere,
};
