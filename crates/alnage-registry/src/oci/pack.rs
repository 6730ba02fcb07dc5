//! The ModelPack artifact of a version that did not come as an artifact. The same version gives the same bytes.

use std::collections::BTreeMap;

use alnage_types::Digest;
use serde_json::json;

use super::manifest::{
    DOCKER_MANIFEST, Descriptor, FILE_PATH, LayerFile, Manifest, Name, OCI_MANIFEST, TITLE,
};
use crate::Result;

/// The kind of artifact that ModelPack is.
pub const MODEL_PACK: &str = "application/vnd.cncf.model.manifest.v1+json";
const CONFIG: &str = "application/vnd.cncf.model.config.v1+json";

/// An artifact made of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// The bytes of the manifest.
    pub manifest: Vec<u8>,
    /// What the manifest is served as.
    pub media_type: &'static str,
    /// The bytes of its configuration.
    pub config: Vec<u8>,
}

/// The artifact of the version `commit` of the model `name` with these files.
pub fn model_pack(name: &str, commit: &str, files: &[LayerFile]) -> Result<Packed> {
    let layers: Vec<Descriptor> = files.iter().map(layer).collect();
    let digests: Vec<Name> = layers.iter().map(|layer| layer.digest).collect();
    let config = serde_json::to_vec(&json!({
        "descriptor": {"name": name, "version": commit},
        "modelfs": {"type": "layers", "diffIds": digests},
        "config": {"format": format(files)},
    }))?;
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(OCI_MANIFEST.into()),
        artifact_type: Some(MODEL_PACK.into()),
        config: descriptor(CONFIG, &config),
        layers,
        subject: None,
        annotations: BTreeMap::from([("org.opencontainers.image.revision".into(), commit.into())]),
    };
    Ok(Packed { manifest: serde_json::to_vec(&manifest)?, media_type: OCI_MANIFEST, config })
}

/// The artifact that Ollama pulls: one GGUF file, the one that `tag` names if it names one. `None` if there is none.
pub fn ollama(files: &[LayerFile], tag: &str) -> Result<Option<Packed>> {
    let models = || files.iter().filter(|file| file.path.to_ascii_lowercase().ends_with(".gguf"));
    let tag = tag.to_ascii_lowercase();
    let named = models().find(|file| file.path.to_ascii_lowercase().contains(&tag));
    let Some(model) = named.or_else(|| models().next()) else { return Ok(None) };
    let config = serde_json::to_vec(&json!({
        "model_format": "gguf",
        "model_family": "",
        "model_families": [],
        "model_type": "",
        "file_type": "",
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [Name(model.digest)]},
    }))?;
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(DOCKER_MANIFEST.into()),
        artifact_type: None,
        config: descriptor("application/vnd.docker.container.image.v1+json", &config),
        layers: vec![Descriptor {
            media_type: "application/vnd.ollama.image.model".into(),
            digest: Name(model.digest),
            size: model.size,
            artifact_type: None,
            annotations: BTreeMap::new(),
        }],
        subject: None,
        annotations: BTreeMap::new(),
    };
    Ok(Some(Packed { manifest: serde_json::to_vec(&manifest)?, media_type: DOCKER_MANIFEST, config }))
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Descriptor {
    Descriptor {
        media_type: media_type.into(),
        digest: Name(Digest::of(bytes)),
        size: bytes.len() as u64,
        artifact_type: None,
        annotations: BTreeMap::new(),
    }
}

fn layer(file: &LayerFile) -> Descriptor {
    Descriptor {
        media_type: format!("application/vnd.cncf.model.{}.v1.raw", part(&file.path)),
        digest: Name(file.digest),
        size: file.size,
        artifact_type: None,
        annotations: BTreeMap::from([
            (FILE_PATH.into(), file.path.clone()),
            (TITLE.into(), file.path.clone()),
        ]),
    }
}

/// Which part of a model a file is, by its name.
fn part(path: &str) -> &'static str {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending {
        "md" | "txt" | "rst" | "pdf" | "png" | "jpg" | "svg" => "doc",
        "json" | "yaml" | "yml" | "toml" | "jinja" | "model" => "weight.config",
        "py" | "ipynb" | "sh" | "js" => "code",
        "parquet" | "arrow" | "csv" | "jsonl" => "dataset",
        _ if name.starts_with("license") || name.starts_with("readme") => "doc",
        _ => "weight",
    }
}

fn format(files: &[LayerFile]) -> &'static str {
    let has = |ending: &str| files.iter().any(|file| file.path.to_ascii_lowercase().ends_with(ending));
    [
        ("safetensors", ".safetensors"),
        ("gguf", ".gguf"),
        ("onnx", ".onnx"),
        ("pytorch", ".bin"),
        ("pytorch", ".pt"),
    ]
    .into_iter()
    .find(|(_, ending)| has(ending))
    .map_or("", |(format, _)| format)
}
