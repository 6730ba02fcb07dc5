//! Templates that reach for Python's object machinery.

use alnage_formats::{Model, repository::jinja::ConstructKind};
use alnage_types::{Confidence, Level, Severity};

use super::{shown, templates};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "JIN001",
    name: "template-injection",
    summary: "a template reaches Python objects beyond what it is given",
    why: "A chat template is a program that is rendered for every conversation. From any object, attributes such as `__class__`, `__globals__` or `__subclasses__` lead to every function of the Python process; a renderer without a tight sandbox then runs commands.",
    remediation: "Do not render the template; take the chat template from the model's original publisher. Render with `ImmutableSandboxedEnvironment`.",
    references: &[
        "CVE-2024-34359",
        "CWE-1336",
        "CWE-94",
        "AML.T0011",
        "https://jinja.palletsprojects.com/en/stable/sandbox/",
    ],
    severity: Severity::Critical,
    confidence: Confidence::High,
    level: Level::Default,
    example: r#"{{ ().__class__.__base__.__subclasses__() }}"#,
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in templates(model) {
        for construct in &facts.constructs {
            let message = match construct.kind {
                ConstructKind::InternalAttribute => "the template reaches into Python's object machinery",
                ConstructKind::ComputedAttribute => "the template reaches an attribute by a computed name",
                ConstructKind::InternalName => "the template spells a name of Python's object machinery",
                ConstructKind::FormatTraversal => "a format string of the template walks Python attributes",
                ConstructKind::DangerousCall => "the template calls a function that runs code or opens files",
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
