//! Options of signing and verifying, and the holes that other verifiers have.

use std::os::unix::fs::symlink;

use crate::sandbox::{Ran, Sandbox};

const SIGN: &str = "sign good --key keys/signing.pem";
const VERIFY: &str = "verify good --key keys/signing.pub.pem";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_good_model();
    assert_eq!(sandbox.run("keygen --out keys").code, 0);
    sandbox
}

#[track_caller]
fn check(sandbox: &Sandbox, arguments: &str, code: i32, said: &str) -> Ran {
    let ran = sandbox.run(arguments);
    assert_eq!(ran.code, code, "{arguments}: {}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout.contains(said) || ran.stderr.contains(said),
        "{said:?} in {}{}",
        ran.stdout,
        ran.stderr
    );
    ran
}

#[test]
fn content_that_the_signature_leaves_out_is_told_and_can_be_forbidden() {
    let sandbox = sandbox();
    check(&sandbox, &format!("{SIGN} --ignore-paths cache"), 0, "");
    let ran = check(&sandbox, VERIFY, 0, "verified, without a verdict");
    assert!(!ran.stdout.contains("coverage"), "{}", ran.stdout);
    for (path, told) in [
        (".git/hooks/post-checkout", "`.git`, 1 file"),
        (".git/objects/00/anything", "`.git`, 2 files"),
        (".github/workflows/run.yml", "`.github`, 1 file"),
        (".gitattributes", "`.gitattributes`, 1 file"),
        ("cache/weights.pkl", "`cache`, 1 file"),
    ] {
        sandbox.write(&format!("good/{path}"), "x");
        check(&sandbox, VERIFY, 0, told);
        check(&sandbox, &format!("{VERIFY} --forbid-ignored"), 1, "refused      coverage");
    }
}

#[test]
fn gits_files_are_covered_on_request() {
    let sandbox = sandbox();
    sandbox.write("good/.git/HEAD", "ref: refs/heads/main");
    check(&sandbox, &format!("{SIGN} --no-ignore-git-paths"), 0, "signed 3 files");
    check(&sandbox, &format!("{VERIFY} --forbid-ignored"), 0, "files: 3 of 3");
    sandbox.write("good/.git/HEAD", "ref: refs/heads/evil");
    check(&sandbox, VERIFY, 1, "`.git/HEAD` was changed");
    sandbox.write("good/.git/HEAD", "ref: refs/heads/main");
    sandbox.write("good/.git/hooks/post-checkout", "x");
    check(&sandbox, VERIFY, 0, "not covered by the signature: `.git`, 1 file");
    check(&sandbox, &format!("{VERIFY} --no-ignore-git-paths"), 1, "`.git/hooks/post-checkout` is extra");
}

#[test]
fn shards_leave_out_empty_files_and_say_so() {
    let sandbox = sandbox();
    sandbox.write("good/empty.py", "");
    check(&sandbox, &format!("{SIGN} --shard-size 7"), 0, "not covered: 1 empty files");
    check(&sandbox, VERIFY, 0, "not covered by the signature: `empty.py`, 1 file");
    check(&sandbox, &format!("{VERIFY} --forbid-ignored"), 1, "refused      coverage");
    sandbox.write("good/empty.py", "import os");
    check(&sandbox, VERIFY, 1, "`empty.py` is extra");
    sandbox.write("good/empty.py", "");
    sandbox.write("good/config.json", "");
    check(&sandbox, VERIFY, 1, "`config.json` was changed");
}

#[test]
fn files_that_were_not_signed_can_be_told_instead_of_refused() {
    let sandbox = sandbox();
    check(&sandbox, SIGN, 0, "");
    sandbox.write("good/extra.bin", "x");
    check(&sandbox, VERIFY, 1, "`extra.bin` is extra");
    let lenient = format!("{VERIFY} --ignore-unsigned-files");
    check(&sandbox, &lenient, 0, "not covered by the signature: `extra.bin`, 1 file");
    check(&sandbox, &format!("{VERIFY} --ignore-paths good/extra.bin"), 0, "`extra.bin`, 1 file");
    sandbox.write("good/config.json", "{}");
    check(&sandbox, &lenient, 1, "`config.json` was changed");
}

#[test]
fn links_are_refused_unless_they_were_signed() {
    let sandbox = sandbox();
    symlink("config.json", sandbox.path("good/link.json")).unwrap();
    check(&sandbox, SIGN, 2, "hint: `--allow-symlinks`");
    check(&sandbox, &format!("{SIGN} --allow-symlinks"), 0, "signed 3 files");
    check(&sandbox, VERIFY, 0, "files: 3 of 3");
    check(&sandbox, &format!("{VERIFY} --forbid-symlinks"), 1, "`link.json` is a symbolic link");
    std::fs::remove_file(sandbox.path("good/link.json")).unwrap();
    check(&sandbox, VERIFY, 1, "`link.json` was signed and is missing");

    check(&sandbox, SIGN, 0, "");
    std::fs::rename(sandbox.path("good/config.json"), sandbox.path("good/.gitignore")).unwrap();
    symlink(".gitignore", sandbox.path("good/config.json")).unwrap();
    check(&sandbox, VERIFY, 1, "`config.json` is a symbolic link");
    check(&sandbox, &format!("{VERIFY} --allow-symlinks"), 0, "files: 2 of 2");
}

#[test]
fn what_lies_behind_a_link_to_a_directory_is_never_left_unsigned() {
    let sandbox = sandbox();
    sandbox.write("good/weights/model.bin", "weights");
    symlink("weights", sandbox.path("good/linked")).unwrap();
    check(&sandbox, SIGN, 2, "`linked` cannot be signed");
    check(&sandbox, &format!("{SIGN} --allow-symlinks"), 2, "`linked` cannot be signed");
    std::fs::remove_file(sandbox.path("good/linked")).unwrap();
    check(&sandbox, &format!("{SIGN} --allow-symlinks"), 0, "");
    symlink("weights", sandbox.path("good/linked")).unwrap();
    check(&sandbox, VERIFY, 1, "`linked` is extra");
    std::fs::remove_file(sandbox.path("good/linked")).unwrap();
    symlink("linked", sandbox.path("good/linked")).unwrap();
    check(&sandbox, VERIFY, 1, "`linked` is extra");
}

#[test]
fn a_model_without_files_is_not_signed() {
    let sandbox = sandbox();
    std::fs::create_dir_all(sandbox.path("empty/.git")).unwrap();
    sandbox.write("empty/.git/HEAD", "x");
    check(&sandbox, "sign empty --key keys/signing.pem", 2, "the model has no files");
    assert!(!sandbox.path("empty/model.sig").exists());
}

#[test]
fn a_hint_is_asked_for_unless_it_is_not() {
    let sandbox = sandbox();
    check(&sandbox, SIGN, 0, "");
    let text = sandbox.read("good/model.sig");
    let at = text.find("\"hint\":\"").unwrap() + 8;
    sandbox.write("good/model.sig", format!("{}{}{}", &text[..at], "00".repeat(32), &text[at + 64..]));
    check(&sandbox, VERIFY, 1, "signed by the key");
    check(&sandbox, &format!("{VERIFY} --ignore-hint"), 0, "verified");
}

#[test]
fn the_hugging_face_cache_is_signed_and_verified_where_it_lies() {
    let sandbox = sandbox();
    let snapshot = "hub/models--org--name/snapshots/0123456789abcdef";
    sandbox.write("hub/models--org--name/blobs/ab12", "{}");
    let false_name = "5c52cb3b1fe3be66e4a4a8d6ef8b8ea5ed0ab9f4c2b10ee3d0a2c9e6e7d1f0aa";
    sandbox.write(&format!("hub/models--org--name/blobs/{false_name}"), "weights");
    std::fs::create_dir_all(sandbox.path(snapshot)).unwrap();
    symlink("../../blobs/ab12", sandbox.path(&format!("{snapshot}/config.json"))).unwrap();
    symlink(format!("../../blobs/{false_name}"), sandbox.path(&format!("{snapshot}/model.bin"))).unwrap();
    let sign = format!("sign {snapshot} --key keys/signing.pem --signature hub.sig");
    let verify = format!("verify {snapshot} --key keys/signing.pub.pem --signature hub.sig");
    check(&sandbox, &sign, 2, "under another digest");

    // SHA-256 of `weights`.
    let real = "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c";
    let blob = format!("hub/models--org--name/blobs/{real}");
    sandbox.write(&blob, "weights");
    std::fs::remove_file(sandbox.path(&format!("{snapshot}/model.bin"))).unwrap();
    symlink(format!("../../blobs/{real}"), sandbox.path(&format!("{snapshot}/model.bin"))).unwrap();
    check(&sandbox, &sign, 0, "signed 2 files");
    check(&sandbox, &verify, 0, "files: 2 of 2");
    sandbox.write("copy/config.json", "{}");
    sandbox.write("copy/model.bin", "weights");
    let copied = "verify copy --key keys/signing.pub.pem --signature hub.sig";
    check(&sandbox, copied, 0, "files: 2 of 2");
    sandbox.write(&blob, "Weights");
    check(&sandbox, &verify, 1, "refused      cache");
}

#[test]
fn a_signature_is_looked_at_without_being_verified() {
    let sandbox = sandbox();
    check(&sandbox, SIGN, 0, "");
    check(&sandbox, "signature show good/model.sig", 0, "not verified: what the signature says of `good`");
    check(&sandbox, "signature show good/model.sig --format json", 0, "\"method\": \"key\"");
    check(&sandbox, "signature lint good/model.sig", 0, "taken by    the specification");
    check(&sandbox, &format!("{SIGN} --shard-size 1KiB"), 0, "");
    check(&sandbox, "signature lint good/model.sig", 1, "refused by  model_signing 1.1.1 (Python)");
    check(&sandbox, "signature lint good/config.json", 1, "it has no DSSE envelope");
}

#[test]
fn an_oci_image_is_signed_by_the_digests_it_names() {
    let sandbox = sandbox();
    // SHA-256 of `weights` and of `{}`.
    let weights = "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c";
    let config = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.cncf.model.config.v1+json", "digest": format!("sha256:{config}"), "size": 2},
        "layers": [{
            "mediaType": "application/vnd.cncf.model.weight.v1.raw",
            "digest": format!("sha256:{weights}"),
            "size": 7,
            "annotations": {"org.cncf.model.filepath": "model.bin"},
        }],
    });
    let manifest = manifest.to_string();
    let digest = alnage_types::Digest::of(manifest.as_bytes());
    let index = serde_json::json!({
        "schemaVersion": 2,
        "manifests": [{"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": format!("sha256:{digest}"), "size": manifest.len()}],
    });
    sandbox.write("image/oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
    sandbox.write("image/index.json", index.to_string());
    sandbox.write(&format!("image/blobs/sha256/{digest}"), &manifest);
    sandbox.write("manifest.json", &manifest);
    // The layers are not there yet: signing does not need them.
    check(&sandbox, "sign image --oci --key keys/signing.pem --signature oci.sig", 0, "signed 2 files");
    let verify = "verify image --oci --key keys/signing.pub.pem --signature oci.sig";
    check(&sandbox, verify, 1, "`model.bin` was signed and is missing");
    check(
        &sandbox,
        "verify manifest.json --oci --key keys/signing.pub.pem --signature oci.sig",
        0,
        "no layer was read",
    );
    sandbox.write(&format!("image/blobs/sha256/{config}"), "{}");
    sandbox.write(&format!("image/blobs/sha256/{weights}"), "weights");
    check(&sandbox, verify, 0, "the layers are as they were signed");
    // What was pulled out of the image has the same signature.
    sandbox.write("pulled/model.bin", "weights");
    sandbox.write("pulled/config.json", "{}");
    check(&sandbox, "verify pulled --key keys/signing.pub.pem --signature oci.sig", 0, "files: 2 of 2");
    sandbox.write(&format!("image/blobs/sha256/{weights}"), "Weights");
    check(&sandbox, verify, 1, "`model.bin` was changed");
    sandbox.write(&format!("image/blobs/sha256/{digest}"), manifest.replace("model.bin", "other.bin"));
    check(&sandbox, verify, 2, "not what its name says");
}
