//! The manifest of an artifact that somebody pushes, and the files it stands for.

use std::collections::{BTreeMap, BTreeSet};

use alnage_types::Digest;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The longest manifest, and the longest configuration.
pub const MAX_MANIFEST: usize = 4 << 20;
/// The most layers of one artifact.
const MAX_LAYERS: usize = 100_000;

/// The media type of an OCI manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of a Docker manifest, which Ollama uses.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// The annotation that most tools put a file's name in.
pub const TITLE: &str = "org.opencontainers.image.title";
/// The annotation that ModelPack puts a file's name in.
pub const FILE_PATH: &str = "org.cncf.model.filepath";

/// A manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u64,
    /// What it is, in its own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// What kind of artifact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// What describes the artifact.
    pub config: Descriptor,
    /// Its contents.
    pub layers: Vec<Descriptor>,
    /// What it is about, when it is a signature or another attachment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// What else is said of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// One blob that a manifest names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What the bytes are.
    pub media_type: String,
    /// `sha256:…`.
    pub digest: Name,
    /// How many bytes.
    pub size: u64,
    /// What kind of artifact, of a manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// What else is said of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// A digest as OCI writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(pub Digest);

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sha256:{}", self.0)
    }
}

impl std::str::FromStr for Name {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let digits = text
            .strip_prefix("sha256:")
            .filter(|digits| !digits.bytes().any(|byte| byte.is_ascii_uppercase()));
        let digest = digits.and_then(|digits| digits.parse().ok());
        digest
            .map(Self)
            .ok_or_else(|| Error::Invalid(format!("`{}` is no sha256 digest", text.escape_debug())))
    }
}

impl Serialize for Name {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A file of a model version, as a layer gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerFile {
    /// Its path in the model.
    pub path: String,
    /// Its digest.
    pub digest: Digest,
    /// Its size.
    pub size: u64,
}

impl Manifest {
    /// Reads a manifest of a single artifact.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > MAX_MANIFEST {
            return Err(Error::Invalid("the manifest is larger than 4 MiB".into()));
        }
        let manifest: Self = serde_json::from_slice(bytes)
            .map_err(|error| Error::Invalid(format!("this is no manifest of one artifact: {error}")))?;
        if manifest.schema_version != 2 {
            return Err(Error::Invalid("only manifests of schema version 2 are taken".into()));
        }
        match manifest.media_type.as_deref() {
            None | Some(OCI_MANIFEST | DOCKER_MANIFEST) => {}
            Some(other) => return Err(Error::Invalid(format!("`{}` is not taken", other.escape_debug()))),
        }
        if manifest.layers.len() > MAX_LAYERS {
            return Err(Error::Invalid("the manifest has too many layers".into()));
        }
        Ok(manifest)
    }

    /// What the manifest is served as.
    pub fn media_type(&self) -> &str {
        self.media_type.as_deref().unwrap_or(OCI_MANIFEST)
    }

    /// The kind of artifact: what the manifest says, or what its configuration is.
    pub fn kind(&self) -> &str {
        self.artifact_type.as_deref().unwrap_or(&self.config.media_type)
    }

    /// The files of the model: every layer is one, under the name that its annotations or its type give it.
    pub fn files(&self) -> Result<Vec<LayerFile>> {
        let mut taken = BTreeSet::new();
        let mut files = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let path = match layer.annotations.get(FILE_PATH).or_else(|| layer.annotations.get(TITLE)) {
                Some(title) if taken.contains(title) => {
                    return Err(Error::Invalid(format!("two layers are called `{}`", title.escape_debug())));
                }
                Some(title) => title.clone(),
                None => free_name(layer, &taken),
            };
            taken.insert(path.clone());
            files.push(LayerFile { path, digest: layer.digest.0, size: layer.size });
        }
        if files.is_empty() {
            return Err(Error::Invalid("an artifact without layers is no model".into()));
        }
        Ok(files)
    }
}

/// A name for a layer that has none.
fn free_name(layer: &Descriptor, taken: &BTreeSet<String>) -> String {
    let (stem, ending) = match layer.media_type.strip_prefix("application/vnd.ollama.image.") {
        Some(kind @ ("model" | "adapter" | "projector")) => (kind.to_owned(), ".gguf"),
        Some(kind @ ("params" | "messages" | "json")) => (kind.to_owned(), ".json"),
        Some("tensor") => ("tensor".to_owned(), ".safetensors"),
        Some(kind) if kind.bytes().all(|byte| byte.is_ascii_lowercase()) => (kind.to_owned(), ""),
        _ => {
            let digest = layer.digest.0.to_string();
            (format!("layers/{}", digest.get(..12).unwrap_or(&digest)), ending(&layer.media_type))
        }
    };
    let mut name = format!("{stem}{ending}");
    let mut count = 1;
    while taken.contains(&name) {
        count += 1;
        name = format!("{stem}-{count}{ending}");
    }
    name
}

fn ending(media_type: &str) -> &'static str {
    let parts: Vec<&str> = media_type.split(['.', '+']).collect();
    match parts.as_slice() {
        [.., "tar", "gzip"] => ".tar.gz",
        [.., "tar", "zstd"] => ".tar.zst",
        [.., "tar"] => ".tar",
        _ => "",
    }
}
