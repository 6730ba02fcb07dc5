//! The files of a model as components.

use std::collections::BTreeMap;

use alnage_facts::{Origin, Place, Source, Technique};
use alnage_formats::Model;
use alnage_types::{Digest, Manifest};

use crate::bom::{Component, Kind, Known};

/// The reference of a file's component.
pub(crate) fn reference(path: &str) -> String {
    format!("file:{path}")
}

/// The source of a digest that was computed.
pub(crate) fn hashed(file: &str) -> Source {
    let mut source = Source::new(Origin::Bytes, file, "SHA-256", Place::Whole);
    (source.technique, source.confidence) = (Technique::HashComparison, 100);
    source
}

/// One component a file, in the manifest's order.
pub(crate) fn components(model: &Model, manifest: &Manifest) -> Vec<Component> {
    let mut formats: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for artifact in model.artifacts.iter().filter(|artifact| !artifact.path.is_member()) {
        formats.entry(artifact.path.as_str()).or_default().push(artifact.format);
    }
    let component = |file: &alnage_types::ManifestFile| {
        let mut properties = vec![("alnage:file:size".to_owned(), Known::bare(file.size.to_string()))];
        for format in formats.get(file.path.as_str()).into_iter().flatten() {
            properties.push(("alnage:file:format".to_owned(), Known::bare((*format).to_owned())));
        }
        let hash = |digest: Digest| Known::bare(("SHA-256".to_owned(), digest.to_string()));
        Component {
            id: reference(&file.path),
            kind: Kind::File,
            name: Known::bare(file.path.clone()),
            hashes: file.sha256.map(hash).into_iter().collect(),
            properties,
            ..Component::default()
        }
    };
    manifest.files.iter().map(component).collect()
}
