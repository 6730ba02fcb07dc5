//! The attestation of a package does not hold: for this file, by its signature, or by its publisher.

use alnage_types::{Confidence, Level, Severity};

use super::elsewhere;
use crate::Rule;

pub(super) static RULE: Rule = Rule {
    code: "DEP012",
    name: "dependency-attestation-mismatch",
    summary: "the attestation of a package is about another file, or not by its publisher",
    why: "What was published under the attestation is not the file at hand, or somebody else signed it.",
    remediation: "Fetch the file again from the index; when it stays so, do not install it.",
    references: &["CWE-345"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "x-1-py3-none-any.whl.publish.attestation with another digest",
    check: elsewhere,
};
