//! Models in OCI images: their layers are named by digest, so they are signed without being read again.

use std::{collections::BTreeSet, path::Path};

use alnage_fs::{Tree, walk};
use alnage_sign::{HashedFile, Serialization};
use alnage_types::{Digest, HashAlgorithm};
use serde::Deserialize;

use crate::{
    Error, Progress,
    digest::{Hashing, hash},
};

/// More than any index or image manifest needs.
const MAX_DOCUMENT: u64 = 4 << 20;

/// An image: what it is made of, and where its blobs are.
pub(crate) struct Image {
    /// The model's name in a signature.
    pub(crate) name: String,
    /// Its layers and its configuration, by the names that signatures give them.
    parts: Vec<(String, Descriptor)>,
    /// The layout it lies in; absent when only its manifest was named.
    layout: Option<Tree>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    digest: String,
    size: u64,
    #[serde(default)]
    annotations: Annotations,
}

/// Those that name things.
#[derive(Debug, Clone, Default, Deserialize)]
struct Annotations {
    #[serde(rename = "org.opencontainers.image.title")]
    title: Option<String>,
    /// Of the model specification of the CNCF.
    #[serde(rename = "org.cncf.model.filepath")]
    file_path: Option<String>,
}

#[derive(Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ImageManifest {
    schema_version: u64,
    config: Descriptor,
    layers: Vec<Descriptor>,
}

impl Descriptor {
    fn sha256(&self) -> Option<Digest> {
        self.digest.strip_prefix("sha256:")?.parse().ok()
    }
}

/// The image at `path`: a layout (`index.json`, `blobs/`) with one image, or an image's manifest.
pub(crate) fn open(path: &Path) -> Result<Image, Error> {
    let tree = walk(path)?;
    let name = tree.name()?;
    if tree.single_file {
        let name = name.strip_suffix(".json").unwrap_or(&name).to_owned();
        let manifest = parse(path, &alnage_fs::read_small(path, MAX_DOCUMENT)?)?;
        return Ok(Image { name, parts: parts(path, manifest)?, layout: None });
    }
    let index: Index = parse(path, &alnage_fs::read_small(&path.join("index.json"), MAX_DOCUMENT)?)?;
    let [descriptor] = index.manifests.as_slice() else {
        let images = index.manifests.len();
        return Err(refused(path, format!("it holds {images} images; name the manifest of one of them")));
    };
    let digest = descriptor.sha256().ok_or_else(|| refused(path, unknown_digest(descriptor)))?;
    let bytes = alnage_fs::read_small(&path.join("blobs/sha256").join(digest.to_string()), MAX_DOCUMENT)?;
    if Digest::of(&bytes) != digest {
        return Err(refused(path, format!("the manifest is not what its name says, `{digest}`")));
    }
    Ok(Image { name, parts: parts(path, parse(path, &bytes)?)?, layout: Some(tree) })
}

fn parse<'a, T: Deserialize<'a>>(path: &Path, bytes: &'a [u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|error| refused(path, format!("not an OCI image: {error}")))
}

/// The names that the implementation of model signing in Go gives to layers.
fn parts(path: &Path, manifest: ImageManifest) -> Result<Vec<(String, Descriptor)>, Error> {
    if manifest.schema_version != 2 || manifest.layers.is_empty() {
        return Err(refused(path, "the image has no layers, or is of another version than 2".to_owned()));
    }
    let layer = |(index, layer): (usize, Descriptor)| {
        let named = layer.annotations.title.clone().or_else(|| layer.annotations.file_path.clone());
        (named.unwrap_or_else(|| format!("layer_{index:03}.tar.gz")), layer)
    };
    let mut parts: Vec<(String, Descriptor)> = manifest.layers.into_iter().enumerate().map(layer).collect();
    parts.push(("config.json".to_owned(), manifest.config));
    parts.sort_by(|(a, _), (b, _)| a.cmp(b));
    if let Some([(name, _), _]) = parts.array_windows().find(|[(a, _), (b, _)]| a == b) {
        return Err(refused(path, format!("two of its layers are named `{}`", name.escape_debug())));
    }
    match parts.iter().find(|(_, part)| part.sha256().is_none()) {
        Some((_, part)) => Err(refused(path, unknown_digest(part))),
        None => Ok(parts),
    }
}

impl Image {
    /// Whether it is a manifest alone, without a layout around it.
    pub(crate) fn is_manifest(&self) -> bool {
        self.layout.is_none()
    }

    /// What the image says its parts are, without reading them.
    pub(crate) fn described(&self) -> Vec<HashedFile> {
        let file = |(name, part): &(String, Descriptor)| HashedFile {
            path: name.clone(),
            size: part.size,
            parts: part.sha256().map(|digest| vec![(None, digest.into())]),
        };
        self.parts.iter().map(file).collect()
    }

    /// What the parts really are. Of a manifest alone that is what it says: there is nothing else.
    pub(crate) fn found(&self, jobs: usize, progress: &dyn Progress) -> Vec<HashedFile> {
        let Some(tree) = &self.layout else { return self.described() };
        let how = Hashing { algorithm: HashAlgorithm::Sha256, serialization: Serialization::Files, jobs };
        let blob = |part: &Descriptor| part.digest.replacen("sha256:", "blobs/sha256/", 1);
        let wanted: BTreeSet<String> = self.parts.iter().map(|(_, part)| blob(part)).collect();
        let hashed = hash(tree, how, progress, None, |name| wanted.contains(name));
        let found = |(name, part): &(String, Descriptor)| {
            let blob = blob(part);
            let file = hashed.iter().find(|file| file.path == blob)?;
            Some(HashedFile { path: name.clone(), ..file.clone() })
        };
        self.parts.iter().filter_map(found).collect()
    }
}

fn unknown_digest(part: &Descriptor) -> String {
    format!("the digest `{}` is no SHA-256", part.digest.escape_debug())
}

fn refused(path: &Path, reason: String) -> Error {
    Error::Unsignable { path: path.display().to_string(), reason }
}
