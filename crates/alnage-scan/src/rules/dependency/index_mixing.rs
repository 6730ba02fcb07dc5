//! Several indexes are asked for the same names.

use alnage_types::{Confidence, Level, Severity};

use super::elsewhere;
use crate::Rule;

pub(super) static RULE: Rule = Rule {
    code: "DEP003",
    name: "dependency-index-mixing",
    summary: "several indexes are asked for the same names",
    why: "The installer takes the highest version from any of the indexes. Whoever registers a name of one index in another, as happened to PyTorch's nightly packages in December 2022, has their code installed.",
    remediation: "Ask one index for each package: an explicit index in uv or Poetry, a private index that mirrors the public one, or hashes for every file.",
    references: &["CWE-427", "CWE-1357"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "requirements.txt: --extra-index-url https://host/simple",
    check: elsewhere,
};
