//! FMT004: an analysis that a limit stopped.

use alnage_formats::Model;
use alnage_types::{Confidence, IssueKind, Level, Severity};

use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "FMT004",
    name: "budget-reached",
    summary: "the analysis stopped at a limit of its budget",
    why: "A file that expands, nests or counts beyond every ordinary model is built to exhaust whoever opens it, or to \
          hide something behind the point where a scanner gives up.",
    remediation: "Treat the file as hostile unless you know why it is so large; to read on, raise the limit the message \
                  names (`--max-steps`, `--max-expanded`, …).",
    references: &["CWE-400", "CWE-409"],
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    level: Level::Default,
    example: "a zip member of 300 kB that inflates to 300 MB",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for issue in model.issues.iter().filter(|issue| issue.kind == IssueKind::Budget) {
        let finding = sink.report(&issue.artifact, issue.message.clone());
        finding.span = issue.offset.map(|offset| alnage_types::Span::new(offset, offset));
    }
}
