//! What the files of a conversion are called.

use std::path::{Path, PathBuf};

/// The names of one conversion, all from one stem.
#[derive(Debug, Clone)]
pub(super) struct Names {
    directory: PathBuf,
    stem: String,
}

/// Where the result of converting `source` goes when nobody says: beside it.
pub fn default_output(source: &Path, is_directory: bool) -> PathBuf {
    let name = source.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if is_directory {
        return source.with_file_name(format!("{name}-safetensors"));
    }
    source.with_file_name(format!("{}.safetensors", stem_of(&name)))
}

/// A checkpoint's name without its extension, `pytorch_model` as `model`, which is what loaders look for.
pub(super) fn stem_of(name: &str) -> String {
    const EXTENSIONS: &[&str] = &[
        ".weights.h5",
        ".pth.tar",
        ".pt.tar",
        ".safetensors",
        ".keras",
        ".h5",
        ".hdf5",
        ".pt",
        ".pth",
        ".bin",
        ".ckpt",
        ".pkl",
        ".pickle",
        ".joblib",
        ".npy",
        ".npz",
        ".msgpack",
        ".jit",
        ".ptl",
        ".tar",
        ".th",
        ".model",
        ".gz",
        ".z",
    ];
    let lower = name.to_lowercase();
    let cut =
        EXTENSIONS.iter().find(|extension| lower.len() > extension.len() && lower.ends_with(**extension));
    let stem = cut.and_then(|extension| name.get(..name.len() - extension.len())).unwrap_or(name);
    match stem {
        "flax_model" | "tf_model" => "model".to_owned(),
        _ => {
            stem.strip_prefix("pytorch_model").map_or_else(|| stem.to_owned(), |rest| format!("model{rest}"))
        }
    }
}

impl Names {
    /// Those of a conversion into `output`.
    pub(super) fn of_file(output: &Path) -> Self {
        let name = output.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let stem =
            name.strip_suffix(".safetensors").filter(|stem| !stem.is_empty()).unwrap_or(&name).to_owned();
        Self { directory: output.parent().unwrap_or(Path::new("")).to_owned(), stem }
    }

    /// The directory that everything goes to, when it is not the present one.
    pub(super) fn directory(&self) -> Option<&Path> {
        Some(self.directory.as_path()).filter(|directory| !directory.as_os_str().is_empty())
    }

    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// One file, or several with number and count, as loaders of shards expect them.
    pub(super) fn shards(&self, count: usize) -> Vec<String> {
        match count {
            1 => vec![format!("{}.safetensors", self.stem)],
            _ => (1..=count).map(|at| format!("{}-{at:05}-of-{count:05}.safetensors", self.stem)).collect(),
        }
    }

    pub(super) fn index(&self) -> String {
        format!("{}.safetensors.index.json", self.stem)
    }

    pub(super) fn state(&self) -> String {
        format!("{}.state.json", self.stem)
    }

    pub(super) fn attestation(&self) -> String {
        format!("{}.conversion.intoto.json", self.stem)
    }
}
