//! Path files that run code whenever Python starts.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{lines_of, shown};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "REP004",
    name: "repository-path-file-code",
    summary: "a `.pth` file has lines that Python runs at every start",
    why: "Lines of a `.pth` file in the site folder that begin with `import` are run by every Python process, whatever it was started for.",
    remediation: "Do not install the file; take the line out.",
    references: &["CWE-506", "T1546.018"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "x.pth: import os; os.system('id')",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in lines_of(model, "python-path-file") {
        let runs = facts.lines.iter().filter(|line| {
            line.text.strip_prefix("import").is_some_and(|rest| rest.starts_with([' ', '\t']))
        });
        for line in runs {
            let message = "Python runs this line at every start";
            sink.report_at(&artifact.path, (line.start, line.end), message, shown(&line.text));
        }
    }
}
