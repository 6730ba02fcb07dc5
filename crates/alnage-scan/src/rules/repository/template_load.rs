//! Templates that load other templates.

use alnage_formats::{Model, repository::jinja::ConstructKind};
use alnage_types::{Confidence, Level, Severity};

use super::{shown, templates};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "JIN003",
    name: "template-loads",
    summary: "a template includes, imports or extends another",
    why: "Chat templates are rendered from one string. A template that loads another reads a file chosen by the model, if the renderer has a loader.",
    remediation: "Put the whole template into one file.",
    references: &["CWE-829", "CWE-22"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: r#"{% include '/etc/passwd' %}"#,
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in templates(model) {
        for construct in &facts.constructs {
            let message = match construct.kind {
                ConstructKind::Load => "the template loads another template",
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
