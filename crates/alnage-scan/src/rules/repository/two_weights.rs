//! Weights that lie there both as a pickle and as safetensors.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::shown;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "REP010",
    name: "repository-pickle-beside-safetensors",
    summary: "weights are there as a pickle and as safetensors",
    why: "Which of the two is loaded depends on the loader and its options. They may differ, and only the pickle can run code.",
    remediation: "Remove the pickle; load with `use_safetensors=True`.",
    references: &["CWE-502"],
    severity: Severity::Info,
    confidence: Confidence::High,
    level: Level::Default,
    example: "model.safetensors beside pytorch_model.bin",
    check,
};

/// Names that loaders take weights from: safe, and the pickle they take instead.
const PAIRS: [(&str, &str); 4] = [
    ("model.safetensors", "pytorch_model.bin"),
    ("model.safetensors.index.json", "pytorch_model.bin.index.json"),
    ("adapter_model.safetensors", "adapter_model.bin"),
    ("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin"),
];

fn check(model: &Model, sink: &mut Sink<'_>) {
    for entry in &model.tree {
        let path = entry.path.as_str();
        let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
        let Some((safe, _)) = PAIRS.iter().find(|(_, pickle)| *pickle == name) else { continue };
        let beside = if folder.is_empty() { (*safe).to_owned() } else { format!("{folder}/{safe}") };
        if model.tree.iter().any(|entry| entry.path.as_str() == beside) {
            sink.report(&entry.path, format!("`{}` holds weights too", shown(&beside)));
        }
    }
}
