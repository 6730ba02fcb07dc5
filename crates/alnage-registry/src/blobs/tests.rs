use std::fs;

use super::*;

fn check(content: &[u8], oid: &str) {
    let folder = tempfile::tempdir().unwrap();
    check_in(&Blobs::Local(Local::at(folder.path()).unwrap()), folder.path(), content, oid);
}

fn check_in(blobs: &Blobs, folder: &Path, content: &[u8], oid: &str) {
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
    let to = folder.join(format!("out-{}", content.len()));
    blobs.materialise(digest, &to).unwrap();
    assert_eq!(fs::read(&to).unwrap(), content);
    assert_eq!(blobs.list().unwrap().len(), 1);
    assert_eq!(fs::read_dir(folder.join("tmp")).unwrap().count(), 0, "nothing is left beside");
    blobs.delete(digest).unwrap();
    blobs.delete(digest).unwrap();
    assert!(blobs.open(digest).unwrap().is_none());
    assert!(matches!(blobs.materialise(digest, &folder.join("x")), Err(crate::Error::NotFound(_))));
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

#[test]
fn a_bucket_keeps_what_a_directory_keeps() {
    let bucket = crate::testing::Bucket::start();
    let folder = tempfile::tempdir().unwrap();
    let s3 = S3::at(bucket.settings(), folder.path()).unwrap();
    let blobs = Blobs::S3(s3);
    for (content, oid) in [
        (&b""[..], "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"),
        (b"hello\n", "ce013625030ba8dba906f756967f9e9ca394464a"),
    ] {
        check_in(&blobs, folder.path(), content, oid);
        blobs.delete(Digest::of(content)).unwrap();
    }
    // Longer than one part.
    let long: Vec<u8> = (0..70_u32 << 20).map(|at| (at >> 8) as u8 ^ at as u8).collect();
    let digest = Digest::of(&long);
    let stored = blobs.put(&*long, Some(digest)).unwrap();
    assert_eq!((stored.size, stored.git_oid), (long.len() as u64, pointer_oid(digest, long.len() as u64)));
    let reader = blobs.open(digest).unwrap().unwrap();
    for (offset, length) in [(0, 10), (10, 1 << 20), (65 << 20, 5 << 20), (3, 3), (70 << 20, 1)] {
        let mut some = vec![0; length];
        let count = reader.read_at(&mut some, offset).unwrap();
        let offset = offset as usize;
        assert_eq!(some[..count], long[offset..(offset + length).min(long.len())], "{offset}");
    }
    assert_eq!(blobs.list().unwrap().len(), 1);
    let to = folder.path().join("long");
    blobs.materialise(digest, &to).unwrap();
    assert_eq!(Digest::of(&fs::read(&to).unwrap()), digest);
    let wrong = S3Settings { secret: "guessed".into(), ..bucket.settings() };
    let locked = Blobs::S3(S3::at(wrong, folder.path()).unwrap());
    assert!(matches!(locked.contains(digest), Err(crate::Error::Unavailable(_))));
}

#[test]
fn buckets_are_named_as_other_tools_name_them() {
    let variable = |name: &str| match name {
        "AWS_ACCESS_KEY_ID" => Some("key".to_owned()),
        "AWS_SECRET_ACCESS_KEY" => Some("secret".to_owned()),
        "AWS_REGION" => Some("eu-west-1".to_owned()),
        _ => None,
    };
    let settings = S3Settings::parse("s3://models/a/b", variable).unwrap();
    let said = (settings.endpoint.as_str(), settings.bucket.as_str(), settings.prefix.as_str());
    assert_eq!(said, ("https://s3.eu-west-1.amazonaws.com", "models", "a/b/"));
    assert!(!format!("{settings:?}").contains("secret"));
    let local = S3Settings::parse("s3://m?endpoint=http://127.0.0.1:1&region=x", variable).unwrap();
    assert_eq!(
        (local.endpoint.as_str(), local.region.as_str(), local.prefix.as_str()),
        ("http://127.0.0.1:1", "x", "")
    );
    assert!(S3Settings::parse("s3://m", |_| None).is_err());
    assert!(S3Settings::parse("http://m", variable).is_err());
}
