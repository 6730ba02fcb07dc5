//! From a walked tree to what a signature lists: the digests of its files, whole or in shards.

use std::collections::BTreeMap;

use alnage_fs::{Tree, TreeFile};
use alnage_sign::{HashedFile, Serialization};
use alnage_types::{ContentDigest, HashAlgorithm, Source};

use crate::{Progress, parallel};

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
/// file that could not be read, or was written to meanwhile, has no parts.
pub(crate) fn hash(
    tree: &Tree,
    how: Hashing,
    progress: &dyn Progress,
    wanted: impl Fn(&str) -> bool,
) -> Vec<HashedFile> {
    let named = tree.files.iter().filter_map(|file| Some((file.name.as_deref()?, file)));
    let files: Vec<(&str, &TreeFile)> = named.filter(|(name, _)| wanted(name)).collect();
    let places: BTreeMap<_, &TreeFile> = files.iter().map(|(_, file)| (file.location(), *file)).collect();
    let places: Vec<&TreeFile> = places.into_values().collect();
    progress.expect(places.iter().map(|file| file.size).sum());
    let digests = parallel::map(how.jobs, places.len(), |index| {
        let file = places[index];
        (file.location(), digest(tree, file, how, progress))
    });
    let digests: BTreeMap<_, _> = digests.into_iter().collect();
    let hashed = |(name, file): (&str, &TreeFile)| {
        let digest = digests.get(file.location()).cloned().flatten();
        let (size, parts) = digest.map_or((file.size, None), |(size, parts)| (size, Some(parts)));
        HashedFile { path: name.to_owned(), size, parts }
    };
    let mut hashed: Vec<HashedFile> = files.into_iter().map(hashed).collect();
    hashed.sort_by(|a, b| a.path.cmp(&b.path));
    hashed
}

type Parts = Vec<(Option<alnage_sign::Shard>, ContentDigest)>;

/// The file's size and the digests of its parts.
fn digest(tree: &Tree, file: &TreeFile, how: Hashing, progress: &dyn Progress) -> Option<(u64, Parts)> {
    let whole = (how.algorithm, how.serialization) == (HashAlgorithm::Sha256, Serialization::Files);
    let content = tree
        .read(file, whole, &|bytes| {
            if whole {
                progress.advance(bytes)
            }
        })
        .ok()?;
    let source = content.source.as_ref();
    let parts: Option<Parts> = match content.sha256 {
        Some(digest) if whole => Some(vec![(None, digest.into())]),
        _ => (how.serialization.parts(source.len()))
            .map(|shard| {
                let (start, end) = shard.map_or((0, source.len()), |shard| (shard.start, shard.end));
                Some((shard, digest_range(source, start, end, how.algorithm, progress)?))
            })
            .collect(),
    };
    let parts = parts.filter(|_| !content.has_changed())?;
    Some((source.len(), parts))
}

fn digest_range(
    source: &dyn Source,
    mut start: u64,
    end: u64,
    algorithm: HashAlgorithm,
    progress: &dyn Progress,
) -> Option<ContentDigest> {
    /// Small enough to stay in the processor's cache.
    const CHUNK: usize = 256 << 10;
    let mut hasher = Hasher::new(algorithm);
    let mut buffer = vec![0; CHUNK];
    while start < end {
        let wanted = usize::try_from(end.saturating_sub(start)).map_or(CHUNK, |rest| rest.min(CHUNK));
        let count = source.read_at(start, buffer.get_mut(..wanted)?).ok()?;
        let read = buffer.get(..count).filter(|read| !read.is_empty())?;
        hasher.update(read);
        progress.advance(count as u64);
        start = start.checked_add(count as u64)?;
    }
    Some(hasher.finish())
}

/// One of the algorithms, under way.
enum Hasher {
    Sha256(sha2::Sha256),
    Blake2b512(Box<blake2b_simd::State>),
    Blake3(Box<blake3::Hasher>),
}

impl Hasher {
    fn new(algorithm: HashAlgorithm) -> Self {
        match algorithm {
            HashAlgorithm::Sha256 => Self::Sha256(sha2::Digest::new()),
            HashAlgorithm::Blake2b512 => Self::Blake2b512(Box::default()),
            HashAlgorithm::Blake3 => Self::Blake3(Box::default()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => sha2::Digest::update(hasher, bytes),
            Self::Blake2b512(hasher) => drop(hasher.update(bytes)),
            Self::Blake3(hasher) => drop(hasher.update(bytes)),
        }
    }

    fn finish(self) -> ContentDigest {
        match self {
            Self::Sha256(hasher) => ContentDigest::Sha256(sha2::Digest::finalize(hasher).into()),
            Self::Blake2b512(hasher) => ContentDigest::Blake2b512(*hasher.finalize().as_array()),
            Self::Blake3(hasher) => ContentDigest::Blake3(*hasher.finalize().as_bytes()),
        }
    }
}
