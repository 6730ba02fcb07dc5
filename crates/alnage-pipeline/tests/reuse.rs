//! Verifying again: what nobody touched is not read, and what somebody touched is found.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use alnage_pipeline::{
    Curve, KeyHint, KnownKey, Remembered, Reuse, SignRequest, Silent, Verification, Verifying, keygen, sign,
    signing_key, verify, verifying_key,
};

struct Model {
    directory: tempfile::TempDir,
    signers: KnownKey,
}

impl Model {
    /// A signed model, on a file system whose times of change count: not that for temporary files.
    fn signed() -> Self {
        let directory = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let model = directory.path().join("model");
        fs::create_dir(&model).unwrap();
        for name in ["a.bin", "b.bin", "c.bin"] {
            fs::write(model.join(name), name.repeat(100)).unwrap();
        }
        let keys = keygen(&directory.path().join("keys"), Curve::P256).unwrap();
        let key = signing_key(&keys.private, || Err(String::new())).unwrap();
        sign(&SignRequest::new(&model, &key), &Silent).unwrap();
        let signers = KnownKey { key: verifying_key(&keys.public).unwrap(), hint: KeyHint::MustMatch };
        Self { directory, signers }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join("model").join(name)
    }

    fn verify(&self, remembered: Remembered) -> Verification {
        let (path, memory) = (self.path(""), self.directory.path().join("memory"));
        // Long enough after now that everything has settled.
        let now = SystemTime::now() + Duration::from_secs(24 * 3600);
        let reuse = Some(Reuse { directory: &memory, remembered, now });
        verify(Verifying { reuse, ..Verifying::new(&path, &self.signers, Path::new("no log")) }, &Silent)
            .unwrap()
    }

    /// What is said about the files.
    fn files(&self, remembered: Remembered) -> String {
        let found = self.verify(remembered);
        found.checks.iter().find(|check| check.part == "files").unwrap().message.clone()
    }
}

const ALL: &str = "3 of 3 are as they were signed";

#[test]
fn what_nobody_touched_is_not_read_again() {
    let model = Model::signed();
    assert_eq!(model.files(Remembered::Used), ALL);
    let again = format!("{ALL}; 3 were not read again, as nobody touched them since");
    assert_eq!(model.files(Remembered::Used), again);
    assert_eq!(model.files(Remembered::Replaced), ALL);
    assert_eq!(model.files(Remembered::Used), again);
    // The same content, written anew.
    fs::write(model.path("b.bin"), "b.bin".repeat(100)).unwrap();
    let but_one = format!("{ALL}; 2 were not read again, as nobody touched them since");
    assert_eq!(model.files(Remembered::Used), but_one);
    assert_eq!(model.files(Remembered::Used), again);
}

#[test]
fn what_somebody_touched_is_found() {
    let model = Model::signed();
    for _ in 0..2 {
        assert!(model.verify(Remembered::Used).holds());
    }
    let file = File::options().write(true).open(model.path("b.bin")).unwrap();
    let modified = file.metadata().unwrap().modified().unwrap();
    file.write_all_at(b"B", 0).unwrap();
    file.set_modified(modified).unwrap();
    fs::write(model.path("d.bin"), "d").unwrap();
    fs::remove_file(model.path("c.bin")).unwrap();
    // The second time from what the first remembers.
    for _ in 0..2 {
        let found = model.verify(Remembered::Used);
        assert!(!found.holds());
        let mut paths: Vec<&str> = found.differences.iter().map(|difference| &*difference.path).collect();
        paths.sort_unstable();
        assert_eq!(paths, ["b.bin", "c.bin", "d.bin"]);
    }
}
