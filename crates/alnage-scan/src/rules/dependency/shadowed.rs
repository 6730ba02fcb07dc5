//! The name of a private package is taken from the public index.

use alnage_types::{Confidence, Level, Severity};

use super::elsewhere;
use crate::Rule;

pub(super) static RULE: Rule = Rule {
    code: "DEP004",
    name: "dependency-shadowed",
    summary: "the name of a private package is taken from the public index",
    why: "The public index belongs to everybody. What is installed under the name there is not the package that is meant, or will not be tomorrow.",
    remediation: "Name the private index for the package explicitly, and register its name on the public index.",
    references: &["CWE-427", "CWE-1357"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "uv.lock: a package of https://host/simple; requirements.txt: the same name without an index",
    check: elsewhere,
};
