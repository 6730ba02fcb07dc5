//! A suppression whose last day has gone by.

use alnage_formats::Model;
use alnage_types::{Confidence, Finding, Level, Severity};

use crate::{Answers, Rule, Sink, Suppression};

pub(super) static RULE: Rule = Rule {
    code: "SUP001",
    name: "suppression-expired",
    summary: "a suppression that covered a finding has expired",
    why: "A suppression says that somebody looked at a finding and took the risk until a day. After that day the \
          finding counts again, so that no exception lives on unseen.",
    remediation: "look at the finding again; then mend the model, or renew the suppression with a new date",
    references: &[],
    severity: Severity::Low,
    confidence: Confidence::High,
    level: Level::Default,
    example: "[[suppress]] code = \"PKL004\", artifact = \"*\", reason = \"…\", expires = 2020-01-01",
    check: nothing,
};

/// The model alone never sets this off: [`report`] is called where suppressions are applied.
fn nothing(_: &Model, _: &mut Sink<'_>) {}

/// Reports that `suppression` would have covered `finding`.
pub(crate) fn report(finding: &Finding, suppression: &Suppression, findings: &mut Vec<Finding>) {
    let message = format!("the suppression of `{}` expired on {}", finding.code, suppression.expires);
    let answers = Answers::default();
    let mut sink = Sink::new(&RULE, &answers, findings);
    sink.report(&finding.artifact, message).evidence =
        Some(format!("reason: {}", suppression.reason.escape_debug()));
}
