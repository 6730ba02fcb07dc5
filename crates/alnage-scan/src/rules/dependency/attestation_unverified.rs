//! An attestation fits its file, and its signature was not verified.

use alnage_types::{Confidence, Level, Severity};

use super::elsewhere;
use crate::Rule;

pub(super) static RULE: Rule = Rule {
    code: "DEP013",
    name: "dependency-attestation-unverified",
    summary: "an attestation fits its file, and its signature was not verified",
    why: "Who signed it is unknown here.",
    remediation: "Verify it with a Sigstore client and the publisher's identity.",
    references: &["CWE-347"],
    severity: Severity::Info,
    confidence: Confidence::High,
    level: Level::Audit,
    example: "x-1-py3-none-any.whl.publish.attestation",
    check: elsewhere,
};
