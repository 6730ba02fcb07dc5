//! Loading the model runs code that it brought.

use alnage_types::{Confidence, Level, Severity};

use super::elsewhere;
use crate::Rule;

pub(super) static RULE: Rule = Rule {
    code: "DET002",
    name: "detonation-code",
    summary: "loading the model runs code that it brought",
    why: "Text or bytecode from the file was given to `eval` or `exec`, or a native library of its choice was loaded. From there it can do everything, also what it did not do in the jail.",
    remediation: "Do not load the file. If it is yours, save weights without code: safetensors.",
    references: &["CWE-94", "CWE-502", "AML.T0011.000", "AML.T0018"],
    severity: Severity::Critical,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a pickle that calls `builtins.exec(\"import socket; …\")`",
    check: elsewhere,
};
