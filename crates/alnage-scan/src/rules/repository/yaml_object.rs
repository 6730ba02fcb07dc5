//! YAML tags that make Python objects.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{
    configs, shown,
    target::{TargetClass, target_class},
};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "CFG006",
    name: "yaml-python-object",
    summary: "a YAML document makes Python objects by tags",
    why: "PyYAML's unsafe and full loaders call what such a tag names, with the arguments of the node: reading the file runs the attacker's choice of function.",
    remediation: "Read YAML with `yaml.safe_load`, and remove the tags.",
    references: &["CWE-502", "CVE-2020-14343", "CVE-2020-1747", "AML.T0011"],
    severity: Severity::Critical,
    confidence: Confidence::High,
    level: Level::Default,
    example: "model.yaml: x: !!python/object/apply:os.system [\"id\"]",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in configs(model) {
        for tag in &facts.python_tags {
            let (kind, name) = tag.tag.split_once(':').unwrap_or((tag.tag.as_str(), ""));
            let Some(severity) = severity(kind, name) else { continue };
            let arguments: Vec<String> =
                tag.arguments.iter().map(|argument| format!("{argument:?}")).collect();
            let evidence = match kind {
                "name" | "module" => shown(name),
                _ => format!("{}({})", shown(name), arguments.join(", ")),
            };
            let message = format!("reading it with an unsafe loader makes `{}`", shown(name));
            let end = tag.offset.saturating_add(tag.tag.len() as u64);
            sink.report_at(&artifact.path, (tag.offset, end), message, evidence).severity = severity;
        }
    }
}

/// Nothing for tags of plain data (`tuple`, `str`, `complex`).
fn severity(kind: &str, name: &str) -> Option<Severity> {
    match (kind, target_class(name)) {
        ("object/apply" | "object/new", TargetClass::Known) => Some(Severity::Medium),
        ("object/apply" | "object/new", _) => Some(Severity::Critical),
        ("object", TargetClass::Dangerous(_)) => Some(Severity::Critical),
        ("object" | "name" | "module", TargetClass::Known) => Some(Severity::Low),
        ("name", TargetClass::Dangerous(_)) => Some(Severity::High),
        ("object" | "name" | "module", _) => Some(Severity::Medium),
        _ => None,
    }
}
