//! What a model is made of: every file with its digest.

use serde::{Deserialize, Serialize};

use crate::Digest;

/// Every file of a model and the digest of the whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Manifest {
    /// SHA-256 over the concatenated raw digests of `files` in order: the OpenSSF Model Signing v1.0 root digest.
    /// Absent when files were not hashed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub digest: Option<Digest>,
    /// Sorted by the code points of `path`.
    pub files: Vec<ManifestFile>,
}

/// One file of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ManifestFile {
    /// Relative to the model's root, `/`-separated.
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// Digest of the content. Absent when the file was not hashed (`--no-hash`) or could not be read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sha256: Option<Digest>,
}

impl Manifest {
    /// Sorts the files and computes the root digest; the root is absent when any file's digest is.
    pub fn new(mut files: Vec<ManifestFile>) -> Self {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let digests: Option<Vec<u8>> = files.iter().try_fold(Vec::new(), |mut all, file| {
            all.extend_from_slice(file.sha256.as_ref()?.as_bytes());
            Some(all)
        });
        Self { digest: digests.filter(|all| !all.is_empty()).map(|all| Digest::of(&all)), files }
    }
}
