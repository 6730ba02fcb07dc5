//! Templates that repeat without end.

use alnage_formats::{Model, repository::jinja::ConstructKind};
use alnage_types::{Confidence, Level, Severity};

use super::{shown, templates};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "JIN004",
    name: "template-huge-repetition",
    summary: "a template repeats something millions of times",
    why: "The template is rendered for every conversation; a repetition of this size stops the server that renders it.",
    remediation: "Remove the repetition.",
    references: &["CWE-400", "CWE-770"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: r#"{% for i in range(1000000000) %}x{% endfor %}"#,
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in templates(model) {
        for construct in &facts.constructs {
            let message = match construct.kind {
                ConstructKind::Huge => "the template repeats something far beyond any conversation",
                _ => continue,
            };
            let evidence = match &construct.resolved {
                Some(name) if !construct.text.contains(name.as_str()) => {
                    format!("{} → {}", shown(&construct.text), shown(name))
                }
                _ => shown(&construct.text),
            };
            let span = (construct.start, construct.end);
            sink.report_at(&artifact.path, span, message, evidence);
        }
    }
}
