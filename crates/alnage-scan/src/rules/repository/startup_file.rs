//! Files that Python imports at every start.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::shown;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "REP007",
    name: "repository-startup-file",
    summary: "a file that Python imports at every start",
    why: "`sitecustomize.py` and `usercustomize.py` on the path are imported by every Python process before anything else, also by one that is started in the folder of the model.",
    remediation: "Remove the file.",
    references: &["CWE-427", "T1546.018"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "sitecustomize.py",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for entry in &model.tree {
        let name = entry.path.name();
        if matches!(name, "sitecustomize.py" | "usercustomize.py") && entry.size > 0 {
            sink.report(&entry.path, format!("`{}` is imported by every Python process", shown(name)));
        }
    }
}
