//! Loading the model plants what runs later.

use alnage_types::{Confidence, Level, Severity};

use super::elsewhere;
use crate::Rule;

pub(super) static RULE: Rule = Rule {
    code: "DET004",
    name: "detonation-persistence",
    summary: "loading the model plants what runs later",
    why: "It wrote to a place whose content is run when somebody logs in, a timer fires or Python starts: cron, shell profiles, systemd units, `authorized_keys`, `usercustomize`, `.pth` files.",
    remediation: "Do not load the file. On machines that have loaded it, look for what was planted; the evidence names the path.",
    references: &["CWE-506", "AML.T0011.000", "AML.T0018"],
    severity: Severity::Critical,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a pickle that appends to `~/.bashrc`",
    check: elsewhere,
};
