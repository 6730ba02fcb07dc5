use std::{
    fs::{self, File},
    os::unix::fs::{FileExt, PermissionsExt, symlink},
};

use alnage_types::HashAlgorithm;

use super::*;
use crate::{Extent, walk};

/// A model on a file system whose times of change count, and a place to remember it.
struct Model {
    directory: tempfile::TempDir,
    memory: PathBuf,
}

/// Long enough after `now` that every file made by then has settled.
fn later() -> SystemTime {
    SystemTime::now() + Duration::from_secs(24 * 3600)
}

impl Model {
    fn new() -> Self {
        // Not the directory for temporary files, which may be a tmpfs.
        let directory = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let model = directory.path().join("model");
        fs::create_dir_all(model.join("sub")).unwrap();
        for name in ["a", "b", "sub/c"] {
            fs::write(model.join(name), format!("content of {name}")).unwrap();
        }
        symlink("a", model.join("link")).unwrap();
        let memory = directory.path().join("memory");
        Self { directory, memory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join("model").join(name)
    }

    /// Goes through the model as a verifier does; gives the names that had to be read, and what was remembered.
    fn go(&self, now: SystemTime) -> (Vec<String>, Recall) {
        let tree = walk(&self.path("")).unwrap();
        let (mut seen, recall) = Seen::open(&self.memory, Digest::of(b"purpose"), &tree, now);
        let mut read = Vec::new();
        for file in &tree.files {
            if seen.digests(file, 1).is_none() {
                let hashed = tree.hash(&[Extent { file, range: None }], HashAlgorithm::Sha256, 1, &|_| {});
                let hashed = hashed.into_iter().next().unwrap().unwrap();
                seen.remember(file, hashed.stamp, vec![hashed.digest]);
                read.push(file.name.clone().unwrap());
            }
        }
        seen.save().unwrap();
        (read, recall)
    }

    /// What has to be read again after `change`, when everything was remembered before.
    #[track_caller]
    fn check(change: impl FnOnce(&Self), expected: &[&str]) {
        let model = Self::new();
        assert_eq!(model.go(later()).0, ["a", "b", "link", "sub/c"]);
        assert_eq!(model.go(later()).0, [""; 0], "nothing was touched");
        change(&model);
        assert_eq!(model.go(later()).0, expected);
        assert_eq!(model.go(later()).0, [""; 0], "and remembered again");
    }
}

#[test]
fn what_was_touched_is_read_again() {
    // The time of the last write alone.
    Model::check(
        |model| {
            let file = File::options().write(true).open(model.path("b")).unwrap();
            file.set_modified(SystemTime::now()).unwrap();
        },
        &["b"],
    );
    // The link is read where it leads.
    Model::check(|model| fs::write(model.path("a"), "other").unwrap(), &["a", "link"]);
    // In place, of the same length, and the time of the last write put back.
    Model::check(
        |model| {
            let file = File::options().write(true).open(model.path("b")).unwrap();
            let modified = file.metadata().unwrap().modified().unwrap();
            file.write_all_at(b"CONTENT", 0).unwrap();
            file.set_modified(modified).unwrap();
            assert_eq!(file.metadata().unwrap().modified().unwrap(), modified);
        },
        &["b"],
    );
    // Another file of the same length and time of the last write in its place.
    Model::check(
        |model| {
            let modified = fs::metadata(model.path("b")).unwrap().modified().unwrap();
            fs::write(model.path("../new"), "CONTENT of b").unwrap();
            let file = File::options().write(true).open(model.path("../new")).unwrap();
            file.set_modified(modified).unwrap();
            fs::rename(model.path("../new"), model.path("b")).unwrap();
        },
        &["b"],
    );
    // Through another name of the same file.
    Model::check(
        |model| {
            fs::hard_link(model.path("sub/c"), model.path("../other")).unwrap();
            fs::write(model.path("../other"), "CONTENT of sub/c").unwrap();
        },
        &["sub/c"],
    );
    Model::check(|model| fs::write(model.path("added"), "new").unwrap(), &["added"]);
    Model::check(
        |model| {
            fs::remove_file(model.path("link")).unwrap();
            symlink("sub/d", model.path("link")).unwrap();
            fs::copy(model.path("sub/c"), model.path("sub/d")).unwrap();
        },
        &["link", "sub/d"],
    );
    // Two files that change places.
    Model::check(
        |model| {
            fs::rename(model.path("b"), model.path("t")).unwrap();
            fs::rename(model.path("sub/c"), model.path("b")).unwrap();
            fs::rename(model.path("t"), model.path("sub/c")).unwrap();
        },
        &["b", "sub/c"],
    );
}

#[test]
fn a_file_that_is_gone_is_not_there() {
    let model = Model::new();
    model.go(later());
    fs::remove_file(model.path("b")).unwrap();
    assert_eq!(walk(&model.path("")).unwrap().files.len(), 3);
    assert_eq!(model.go(later()).0, [""; 0]);
}

#[test]
fn what_was_changed_a_moment_ago_is_not_remembered() {
    let model = Model::new();
    for _ in 0..2 {
        let (read, recall) = model.go(SystemTime::now());
        assert_eq!((read.len(), recall), (4, Recall::Nothing));
    }
    assert!(!model.memory.exists(), "there was nothing to write down");
}

#[test]
fn only_file_systems_whose_times_count_are_remembered() {
    if !Path::new("/dev/shm").is_dir() {
        return eprintln!("skipped: there is no tmpfs at /dev/shm");
    }
    let directory = tempfile::tempdir_in("/dev/shm").unwrap();
    fs::write(directory.path().join("a"), "a").unwrap();
    let tree = walk(directory.path()).unwrap();
    let memory = directory.path().join("memory");
    let (mut seen, _) = Seen::open(&memory, Digest::of(b""), &tree, later());
    let hashed =
        tree.hash(&[Extent { file: &tree.files[0], range: None }], HashAlgorithm::Sha256, 1, &|_| {});
    let hashed = hashed.into_iter().next().unwrap().unwrap();
    seen.remember(&tree.files[0], hashed.stamp, vec![hashed.digest]);
    assert_eq!(seen.young(), 1);
    seen.save().unwrap();
    assert!(!memory.exists());
}

/// What is remembered after `damage` to where it is kept.
#[track_caller]
fn refused(damage: impl FnOnce(&Path, &Path), expected: &str) {
    let model = Model::new();
    model.go(later());
    assert_eq!(model.go(later()), (vec![], Recall::Files(3)));
    let kept = model.memory.join(format!("{}.seen", Digest::of(b"purpose")));
    assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    damage(&kept, &model.memory.join("key"));
    // What cannot be written for the same reason is no matter of this test.
    let tree = walk(&model.path("")).unwrap();
    let (mut seen, recall) = Seen::open(&model.memory, Digest::of(b"purpose"), &tree, later());
    assert_eq!(recall, Recall::Refused(expected.to_owned()));
    assert!(tree.files.iter().all(|file| seen.digests(file, 1).is_none()));
}

#[test]
fn a_forged_memory_is_refused() {
    let forged = "it was not written with the key of this user";
    refused(
        |kept, _| {
            let mut bytes = fs::read(kept).unwrap();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            // The digest of another content.
            let place = text.find("sha256:").unwrap() + 7;
            bytes[place] = if bytes[place] == b'0' { b'1' } else { b'0' };
            fs::write(kept, bytes).unwrap();
        },
        forged,
    );
    refused(
        |kept, _| {
            let bytes = fs::read(kept).unwrap();
            fs::write(kept, &bytes[..bytes.len() - 40]).unwrap();
        },
        forged,
    );
    refused(|kept, _| fs::write(kept, "").unwrap(), "it is cut short");
    refused(|_, key| fs::write(key, [7; 32]).unwrap(), forged);
    refused(|_, key| fs::write(key, "short").unwrap(), "its key is damaged");
    refused(|_, key| fs::remove_file(key).unwrap(), "its key is gone");
    let open = |key: &Path| fs::set_permissions(key, fs::Permissions::from_mode(0o644)).unwrap();
    refused(|_, key| open(key), "its key is not this user's alone");
    refused(
        |_, key| {
            fs::rename(key, key.with_extension("moved")).unwrap();
            symlink(key.with_extension("moved"), key).unwrap();
        },
        "its key is not this user's alone",
    );
}

#[test]
fn what_is_remembered_for_one_purpose_is_nothing_for_another() {
    let model = Model::new();
    model.go(later());
    let tree = walk(&model.path("")).unwrap();
    let other = Digest::of(b"other");
    assert_eq!(Seen::open(&model.memory, other, &tree, later()).1, Recall::Nothing);
    // Not even when its file is put in the other's place.
    let file = |purpose: Digest| model.memory.join(format!("{purpose}.seen"));
    fs::copy(file(Digest::of(b"purpose")), file(other)).unwrap();
    let (_, recall) = Seen::open(&model.memory, other, &tree, later());
    assert_eq!(recall, Recall::Refused("another version wrote it".to_owned()));
}
