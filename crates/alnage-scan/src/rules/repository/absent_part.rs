//! Parts that the configuration speaks of and the repository lacks.

use alnage_formats::{Model, repository::config::ConfigRole};
use alnage_types::{Confidence, Level, Severity};

use super::{configs, shown};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "REP009",
    name: "repository-absent-part",
    summary: "a file that the configuration speaks of is absent",
    why: "A loader that does not find a file here takes it from elsewhere: from the hub, from a cache, from the module path. What it then loads was not vetted.",
    remediation: "Add the file, or take what speaks of it out of the configuration.",
    references: &["CWE-706", "CWE-829"],
    severity: Severity::Low,
    confidence: Confidence::High,
    level: Level::Default,
    example: r#"config.json: {"auto_map": {"AutoModel": "modeling_x.X"}} without modeling_x.py"#,
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    // A lone configuration file is no repository that could lack anything.
    if model.tree.len() < 2 {
        return;
    }
    let has = |path: &str| model.tree.iter().any(|entry| entry.path.as_str() == path);
    for (artifact, facts) in configs(model) {
        let path = artifact.path.as_str();
        if path.contains("!/") {
            continue;
        }
        let folder = &path[..path.rfind('/').map_or(0, |at| at + 1)];
        let mut absent: Vec<String> = facts
            .auto_map
            .iter()
            .filter(|entry| entry.repository.is_none())
            .map(|entry| format!("{}.py", entry.module.replace('.', "/")))
            .filter(|file| !has(&format!("{folder}{file}")))
            .collect();
        let adapter = ["adapter_model.safetensors", "adapter_model.bin", "adapter_model.pt"];
        if facts.role == ConfigRole::Adapter && !adapter.iter().any(|file| has(&format!("{folder}{file}"))) {
            absent.push(adapter[0].to_owned());
        }
        absent.sort_unstable();
        absent.dedup();
        for file in absent.iter().take(16) {
            sink.report(&artifact.path, format!("`{}` is absent", shown(file)));
        }
    }
}
