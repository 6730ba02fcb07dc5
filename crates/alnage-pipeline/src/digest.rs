//! From a walked tree to what a signature lists: the digests of its files, whole or in shards.

use std::collections::BTreeMap;

use alnage_fs::{Extent, Hashed, Seen, Stamp, Tree, TreeFile};
use alnage_sign::{HashedFile, Serialization, Shard};
use alnage_types::{ContentDigest, HashAlgorithm};

use crate::Progress;

/// How files are hashed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hashing {
    /// By which algorithm.
    pub(crate) algorithm: HashAlgorithm,
    /// In which parts.
    pub(crate) serialization: Serialization,
    /// On how many threads.
    pub(crate) jobs: usize,
}

/// Hashes the files of `tree` that are `wanted`, sorted by name. Names that lead to the same place are read once. A
/// file that could not be read, or was written to meanwhile, has no parts. What is `seen` and was not touched since is not
/// read.
pub(crate) fn hash(
    tree: &Tree,
    how: Hashing,
    progress: &dyn Progress,
    seen: Option<&mut Seen>,
    wanted: impl Fn(&str) -> bool,
) -> Vec<HashedFile> {
    let named = tree.files.iter().filter_map(|file| Some((file.name.as_deref()?, file)));
    let files: Vec<(&str, &TreeFile)> = named.filter(|(name, _)| wanted(name)).collect();
    let places: BTreeMap<_, &TreeFile> = files.iter().map(|(_, file)| (file.location(), *file)).collect();
    let places: Vec<&TreeFile> = places.into_values().collect();
    let digests = match seen {
        Some(seen) => seen_or_digests(tree, &places, how, progress, seen),
        None => digests(tree, &places, how, progress),
    };
    let digests = digests.into_iter().map(|known| known.map(|(_, size, parts)| (size, parts)));
    let digests: BTreeMap<_, _> = places.iter().map(|file| file.location()).zip(digests).collect();
    let hashed = |(name, file): (&str, &TreeFile)| {
        let digest = digests.get(file.location()).cloned().flatten();
        let (size, parts) = digest.map_or((file.size, None), |(size, parts)| (size, Some(parts)));
        HashedFile { path: name.to_owned(), size, parts }
    };
    let mut hashed: Vec<HashedFile> = files.into_iter().map(hashed).collect();
    hashed.sort_by(|a, b| a.path.cmp(&b.path));
    hashed
}

/// The same as [`digests`], of which what was seen before is not read.
fn seen_or_digests(
    tree: &Tree,
    files: &[&TreeFile],
    how: Hashing,
    progress: &dyn Progress,
    seen: &mut Seen,
) -> Vec<Option<Known>> {
    let mut known: Vec<Option<Known>> = (files.iter())
        .map(|file| {
            let parts: Vec<Option<Shard>> = how.serialization.parts(file.size).collect();
            let digests = seen.digests(file, parts.len())?;
            Some((None, file.size, parts.into_iter().zip(digests).collect()))
        })
        .collect();
    let unknown = files.iter().zip(&mut known).filter(|(_, known)| known.is_none());
    let (files, places): (Vec<&TreeFile>, Vec<_>) = unknown.unzip();
    for ((file, place), hashed) in files.iter().zip(places).zip(digests(tree, &files, how, progress)) {
        if let Some((Some(stamp), _, parts)) = &hashed {
            seen.remember(file, *stamp, parts.iter().map(|(_, digest)| *digest).collect());
        }
        *place = hashed;
    }
    known
}

/// What a file was like while it was read, its size, and the digests of its parts.
type Known = (Option<Stamp>, u64, Parts);
type Parts = Vec<(Option<Shard>, ContentDigest)>;

/// Hashes `files`.
fn digests(tree: &Tree, files: &[&TreeFile], how: Hashing, progress: &dyn Progress) -> Vec<Option<Known>> {
    progress.expect(files.iter().map(|file| file.size).sum());
    let parts = |file: &&TreeFile| how.serialization.parts(file.size).collect::<Vec<_>>();
    let parts: Vec<Vec<Option<Shard>>> = files.iter().map(parts).collect();
    let extent = |file, shard: &Option<Shard>| Extent { file, range: shard.map(|s| s.start..s.end) };
    let extents = files.iter().zip(&parts).flat_map(|(file, parts)| parts.iter().map(|s| extent(*file, s)));
    let extents: Vec<Extent<'_>> = extents.collect();
    let hashed = tree.hash(&extents, how.algorithm, how.jobs, &|bytes| progress.advance(bytes));
    let mut hashed = hashed.into_iter().map(Result::ok);
    let gathered = files.iter().zip(parts).map(|(file, parts)| {
        let hashed: Vec<Option<Hashed>> = hashed.by_ref().take(parts.len()).collect();
        let hashed: Vec<Hashed> = hashed.into_iter().collect::<Option<_>>()?;
        // All shards must be of the same file.
        let stamp = hashed.first().map(|first| first.stamp);
        if hashed.iter().any(|part| Some(part.stamp) != stamp) {
            return None;
        }
        let size = stamp.map_or(file.size, |stamp: Stamp| stamp.len);
        Some((stamp, size, parts.into_iter().zip(hashed.iter().map(|part| part.digest)).collect()))
    });
    gathered.collect()
}
