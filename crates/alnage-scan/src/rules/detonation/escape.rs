//! Loading the model tries to get around its limits.

use alnage_types::{Confidence, Level, Severity};

use super::elsewhere;
use crate::Rule;

pub(super) static RULE: Rule = Rule {
    code: "DET007",
    name: "detonation-escape",
    summary: "loading the model tries to get around its limits",
    why: "It made a call that no loader makes and that leads out of a container, into other processes, past a watcher or to other rights: `ptrace`, `mount`, `unshare`, `setns`, `io_uring`, `bpf`, `setuid`, modules of the kernel. The jail refused it.",
    remediation: "Do not load the file, in a container either.",
    references: &["CWE-250", "CWE-269", "AML.T0011.000"],
    severity: Severity::Critical,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a pickle that calls `os.setuid(0)` or `unshare` through ctypes",
    check: elsewhere,
};
