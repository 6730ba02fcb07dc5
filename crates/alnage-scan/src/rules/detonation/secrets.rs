//! Loading the model looks for secrets.

use alnage_types::{Confidence, Level, Severity};

use super::elsewhere;
use crate::Rule;

pub(super) static RULE: Rule = Rule {
    code: "DET006",
    name: "detonation-secrets",
    summary: "loading the model looks for secrets",
    why: "It opened keys, tokens, password files or the memory of other processes, or asked the environment for credentials. In the jail all of them are decoys.",
    remediation: "Do not load the file. If it was loaded elsewhere, change the secrets that it could read there.",
    references: &["CWE-522", "CWE-506", "AML.T0011.000", "AML.T0055"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a pickle that reads `~/.ssh/id_ed25519`",
    check: elsewhere,
};
