//! Manifests and uploads, from what clients of each kind push.

use std::sync::{
    Barrier,
    atomic::{AtomicUsize, Ordering},
};

use alnage_types::Digest;
use serde_json::{Value, json};

use super::*;
use crate::{
    Error,
    blobs::{Blobs, Local},
    database::Database,
    testing::each_engine,
};

fn layer(media_type: &str, content: &str, annotations: Value) -> Value {
    json!({"mediaType": media_type, "digest": Name(Digest::of(content.as_bytes())), "size": content.len(),
           "annotations": annotations})
}

fn manifest_with(layers: Vec<Value>) -> Vec<u8> {
    let config = layer("application/vnd.oci.empty.v1+json", "{}", json!({}));
    serde_json::to_vec(&json!({"schemaVersion": 2, "config": config, "layers": layers})).unwrap()
}

#[test]
fn layers_become_files_under_the_names_their_tools_give() {
    let check = |layers: Vec<Value>, wanted: &[&str]| {
        let files = Manifest::parse(&manifest_with(layers)).unwrap().files().unwrap();
        let paths: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, wanted);
    };
    let raw = "application/vnd.cncf.model.weight.v1.raw";
    check(vec![layer(raw, "a", json!({FILE_PATH: "w/a.safetensors"}))], &["w/a.safetensors"]);
    check(vec![layer("application/octet-stream", "a", json!({TITLE: "a.bin"}))], &["a.bin"]);
    check(vec![layer(raw, "a", json!({FILE_PATH: "a", TITLE: "b"}))], &["a"]);
    let ollama =
        |kind: &str, content| layer(&format!("application/vnd.ollama.image.{kind}"), content, json!({}));
    check(
        vec![ollama("model", "a"), ollama("license", "b"), ollama("license", "c"), ollama("params", "d")],
        &["model.gguf", "license", "license-2", "params.json"],
    );
    let named = |ending: &str| format!("layers/{}{ending}", &Digest::of(b"a").to_string()[..12]);
    for (media_type, ending) in [
        ("application/vnd.oci.image.layer.v1.tar+gzip", ".tar.gz"),
        ("application/vnd.cncf.model.weight.v1.tar", ".tar"),
        ("application/x-other", ""),
    ] {
        check(vec![layer(media_type, "a", json!({}))], &[&named(ending)]);
    }
}

#[test]
fn what_is_no_artifact_is_refused_with_the_reason() {
    let check = |bytes: &[u8], wanted: &str| {
        let error = Manifest::parse(bytes).and_then(|manifest| manifest.files()).unwrap_err().to_string();
        assert!(error.contains(wanted), "`{error}`, not `{wanted}`");
    };
    check(b"{", "no manifest");
    check(br#"{"schemaVersion": 2, "manifests": []}"#, "no manifest");
    check(&manifest_with(vec![]), "without layers");
    let titled = |content| layer("a/b", content, json!({TITLE: "same"}));
    check(&manifest_with(vec![titled("a"), titled("b")]), "two layers");
    let mut other = serde_json::from_slice::<Value>(&manifest_with(vec![titled("a")])).unwrap();
    other["schemaVersion"] = 1.into();
    check(other.to_string().as_bytes(), "version 2");
    other["schemaVersion"] = 2.into();
    other["mediaType"] = "application/vnd.oci.image.index.v1+json".into();
    check(other.to_string().as_bytes(), "is not taken");
    other["mediaType"] = OCI_MANIFEST.into();
    other["layers"][0]["digest"] = "sha512:00".into();
    check(other.to_string().as_bytes(), "no manifest");
    check(&vec![b' '; MAX_MANIFEST + 1], "larger");
}

#[test]
fn a_version_is_the_same_artifact_every_time_and_reads_back_as_its_files() {
    let file = |path: &str| LayerFile {
        path: path.into(),
        digest: Digest::of(path.as_bytes()),
        size: path.len() as u64,
    };
    let files =
        vec![file("README.md"), file("config.json"), file("model-Q4_K_M.gguf"), file("model-Q8_0.gguf")];
    let packed = model_pack("acme/tiny", &"a".repeat(40), &files).unwrap();
    assert_eq!(packed, model_pack("acme/tiny", &"a".repeat(40), &files).unwrap());
    let manifest = Manifest::parse(&packed.manifest).unwrap();
    assert_eq!(manifest.files().unwrap(), files);
    assert_eq!(manifest.kind(), MODEL_PACK);
    assert_eq!(manifest.config.digest.0, Digest::of(&packed.config));
    let kinds: Vec<_> = manifest.layers.iter().map(|layer| layer.media_type.as_str()).collect();
    let kind = |part| format!("application/vnd.cncf.model.{part}.v1.raw");
    assert_eq!(kinds, [kind("doc"), kind("weight.config"), kind("weight"), kind("weight")]);
    for (tag, path) in [("latest", 2), ("q8_0", 3)] {
        let manifest = Manifest::parse(&ollama(&files, tag).unwrap().unwrap().manifest).unwrap();
        assert_eq!(manifest.layers[0].digest.0, files[path].digest, "{tag}");
    }
    assert_eq!(ollama(&files[..2], "latest").unwrap(), None);
}

struct Store {
    _directory: tempfile::TempDir,
    database: Database,
    blobs: Blobs,
}

fn store() -> Store {
    let directory = tempfile::tempdir().unwrap();
    let database = Database::open_file(&directory.path().join("records.db")).unwrap();
    let blobs = Blobs::Local(Local::at(&directory.path().join("store")).unwrap());
    Store { _directory: directory, database, blobs }
}

#[test]
fn an_upload_in_parts_becomes_one_blob_and_its_parts_go() {
    each_engine(|database| {
        let directory = tempfile::tempdir().unwrap();
        parts_become_one(&database, &Blobs::Local(Local::at(directory.path()).unwrap()));
    });
}

fn parts_become_one(database: &Database, blobs: &Blobs) {
    begin(database, blobs, "acme/tiny", "u1", 1).unwrap();
    assert_eq!(append(database, blobs, "acme/tiny", "u1", 0, &b"one "[..]).unwrap(), 4);
    assert!(matches!(append(database, blobs, "acme/tiny", "u1", 3, &b"x"[..]), Err(Error::Conflict(_))));
    assert!(matches!(append(database, blobs, "acme/other", "u1", 4, &b"x"[..]), Err(Error::NotFound(_))));
    assert_eq!(append(database, blobs, "acme/tiny", "u1", 4, &b"two"[..]).unwrap(), 7);
    assert!(finish(database, blobs, "acme/tiny", "u1", Digest::of(b"other"), 2).is_err());
    let whole = Digest::of(b"one two");
    assert_eq!(finish(database, blobs, "acme/tiny", "u1", whole, 2).unwrap().size, 7);
    assert_eq!(noted_blob(database, "acme/tiny", whole).unwrap(), Some(7));
    assert_eq!(noted_blob(database, "acme/other", whole).unwrap(), None);
    let left: Vec<_> = blobs.list().unwrap().into_iter().map(|blob| blob.digest).collect();
    assert_eq!(left, [whole]);
    assert!(matches!(upload(database, "acme/tiny", "u1"), Err(Error::NotFound(_))));
}

#[test]
fn of_requests_that_send_the_same_part_one_is_taken() {
    each_engine(|database| {
        let directory = tempfile::tempdir().unwrap();
        let blobs = Blobs::Local(Local::at(directory.path()).unwrap());
        begin(&database, &blobs, "m", "u1", 1).unwrap();
        let (taken, sent) = (AtomicUsize::new(0), Barrier::new(8));
        std::thread::scope(|scope| {
            for number in 0..8_u8 {
                let (database, blobs, taken, sent) = (&database, &blobs, &taken, &sent);
                scope.spawn(move || {
                    sent.wait();
                    match append(database, blobs, "m", "u1", 0, &[number; 9][..]) {
                        Ok(length) => assert_eq!((length, taken.fetch_add(1, Ordering::Relaxed)), (9, 0)),
                        Err(error) => assert!(matches!(error, Error::Conflict(_)), "{error}"),
                    }
                });
            }
        });
        assert_eq!(part_size(&upload(&database, "m", "u1").unwrap()), 9);
        cancel(&database, &blobs, "m", "u1").unwrap();
        // What comes after the end is no part of anything, and nothing names it.
        assert!(matches!(append(&database, &blobs, "m", "u1", 0, &b"late"[..]), Err(Error::NotFound(_))));
    });
}

#[test]
fn an_upload_in_one_part_is_not_copied_and_one_that_nobody_finished_goes() {
    let Store { database, blobs, .. } = &store();
    begin(database, blobs, "m", "u1", 1).unwrap();
    append(database, blobs, "m", "u1", 0, &b"whole"[..]).unwrap();
    finish(database, blobs, "m", "u1", Digest::of(b"whole"), 1).unwrap();
    begin(database, blobs, "m", "u2", 1).unwrap();
    append(database, blobs, "m", "u2", 0, &b"left over"[..]).unwrap();
    begin(database, blobs, "m", "u3", 2 * 24 * 60 * 60).unwrap();
    let left: Vec<_> = blobs.list().unwrap().into_iter().map(|blob| blob.digest).collect();
    assert_eq!(left, [Digest::of(b"whole")]);
    assert!(upload(database, "m", "u2").is_err());
}

#[test]
fn an_attachment_goes_with_the_version_of_its_subject() {
    each_engine(|database| {
        let directory = tempfile::tempdir().unwrap();
        attachments_follow(&database, &Blobs::Local(Local::at(directory.path()).unwrap()));
    });
}

fn attachments_follow(database: &Database, blobs: &Blobs) {
    let subject = manifest_with(vec![layer("a/b", "weights", json!({TITLE: "w"}))]);
    let parsed = Manifest::parse(&subject).unwrap();
    let mut about =
        serde_json::from_slice::<Value>(&manifest_with(vec![layer("a/sig", "s", json!({}))])).unwrap();
    about["subject"] =
        json!({"mediaType": OCI_MANIFEST, "digest": Name(Digest::of(&subject)), "size": subject.len()});
    let about = about.to_string().into_bytes();
    let signature = Manifest::parse(&about).unwrap();
    let kept = KeptManifest::new(&signature, &about, "").unwrap();
    keep(database, blobs, "m", &kept, &[Digest::of(b"s")], 1).unwrap();
    assert_eq!(commit_of(database, "m", &kept).unwrap(), None);
    assert_eq!(commits_with(database, "m", Digest::of(b"s")).unwrap(), []);
    let commit = "c".repeat(40);
    keep(database, blobs, "m", &KeptManifest::new(&parsed, &subject, &commit).unwrap(), &[], 2).unwrap();
    assert_eq!(commit_of(database, "m", &kept).unwrap(), Some(commit.clone()));
    assert_eq!(commits_with(database, "m", Digest::of(b"s")).unwrap(), [(commit.clone(), Part::OfArtifact)]);
    assert_eq!(commits_with(database, "other", Digest::of(b"s")).unwrap(), []);
    assert_eq!(referrers(database, "m", Digest::of(&subject)).unwrap(), [kept]);
    assert_eq!(manifest_of(database, "m", &commit).unwrap().unwrap().bytes, subject);
}
