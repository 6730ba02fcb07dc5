//! Pinned packages have no hashes.

use alnage_types::{Confidence, Level, Severity};

use super::elsewhere;
use crate::Rule;

pub(super) static RULE: Rule = Rule {
    code: "DEP006",
    name: "dependency-unhashed",
    summary: "pinned packages have no hashes",
    why: "A version number names a release, not its bytes: a mirror, a proxy or the index can serve others.",
    remediation: "Record hashes: `pip-compile --generate-hashes`, or a lock file of uv, Poetry or PEP 751.",
    references: &["CWE-353", "CWE-494"],
    severity: Severity::Low,
    confidence: Confidence::High,
    level: Level::Default,
    example: "requirements.txt: numpy==2.1.0",
    check: elsewhere,
};
