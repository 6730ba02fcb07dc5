//! How a model on disk differs from what was signed.

use std::{collections::BTreeMap, fmt};

use alnage_types::ContentDigest;

use crate::{HashedFile, Serialization, Shard, SignedManifest, model::ONLY_FILE, path};

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
        signed: ContentDigest,
        /// Digest now.
        found: ContentDigest,
    },
    /// Shards of the content are others.
    ShardsChanged {
        /// The first of them.
        first: Shard,
        /// How many of those signed.
        shards: usize,
    },
    /// The file was signed and could not be read, or was written to meanwhile.
    Unread,
    /// The file was signed and is not there.
    Missing,
    /// The file is there and was not signed.
    Extra,
    /// A symbolic link is there, and the signature does not allow for links.
    Linked,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = path::shown(&self.path);
        match self.kind {
            DifferenceKind::Changed { signed, found } => {
                let algorithm = signed.algorithm().title();
                write!(f, "`{path}` was changed: signed with {algorithm} {signed}, found {found}")
            }
            DifferenceKind::ShardsChanged { first, shards } => {
                let Shard { start, end } = first;
                write!(
                    f,
                    "`{path}` was changed: {shards} of its shards, the first from byte {start} to {end}"
                )
            }
            DifferenceKind::Unread => write!(f, "`{path}` was signed and could not be read whole"),
            DifferenceKind::Missing => write!(f, "`{path}` was signed and is missing"),
            DifferenceKind::Extra => write!(f, "`{path}` is extra: it was not signed"),
            DifferenceKind::Linked => {
                write!(f, "`{path}` is a symbolic link, and the signature does not allow for links")
            }
        }
    }
}

type Parts = BTreeMap<Option<Shard>, ContentDigest>;

impl SignedManifest {
    /// Every file that is not as it was signed, sorted by path; none when `found` is what was signed.
    ///
    /// `found` must be hashed as the signature was made. It may hold files that the signature leaves out: they are
    /// passed over, unless the signature names them all the same.
    pub fn compare(&self, found: &[HashedFile]) -> Vec<Difference> {
        let mut on_disk: BTreeMap<&str, &HashedFile> =
            found.iter().map(|file| (file.path.as_str(), file)).collect();
        let mut signed: BTreeMap<&str, Parts> = BTreeMap::new();
        for resource in self.resources() {
            let path = match found {
                [only] if resource.path == ONLY_FILE => only.path.as_str(),
                _ => resource.path.as_str(),
            };
            signed.entry(path).or_default().insert(resource.shard, resource.digest);
        }
        let mut differences = Vec::new();
        for (path, parts) in &signed {
            let kind = match on_disk.remove(path) {
                Some(file) => difference(parts, file),
                None => Some(DifferenceKind::Missing),
            };
            differences.extend(kind.map(|kind| Difference { path: (*path).to_owned(), kind }));
        }
        for (path, file) in on_disk {
            if !self.ignored_paths().contains(path) && !self.cannot_cover(file) {
                differences.push(Difference { path: path.to_owned(), kind: DifferenceKind::Extra });
            }
        }
        differences.sort_by(|a, b| a.path.cmp(&b.path));
        differences
    }

    /// Whether a signature of this kind says nothing about `file`: shards leave out empty files.
    pub fn cannot_cover(&self, file: &HashedFile) -> bool {
        matches!(self.serialization(), Serialization::Shards { .. }) && file.size == 0
    }
}

fn difference(signed: &Parts, file: &HashedFile) -> Option<DifferenceKind> {
    let Some(parts) = &file.parts else { return Some(DifferenceKind::Unread) };
    let found: Parts = parts.iter().copied().collect();
    if found == *signed {
        return None;
    }
    if let (Some(&signed), Some(&found)) = (signed.get(&None), found.get(&None)) {
        return Some(DifferenceKind::Changed { signed, found });
    }
    let mut differing = signed.iter().filter(|(shard, digest)| found.get(shard) != Some(digest));
    let beyond = found.keys().find(|shard| !signed.contains_key(shard));
    let first = differing.next().map(|(shard, _)| shard).or(beyond).copied().flatten();
    let first = first.unwrap_or(Shard { start: 0, end: 0 });
    Some(DifferenceKind::ShardsChanged { first, shards: differing.count().saturating_add(1) })
}
