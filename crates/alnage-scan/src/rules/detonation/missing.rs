//! Loading the model calls a dangerous function of a package that was not there.

use alnage_types::{Confidence, Level, Severity};

use super::elsewhere;
use crate::Rule;

pub(super) static RULE: Rule = Rule {
    code: "DET009",
    name: "detonation-missing-function",
    summary: "loading the model calls a dangerous function of a package that was not there",
    why: "The jail's stub profile has no packages but Python's own library; their functions are made up and do nothing. This one is known to run code, start programs or load more when it is real.",
    remediation: "Do not load the file. `alnage detonate --profile real --python ENV/bin/python` shows what the function does with these arguments.",
    references: &["CWE-502", "CWE-94", "AML.T0011.000"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a pickle that calls `pandas.eval(\"…\")`",
    check: elsewhere,
};
