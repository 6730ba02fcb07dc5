//! The files of a model as components.

use std::collections::BTreeMap;

use alnage_formats::Model;
use alnage_types::Manifest;

use crate::document::{Component, Hash, Property};

/// The reference of a file's component.
pub(crate) fn reference(path: &str) -> String {
    format!("file:{path}")
}

/// One component a file, in the manifest's order.
pub(crate) fn components(model: &Model, manifest: &Manifest) -> Vec<Component> {
    let mut formats: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for artifact in model.artifacts.iter().filter(|artifact| artifact.path.container().is_none()) {
        formats.entry(artifact.path.as_str()).or_default().push(artifact.format);
    }
    let component = |file: &alnage_types::ManifestFile| {
        let mut properties = vec![Property::new("alnage:file:size", file.size.to_string())];
        for format in formats.get(file.path.as_str()).into_iter().flatten() {
            properties.push(Property::new("alnage:file:format", *format));
        }
        let hash = |digest: alnage_types::Digest| Hash { alg: "SHA-256", content: digest.to_string() };
        Component {
            kind: "file",
            reference: reference(&file.path),
            name: file.path.clone(),
            hashes: file.sha256.map(hash).into_iter().collect(),
            properties,
            ..Component::default()
        }
    };
    manifest.files.iter().map(component).collect()
}
