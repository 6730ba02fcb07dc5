//! Templates that use objects of the engine or unknown functions.

use alnage_formats::{Model, repository::jinja::ConstructKind};
use alnage_types::{Confidence, Level, Severity};

use super::{shown, templates};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "JIN002",
    name: "template-engine-object",
    summary: "a template uses objects that chat templates have no use for",
    why: "Injections begin at objects such as `request`, `lipsum` or the filter `attr`. A function that no known renderer provides either fails or means that the template is made for a renderer with more power.",
    remediation: "Compare the template with the one of the model's original publisher.",
    references: &["CWE-1336", "CVE-2024-34359"],
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    level: Level::Default,
    example: r#"{{ lipsum|attr('x') }}"#,
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in templates(model) {
        for construct in &facts.constructs {
            let message = match construct.kind {
                ConstructKind::AttrFilter => "the template uses the filter `attr`",
                ConstructKind::EngineObject => "the template uses an object of the template engine",
                ConstructKind::UnknownCall => "the template calls a function that no known renderer provides",
                _ => continue,
            };
            let evidence = match &construct.resolved {
                Some(name) if !construct.text.contains(name.as_str()) => {
                    format!("{} → {}", shown(&construct.text), shown(name))
                }
                _ => shown(&construct.text),
            };
            let span = (construct.start, construct.end);
            let finding = sink.report_at(&artifact.path, span, message, evidence);
            if construct.kind == ConstructKind::UnknownCall {
                finding.severity = Severity::Low;
            }
        }
    }
}
