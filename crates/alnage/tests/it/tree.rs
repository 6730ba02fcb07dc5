use std::{fs, os::unix::fs::symlink, process::Command};

use crate::sandbox::{Sandbox, hostile, safetensors};

#[test]
fn a_cache_snapshot_is_read_through_its_links() {
    let sandbox = Sandbox::new();
    sandbox.write("hub/models--acme--tiny/blobs/cafe", hostile());
    let snapshot = sandbox.path("hub/models--acme--tiny/snapshots/0123");
    fs::create_dir_all(&snapshot).unwrap();
    symlink("../../blobs/cafe", snapshot.join("pytorch_model.bin")).unwrap();
    let record = sandbox.record("hub/models--acme--tiny/snapshots/0123", 1);
    let model = &record["models"][0];
    assert_eq!(
        (&model["verdict"], &model["manifest"]["files"][0]["path"]),
        (&"block".into(), &"pytorch_model.bin".into())
    );
    assert_eq!(model["tree"][0]["kind"], "symlink-inside");
}

#[test]
fn a_link_out_of_the_root_is_not_followed() {
    let sandbox = Sandbox::with_good_model();
    sandbox.write("secret.pkl", hostile());
    symlink("../secret.pkl", sandbox.path("good/link.pkl")).unwrap();
    let ran = sandbox.run("vet good --format json");
    assert_ne!(ran.code, 0, "{}", ran.stdout);
    let record: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let model = &record["models"][0];
    let read =
        |name: &str| model["artifacts"].as_array().unwrap().iter().any(|artifact| artifact["path"] == name);
    assert!(read("config.json") && !read("link.pkl"));
    assert_eq!(model["tree"][0]["kind"], "symlink-outside");
}

#[test]
fn a_pipe_is_never_waited_for() {
    let sandbox = Sandbox::with_good_model();
    let made = Command::new("mkfifo").arg(sandbox.path("good/pipe")).status().unwrap();
    assert!(made.success());
    let ran = sandbox.run("vet good");
    assert_ne!(ran.code, 0, "{}", ran.stdout);
    let ran = sandbox.run("vet good/pipe");
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("neither a file nor a directory"), "{}", ran.stderr);
}

#[test]
fn git_keeps_its_own_files_to_itself() {
    let sandbox = Sandbox::with_good_model();
    sandbox.write("good/.git/HEAD", "ref: refs/heads/main\n");
    sandbox.write("good/.git/objects/ab/cdef0123456789cdef0123456789cdef012345", b"\x78\x01");
    assert_eq!(sandbox.record("good", 0)["stats"]["excluded"], 2);
    sandbox.write("good/.git/weights.pkl", hostile());
    assert_eq!(sandbox.record("good", 1)["stats"]["excluded"], 2);
}

#[test]
fn a_model_without_digests_is_still_vetted() {
    let sandbox = Sandbox::with_good_model();
    let record = sandbox.record("good --no-hash", 0);
    let manifest = &record["models"][0]["manifest"];
    assert!(manifest["digest"].is_null() && manifest["files"][0]["sha256"].is_null(), "{manifest}");
}

#[test]
fn many_models_come_out_in_the_order_they_were_named() {
    let sandbox = Sandbox::new();
    let names: Vec<String> = (0..600).map(|number| format!("m{number:03}.safetensors")).collect();
    for name in &names {
        sandbox.write(name, safetensors());
    }
    let record = sandbox.record("m*.safetensors --jobs 4", 0);
    let found: Vec<_> =
        record["models"].as_array().unwrap().iter().map(|model| model["path"].as_str()).collect();
    assert_eq!(found, names.iter().map(|name| Some(name.as_str())).collect::<Vec<_>>());
}
