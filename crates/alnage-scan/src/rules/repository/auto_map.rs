//! Configuration that names Python files to import.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{configs, shown};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "CFG001",
    name: "config-auto-map",
    summary: "a configuration names Python code of the repository to import",
    why: "With `trust_remote_code=True` transformers imports the named file and makes the named class: the model is then a program, not data. Without the option loading fails, so users are told to set it.",
    remediation: "Read the named Python files; prefer a model that a release of transformers supports without its own code.",
    references: &["CWE-829", "CWE-94", "AML.T0010", "AML.T0011"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: r#"config.json: {"auto_map": {"AutoModel": "modeling_x.XModel"}}"#,
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in configs(model) {
        let local: Vec<_> = facts.auto_map.iter().filter(|entry| entry.repository.is_none()).collect();
        let Some(first) = local.first() else { continue };
        let mut modules: Vec<&str> = local.iter().map(|entry| entry.module.as_str()).collect();
        modules.sort_unstable();
        modules.dedup();
        let files: Vec<String> = modules.iter().map(|module| format!("`{}.py`", shown(module))).collect();
        let message = format!("loading with `trust_remote_code=True` imports {}", files.join(", "));
        let evidence = format!("auto_map.{} = {}", shown(&first.auto_class), shown(&first.target));
        sink.report(&artifact.path, message).evidence = Some(evidence);
    }
}
