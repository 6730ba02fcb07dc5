use std::fs;

use super::*;

fn check(content: &[u8], oid: &str) {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::Local(Local::at(folder.path()).unwrap());
    let digest = Digest::of(content);
    assert!(!blobs.contains(digest).unwrap());
    assert!(blobs.put(content, Some(Digest::of(b"other"))).is_err());
    assert!(!blobs.contains(digest).unwrap());
    for _ in 0..2 {
        let stored = blobs.put(content, Some(digest)).unwrap();
        assert_eq!(stored, Stored { digest, size: content.len() as u64, git_oid: oid.into() });
    }
    let reader = blobs.open(digest).unwrap().unwrap();
    let mut all = Vec::new();
    reader.stream().read_to_end(&mut all).unwrap();
    assert_eq!(all, content);
    let mut end = [0; 8];
    assert_eq!(reader.read_at(&mut end, reader.size()).unwrap(), 0);
    let to = folder.path().join("out");
    blobs.materialise(digest, &to).unwrap();
    assert_eq!(fs::read(&to).unwrap(), content);
    assert_eq!(blobs.list().unwrap().len(), 1);
    assert_eq!(fs::read_dir(folder.path().join("tmp")).unwrap().count(), 0, "nothing is left beside");
    blobs.delete(digest).unwrap();
    blobs.delete(digest).unwrap();
    assert!(blobs.open(digest).unwrap().is_none());
    assert!(matches!(blobs.materialise(digest, &folder.path().join("x")), Err(crate::Error::NotFound(_))));
    blobs.put_file(&to, digest).unwrap();
    assert_eq!(blobs.read(digest, 100).unwrap().unwrap(), content);
}

#[test]
fn what_is_put_is_what_is_read() {
    // git hash-object
    check(b"", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
    check(b"hello\n", "ce013625030ba8dba906f756967f9e9ca394464a");
}

#[test]
fn pointers_are_those_of_git_lfs() {
    let pointer = pointer(Digest::of(b"abc"), 3);
    assert!(pointer.ends_with("\nsize 3\n") && pointer.contains("oid sha256:ba7816bf"));
    assert_eq!(
        pointer_oid(Digest::of(b"abc"), 3),
        blob_oid(pointer.len() as u64, pointer.as_bytes()).unwrap()
    );
}
