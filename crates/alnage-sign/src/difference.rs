//! How a model on disk differs from what was signed.

use std::{collections::BTreeMap, fmt};

use alnage_types::{Digest, Manifest};

use crate::{SignedManifest, model::ONLY_FILE, path};

/// One file that is not as it was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Relative to the model's root.
    pub path: String,
    /// In what way.
    pub kind: DifferenceKind,
}

/// In what way a file is not as it was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DifferenceKind {
    /// The content is another one.
    Changed {
        /// Digest when it was signed.
        signed: Digest,
        /// Digest now; absent when the file could not be read.
        found: Option<Digest>,
    },
    /// The file was signed and is not there.
    Missing,
    /// The file is there and was not signed.
    Extra,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = path::shown(&self.path);
        match self.kind {
            DifferenceKind::Changed { signed, found: Some(found) } => {
                write!(f, "`{path}` was changed: signed with SHA-256 {signed}, found {found}")
            }
            DifferenceKind::Changed { signed, found: None } => {
                write!(f, "`{path}` was not read; it was signed with SHA-256 {signed}")
            }
            DifferenceKind::Missing => write!(f, "`{path}` was signed and is missing"),
            DifferenceKind::Extra => write!(f, "`{path}` is extra: it was not signed"),
        }
    }
}

impl SignedManifest {
    /// Every file that is not as it was signed, sorted by path; none when `found` is what was signed.
    ///
    /// `found` may hold files that the signature leaves out: they are passed over, unless the signature names them
    /// all the same.
    pub fn compare(&self, found: &Manifest) -> Vec<Difference> {
        let mut on_disk: BTreeMap<&str, Option<Digest>> =
            found.files.iter().map(|file| (file.path.as_str(), file.sha256)).collect();
        let mut differences = Vec::new();
        let mut differs = |path: &str, kind| differences.push(Difference { path: path.to_owned(), kind });
        for resource in self.resources() {
            let path = match found.files.as_slice() {
                [only] if resource.name == ONLY_FILE => only.path.as_str(),
                _ => resource.name.as_str(),
            };
            match on_disk.remove(path) {
                Some(found) if found == Some(resource.digest) => {}
                Some(found) => differs(path, DifferenceKind::Changed { signed: resource.digest, found }),
                None => differs(path, DifferenceKind::Missing),
            }
        }
        for path in on_disk.into_keys().filter(|path| !self.ignored_paths().contains(path)) {
            differs(path, DifferenceKind::Extra);
        }
        differences.sort_by(|a, b| a.path.cmp(&b.path));
        differences
    }
}
