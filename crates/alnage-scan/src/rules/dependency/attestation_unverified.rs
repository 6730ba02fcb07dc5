//! An attestation fits its file, and who should have signed it is not known.

use alnage_types::{Confidence, Level, Severity};

use super::elsewhere;
use crate::Rule;

pub(super) static RULE: Rule = Rule {
    code: "DEP013",
    name: "dependency-attestation-unverified",
    summary: "an attestation fits its file, and its signer could not be confirmed",
    why: "Anybody can attest a file in their own name: it is worth something when its publisher did.",
    remediation: "Keep the index's provenance (`FILE.provenance`), which names the publisher, beside the file; give a newer trusted root.",
    references: &["CWE-347"],
    severity: Severity::Info,
    confidence: Confidence::High,
    level: Level::Audit,
    example: "x-1-py3-none-any.whl.publish.attestation",
    check: elsewhere,
};
