//! Configuration that has objects made by dotted name.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{
    configs, shown,
    target::{TargetClass, target_class},
};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "CFG005",
    name: "config-instantiates",
    summary: "a configuration makes an object by a dotted name that is dangerous or unknown",
    why: "Hydra, NeMo and other libraries call whatever `_target_` names with the arguments beside it. A model's configuration or metadata that reaches `hydra.utils.instantiate` therefore runs the attacker's choice of function.",
    remediation: "Check the named object; load the model with a library release that keeps a list of allowed targets.",
    references: &["CVE-2025-23304", "CVE-2026-24157", "CWE-470", "CWE-94", "AML.T0011"],
    severity: Severity::Critical,
    confidence: Confidence::High,
    level: Level::Default,
    example: r#"model_config.yaml: _target_: os.system"#,
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in configs(model) {
        for made in &facts.instantiations {
            let explicit = made.key != "target" && made.key != "class_path";
            let (severity, what) = match target_class(&made.target) {
                TargetClass::Dangerous(reaches) => (Severity::Critical, format!("which {reaches}")),
                // A class of the project that trained the model makes an object of its own.
                TargetClass::Unknown if explicit && is_plain_class(&made.target) => {
                    (Severity::Low, "a class of an unknown package".to_owned())
                }
                TargetClass::Unknown if explicit => (Severity::Medium, "which is not known".to_owned()),
                TargetClass::Unknown | TargetClass::Known => continue,
            };
            let message = format!("an object is made by the name `{}`, {what}", shown(&made.target));
            let evidence = format!("{}({})", shown(&made.target), shown(&made.arguments.join(", ")));
            let end = made.offset.saturating_add(made.target.len() as u64);
            sink.report_at(&artifact.path, (made.offset, end), message, evidence).severity = severity;
        }
    }
}

/// Whether a dotted name is that of a class which, by its name, does not run commands.
fn is_plain_class(target: &str) -> bool {
    const RUNNERS: [&str; 6] = ["shell", "repl", "exec", "command", "popen", "eval"];
    let plain = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_');
    let last = target.rsplit('.').next().unwrap_or(target);
    let lower = last.to_ascii_lowercase();
    target.contains('.')
        && target.split('.').all(plain)
        && last.starts_with(char::is_uppercase)
        && !RUNNERS.iter().any(|runner| lower.contains(runner))
}
