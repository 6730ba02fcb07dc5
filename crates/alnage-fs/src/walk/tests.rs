use std::os::unix::fs::symlink;

use super::*;
use crate::read::IN_MEMORY;

/// Builds a directory with `make` and compares the walk with `expected`: path, kind, and whether it is read.
fn check(make: impl FnOnce(&Path), expected: &[(&str, &str, bool)]) -> Tree {
    let root = tempfile::tempdir().unwrap();
    make(root.path());
    let tree = walk(root.path()).unwrap();
    compare(&tree, expected);
    tree
}

fn compare(tree: &Tree, expected: &[(&str, &str, bool)]) {
    let found: Vec<_> = tree
        .entries
        .iter()
        .map(|entry| {
            let kind = match &entry.kind {
                EntryKind::File => "file",
                EntryKind::SymlinkInside { .. } => "inside",
                EntryKind::SymlinkOutside { .. } => "outside",
                EntryKind::SymlinkBroken { .. } => "broken",
                EntryKind::Special => "special",
            };
            (entry.path.as_str(), kind, tree.files.iter().any(|file| file.path == entry.path))
        })
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn links_are_followed_only_to_the_inside() {
    check(
        |root| {
            fs::create_dir(root.join("a")).unwrap();
            fs::write(root.join("a/real"), "x").unwrap();
            symlink("a/real", root.join("inside")).unwrap();
            symlink("a", root.join("inside-directory")).unwrap();
            symlink("/etc/passwd", root.join("outside")).unwrap();
            symlink("../..", root.join("outside-directory")).unwrap();
            symlink("nothing", root.join("broken")).unwrap();
            symlink("loop", root.join("loop")).unwrap();
        },
        &[
            ("a/real", "file", true),
            ("broken", "broken", false),
            ("inside", "inside", true),
            ("inside-directory", "inside", false),
            ("loop", "broken", false),
            ("outside", "outside", false),
            ("outside-directory", "outside", false),
        ],
    );
}

#[test]
fn a_pipe_is_listed_and_not_opened() {
    check(
        |root| {
            let path = root.join("pipe");
            rustix::fs::mknodat(
                rustix::fs::CWD,
                &path,
                rustix::fs::FileType::Fifo,
                rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
                0,
            )
            .unwrap();
        },
        &[("pipe", "special", false)],
    );
}

#[test]
fn a_cache_snapshot_reads_its_blobs() {
    let cache = tempfile::tempdir().unwrap();
    let repository = cache.path().join("models--acme--tiny");
    let snapshot = repository.join("snapshots/0123abcd");
    fs::create_dir_all(&snapshot).unwrap();
    fs::create_dir_all(repository.join("blobs")).unwrap();
    fs::write(repository.join("blobs/cafe"), "weights").unwrap();
    fs::write(cache.path().join("secret"), "secret").unwrap();
    symlink("../../blobs/cafe", snapshot.join("model.safetensors")).unwrap();
    symlink("../../../secret", snapshot.join("secret")).unwrap();
    let tree = walk(&snapshot).unwrap();
    compare(&tree, &[("model.safetensors", "inside", true), ("secret", "outside", false)]);
    let content = tree.read(&tree.files[0], true, &|_| {}).unwrap();
    assert_eq!(content.source.as_bytes(), Some(&b"weights"[..]));
}

#[test]
fn a_directory_swapped_for_a_link_after_the_walk_is_not_followed() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("file"), "secret").unwrap();
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("sub")).unwrap();
    fs::write(root.path().join("sub/file"), "x").unwrap();
    let tree = walk(root.path()).unwrap();
    fs::remove_dir_all(root.path().join("sub")).unwrap();
    symlink(outside.path(), root.path().join("sub")).unwrap();
    assert!(tree.read(&tree.files[0], true, &|_| {}).is_err());
}

#[test]
fn a_long_file_written_to_while_it_is_read_is_noticed() {
    let root = tempfile::tempdir().unwrap();
    let file = fs::File::create(root.path().join("file")).unwrap();
    file.set_len(IN_MEMORY + 1).unwrap();
    let tree = walk(root.path()).unwrap();
    let content = tree.read(&tree.files[0], true, &|_| {}).unwrap();
    assert!(!content.has_changed());
    fs::write(root.path().join("file"), "afterwards").unwrap();
    assert!(content.has_changed());
}

#[test]
fn links_that_come_and_go_are_no_change_of_files_that_are_settled() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("model")).unwrap();
    let path = root.path().join("model/file");
    fs::File::create(&path).unwrap().set_len(IN_MEMORY + 1).unwrap();
    for settled in [false, true] {
        let mut tree = walk(&root.path().join("model")).unwrap();
        tree.settled = settled;
        let content = tree.read(&tree.files[0], true, &|_| {}).unwrap();
        fs::hard_link(&path, root.path().join("link")).unwrap();
        assert_eq!(content.has_changed(), !settled);
        fs::remove_file(root.path().join("link")).unwrap();
    }
}

#[test]
fn a_short_file_written_to_afterwards_is_parsed_as_it_was_hashed() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("file"), "before").unwrap();
    let tree = walk(root.path()).unwrap();
    let content = tree.read(&tree.files[0], true, &|_| {}).unwrap();
    fs::write(root.path().join("file"), "afterwards").unwrap();
    assert!(!content.has_changed());
    assert_eq!(content.source.as_bytes(), Some(&b"before"[..]));
    assert_eq!(content.sha256, Some(Digest::of(b"before")));
}

#[test]
fn the_manifest_leaves_out_what_model_signing_leaves_out() {
    let tree = check(
        |root| {
            for name in
                [".github/w.yml", "sub/.github/w.yml", "model.sig", "sub/model.sig", ".git/HEAD", ".git/x"]
            {
                fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
                fs::write(root.join(name), "x").unwrap();
            }
        },
        &[
            (".git/x", "file", true),
            (".github/w.yml", "file", true),
            ("model.sig", "file", true),
            ("sub/.github/w.yml", "file", true),
            ("sub/model.sig", "file", true),
        ],
    );
    let listed: Vec<_> = tree.files.iter().filter(|file| file.in_manifest).map(|f| f.path.as_str()).collect();
    assert_eq!(listed, ["sub/.github/w.yml", "sub/model.sig"]);
    assert_eq!(tree.excluded, 1);
}

#[test]
fn a_long_file_hashes_the_same_as_in_memory() {
    let root = tempfile::tempdir().unwrap();
    let bytes: Vec<u8> = (0..crate::IN_MEMORY + 12_345).map(|index| (index % 251) as u8).collect();
    fs::write(root.path().join("long"), &bytes).unwrap();
    let tree = walk(&root.path().join("long")).unwrap();
    let content = tree.read(&tree.files[0], true, &|_| {}).unwrap();
    assert_eq!(content.sha256, Some(alnage_types::Digest::of(&bytes)));
    assert!(content.source.as_bytes().is_none());
    let mut end = [0; 100];
    let start = bytes.len() as u64 - 50;
    assert_eq!(content.source.read_at(start, &mut end).unwrap(), 50);
    assert_eq!(end[..50], bytes[bytes.len() - 50..]);
}

#[test]
fn a_special_file_named_by_the_user_is_refused() {
    assert!(matches!(walk(Path::new("/dev/null")), Err(Error::Special(_))));
    assert!(matches!(walk(Path::new("/nowhere/at/all")), Err(Error::NotFound(_))));
}
