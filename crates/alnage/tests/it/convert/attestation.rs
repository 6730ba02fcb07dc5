//! What the attestation of a conversion proves to somebody else, and that what does not hold is told.

use serde_json::{Value, json};

use super::{converted, good};
use crate::sandbox::Sandbox;

const VERIFY: &str = "convert model.pt --verify-attestation model.conversion.intoto.json";

/// Converts, lets `change` have its way, and verifies; an empty `flaw` wants it to hold.
#[track_caller]
fn check(title: &str, arguments: &str, change: impl FnOnce(&Sandbox), more: &str, flaw: &str) {
    let (sandbox, ran) = converted(&good(), "");
    assert_eq!(ran.code, 0, "{title}: {}", ran.stderr);
    assert_eq!(sandbox.run("keygen --out keys").code, 0);
    let ran = sandbox.run(&format!("convert model.pt --force {arguments}"));
    assert_eq!(ran.code, 0, "{title}: {}", ran.stderr);
    change(&sandbox);
    let ran = sandbox.run(&format!("{VERIFY} {more}"));
    if flaw.is_empty() {
        assert_eq!(ran.code, 0, "{title}: {}", ran.stderr);
        assert!(ran.stdout.contains("holds: 1 tensors, 16 bytes"), "{title}: {}", ran.stdout);
    } else {
        assert_ne!(ran.code, 0, "{title}: {}", ran.stdout);
        assert!(ran.stderr.contains(flaw), "{title}: {flaw:?} is not in {:?}", ran.stderr);
    }
}

/// Changes the statement of the attestation, which is unsigned.
fn claim(pointer: &'static str, value: Value) -> impl FnOnce(&Sandbox) {
    move |sandbox| {
        let name = "model.conversion.intoto.json";
        let mut statement: Value = serde_json::from_str(&sandbox.read(name)).unwrap();
        *statement.pointer_mut(pointer).unwrap() = value;
        sandbox.write(name, statement.to_string());
    }
}

#[test]
fn an_attestation_holds_for_its_source_and_files_and_no_others() {
    let none = |_: &Sandbox| {};
    let altered = |name: &'static str| {
        move |sandbox: &Sandbox| {
            let mut bytes = sandbox.read_bytes(name);
            *bytes.last_mut().unwrap() ^= 1;
            sandbox.write(name, bytes);
        }
    };
    let key = "--key keys/signing.pem";
    let public = "--key keys/signing.pub.pem";
    check("unsigned", "", none, "", "");
    check(
        "shards, a side-car, options",
        "--max-shard-size 64 --drop-unknown-calls --copy-aliases",
        none,
        "",
        "",
    );
    check("signed", key, none, public, "");
    check("signed, and nobody says by whom", key, none, "", "say by which key");
    check("not signed", "", none, public, "not a");
    let another = |sandbox: &Sandbox| assert_eq!(sandbox.run("keygen --out other").code, 0);
    check("signed by another", key, another, "--key other/signing.pub.pem", "sign");
    check("another source", "", altered("model.pt"), "", "not the one that was converted");
    check("another file", "", altered("model.safetensors"), "", "`model.safetensors` was changed since");
    check(
        "another digest",
        "",
        claim("/subject/0/digest/sha256", json!("ab".repeat(32))),
        "",
        "changed since",
    );
    check(
        "a path",
        "",
        claim("/subject/0/name", json!("../model.safetensors")),
        "",
        "no name of a file beside",
    );
    let tensor = "/predicate/conversion/tensors/0/name";
    check(
        "another tensor",
        "",
        claim(tensor, json!("other")),
        "",
        "of `tensors` is not what the source gives",
    );
    let kind = "/predicateType";
    check(
        "another statement",
        "",
        claim(kind, json!("https://example.org")),
        "",
        "no attestation of a conversion",
    );
}

/// Somebody who attests to a file that does not come of the source is found out by its tensors, not by its digest.
#[test]
fn a_file_that_was_attested_and_does_not_come_of_the_source_is_found_out() {
    let forge = |sandbox: &Sandbox| {
        let mut bytes = sandbox.read_bytes("model.safetensors");
        *bytes.last_mut().unwrap() ^= 1;
        let digest = alnage_types::Digest::of(&bytes).to_string();
        sandbox.write("model.safetensors", bytes);
        claim("/subject/0/digest/sha256", json!(digest))(sandbox);
    };
    check("forged", "", forge, "", "the tensor `weight` differs from the source");
}

#[test]
fn without_attestation_nothing_is_hashed() {
    let (sandbox, ran) = converted(&good(), "--no-attestation");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(sandbox.path("model.safetensors").exists());
    assert!(!sandbox.path("model.conversion.intoto.json").exists());
    assert!(!ran.stdout.contains("sha256"), "{}", ran.stdout);
    // What a source says of its own bytes is compared all the same.
    let mut bytes = good();
    let at = bytes.windows(4).rposition(|window| window == 4.0_f32.to_le_bytes()).unwrap();
    bytes[at] ^= 1;
    assert_eq!(converted(&bytes, "--no-attestation").1.code, 3);
}
