use std::{
    fs,
    sync::atomic::{AtomicU64, Ordering},
};

use super::*;
use crate::walk;

/// What the crates give for the same bytes.
fn expected(algorithm: HashAlgorithm, bytes: &[u8]) -> ContentDigest {
    match algorithm {
        HashAlgorithm::Sha256 => ContentDigest::Sha256(<sha2::Sha256 as sha2::Digest>::digest(bytes).into()),
        HashAlgorithm::Blake2b512 => ContentDigest::Blake2b512(*blake2b_simd::blake2b(bytes).as_array()),
        HashAlgorithm::Blake3 => ContentDigest::Blake3(*blake3::hash(bytes).as_bytes()),
    }
}

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index.wrapping_mul(2_654_435_761) >> 11) as u8).collect()
}

/// Hashes files of `lengths`, whole and in shards of `shard` bytes, on any number of threads.
#[track_caller]
fn check(lengths: &[usize], shard: u64) {
    let directory = tempfile::tempdir().unwrap();
    for (index, &length) in lengths.iter().enumerate() {
        fs::write(directory.path().join(format!("{index:03}")), content(length)).unwrap();
    }
    let tree = walk(directory.path()).unwrap();
    let mut extents = Vec::new();
    for file in &tree.files {
        extents.push(Extent { file, range: None });
        let starts = (0..file.size).step_by(shard as usize);
        let range = |start: u64| start..(start + shard).min(file.size);
        extents.extend(starts.map(|start| Extent { file, range: Some(range(start)) }));
    }
    let contents: Vec<Vec<u8>> = lengths.iter().map(|&length| content(length)).collect();
    let all: u64 = extents.iter().map(Extent::size).sum();
    for algorithm in HashAlgorithm::ALL {
        let wanted: Vec<ContentDigest> = (extents.iter())
            .map(|extent| {
                let bytes = &contents[extent.file.name.as_ref().unwrap().parse::<usize>().unwrap()];
                let range = extent.range.clone().unwrap_or(0..extent.file.size);
                expected(algorithm, &bytes[range.start as usize..range.end as usize])
            })
            .collect();
        for jobs in [0, 1, 3] {
            let heard = AtomicU64::new(0);
            let advance = |bytes| {
                heard.fetch_add(bytes, Ordering::Relaxed);
            };
            let hashed = tree.hash(&extents, algorithm, jobs, &advance);
            let digests: Vec<_> = hashed.into_iter().map(|hashed| hashed.unwrap().digest).collect();
            assert!(digests == wanted, "{algorithm:?}, {jobs} threads");
            assert_eq!(heard.into_inner(), all, "progress");
        }
    }
}

#[test]
fn files_and_shards_of_any_sizes() {
    check(&[], 1);
    check(&[0], 1);
    check(&[0, 1, 63, 64, 65, 1000], 64);
    check(&[1_500_000, 1_200_001, 1_048_576, 100, 0, 70_000], 400_000);
    let many: Vec<usize> = (0..300).map(|index| index * 7 % 400).collect();
    check(&many, 300);
}

#[test]
fn what_cannot_be_read_is_an_error_and_the_rest_is_hashed() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["a", "b", "c", "d"] {
        fs::write(directory.path().join(name), content(100)).unwrap();
    }
    let tree = walk(directory.path()).unwrap();
    fs::remove_file(directory.path().join("a")).unwrap();
    // It grew since the walk: whole, it is what it is now; a part of it is of a file that is no more.
    fs::write(directory.path().join("b"), content(3 << 20)).unwrap();
    fs::remove_file(directory.path().join("c")).unwrap();
    std::os::unix::fs::symlink("d", directory.path().join("c")).unwrap();
    let [a, b, c, d] = tree.files.as_slice() else { panic!() };
    let mut extents: Vec<Extent<'_>> = [a, b, c, d].map(|file| Extent { file, range: None }).to_vec();
    extents.push(Extent { file: b, range: Some(0..50) });
    let hashed = tree.hash(&extents, HashAlgorithm::Sha256, 2, &|_| {});
    let digests: Vec<_> = hashed.into_iter().map(|hashed| hashed.ok().map(|hashed| hashed.digest)).collect();
    let of = |length| Some(expected(HashAlgorithm::Sha256, &content(length)));
    assert_eq!(digests, [None, of(3 << 20), None, of(100), None]);
}

#[test]
fn what_is_written_to_while_it_is_read_has_no_digest() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    fs::write(&path, content(4 << 20)).unwrap();
    let tree = walk(directory.path()).unwrap();
    let extents = [Extent { file: &tree.files[0], range: None }];
    // The first bytes are read by now, and changed.
    let change = |_| {
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, b"changed", 0).unwrap();
    };
    assert!(tree.hash(&extents, HashAlgorithm::Sha256, 1, &change)[0].is_err());
}
