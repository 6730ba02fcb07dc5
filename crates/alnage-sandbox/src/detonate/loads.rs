//! Which files of a model something runs in when they are loaded, told by their content.

use std::sync::Arc;

use alnage_formats::{Artifact, analyse};
use alnage_types::{ArtifactPath, Budget, Source};

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
