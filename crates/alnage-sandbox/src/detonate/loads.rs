//! Which files of a model something runs in when they are loaded, told by their content.

use std::{collections::BTreeSet, sync::Arc};

use alnage_formats::{Artifact, analyse};
use alnage_types::{ArtifactPath, Budget, Reader, Source};
use serde_json::Value;

use super::Profile;

/// Formats whose loaders unpickle, whatever they are called.
const PICKLED: &[&str] = &[
    "pickle",
    "pytorch-zip",
    "pytorch-tar",
    "torch-package",
    "torchserve-mar",
    "nemo",
    "joblib-zfile",
    "numpy-array",
    "numpy-archive",
    "keras-config",
    "hdf5",
];

/// How a file is loaded; `None` when it is data, which nothing runs in.
pub(super) fn loader(
    path: &ArtifactPath,
    source: &Arc<dyn Source>,
    profile: Profile,
) -> Option<&'static str> {
    let analysis = analyse(path.clone(), Arc::clone(source), &budget());
    let is = |artifact: &Artifact, formats: &[&str]| formats.contains(&artifact.format);
    let own = |formats: &[&str]| {
        analysis.artifacts.iter().any(|artifact| artifact.path == *path && is(artifact, formats))
    };
    match () {
        () if own(&["python"]) => Some("code"),
        () if own(&["python-path-file"]) => Some("path-file"),
        () if own(&["jinja"]) && profile == Profile::Real => Some("template"),
        () if own(&["json", "safetensors", "gguf", "yaml", "markdown", "notebook"]) && !own(PICKLED) => None,
        () if own(&["pytorch-zip", "pytorch-tar"]) => Some("torch"),
        () if analysis.artifacts.iter().any(|artifact| is(artifact, PICKLED)) => Some("any"),
        () => None,
    }
}

/// Whether something imports the file of Python when the model is used: what the configuration names, and what
/// frameworks look for. Scripts that people start by themselves are not among them.
pub(super) fn is_imported(path: &str, named: &BTreeSet<String>) -> bool {
    const BEGINNINGS: &[&str] = &[
        "modeling_",
        "modular_",
        "configuration_",
        "tokenization_",
        "processing_",
        "image_processing_",
        "video_processing_",
        "feature_extraction_",
    ];
    const NAMES: &[&str] =
        &["__init__", "handler", "pipeline", "generate", "sitecustomize", "usercustomize", "conftest"];
    let base = path.rsplit('/').next().unwrap_or(path);
    let stem = base.strip_suffix(".py").unwrap_or(base);
    BEGINNINGS.iter().any(|start| stem.starts_with(start)) || NAMES.contains(&stem) || named.contains(stem)
}

/// The modules that a configuration has imported (`auto_map`).
pub(super) fn named_modules(source: &dyn Source) -> BTreeSet<String> {
    const LONGEST: u64 = 4 << 20;
    let mut named = BTreeSet::new();
    let bytes = Reader::new(source).take(source.len().min(LONGEST)).unwrap_or_default();
    let Ok(value) = serde_json::from_slice::<Value>(&bytes) else { return named };
    let map = value.get("auto_map").and_then(Value::as_object);
    for entry in map.into_iter().flat_map(|map| map.values()) {
        let entries = entry.as_array().map_or(std::slice::from_ref(entry), Vec::as_slice);
        for text in entries.iter().filter_map(Value::as_str) {
            let own = text.rsplit("--").next().unwrap_or(text);
            if let Some((module, _)) = own.rsplit_once('.') {
                named.insert(module.rsplit('.').next().unwrap_or(module).to_owned());
            }
        }
    }
    named
}

/// A look inside, not a vetting.
fn budget() -> Budget {
    Budget {
        max_depth: 4,
        max_entries: 4_000,
        max_expanded: 64 << 20,
        max_steps: 5_000_000,
        max_member_memory: 16 << 20,
        ..Budget::default()
    }
}
