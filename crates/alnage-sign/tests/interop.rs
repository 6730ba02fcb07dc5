//! Attestations are read by another implementation. Model signatures are tried against theirs with the whole binary.

use std::{fs, process::Command};

use alnage_sign::{
    Bundle, Curve, Signer as _, SigningKey, Statement, Subject, attest, keyless::TrustedRoot, x509::UnixTime,
};
use alnage_types::Digest;
use serde_json::{Value, json};
use testkit::{
    pki::{
        Key,
        rcgen::{ExtendedKeyUsagePurpose, date_time_ymd},
    },
    sigstore::{Envelope, SIGNED, Sigstore},
};

const VERIFY: &str = r#"
import json
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey
key = SSlibKey.from_crypto(load_pem_public_key(open("pub.pem", "rb").read()))
envelope = Envelope.from_dict(json.load(open("verdict.intoto.json")))
key.keyid = next(iter(envelope.signatures))
envelope.verify([key], 1)
assert json.loads(envelope.payload)["predicate"] == {"ü": 1}
"#;

#[test]
fn another_dsse_implementation_verifies_our_attestation() {
    let folder = tempfile::tempdir().unwrap();
    let statement = Statement {
        subjects: vec![Subject { name: "m".into(), digest: Digest::of(b"1") }],
        predicate_type: "https://example.com/predicate/v1".into(),
        predicate: serde_json::json!({"ü": 1}),
    };
    for curve in Curve::ALL {
        let key = SigningKey::from_seed(curve, &[42; 32]).unwrap();
        fs::write(folder.path().join("pub.pem"), key.verifying_key().to_pem()).unwrap();
        fs::write(folder.path().join("verdict.intoto.json"), attest(&statement, &key).unwrap()).unwrap();
        let python = testkit::peers::python();
        let output = Command::new(python).args(["-c", VERIFY]).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{curve:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

const VERIFY_KEYLESS: &str = r#"
import json
from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier, policy
found = []
for case in json.load(open("cases.json")):
    open("root.json", "w").write(json.dumps(case["root"]))
    try:
        verifier = Verifier(trusted_root=TrustedRoot.from_file("root.json"))
        verifier.verify_dsse(Bundle.from_json(json.dumps(case["bundle"])), policy.UnsafeNoOp())
        found.append("")
    except Exception as error:
        found.append(f"{type(error).__name__}: {error}")
json.dump(found, open("found.json", "w"))
"#;

/// Whether both take `bundle`, by title.
struct KeylessCase {
    title: &'static str,
    root: Value,
    bundle: Value,
    holds: bool,
}

#[test]
fn the_reference_gives_keyless_signatures_the_same_verdicts() {
    let cases = keyless_cases();
    let folder = tempfile::tempdir().unwrap();
    let written: Vec<Value> =
        cases.iter().map(|case| json!({ "root": case.root, "bundle": case.bundle })).collect();
    fs::write(folder.path().join("cases.json"), Value::from(written).to_string()).unwrap();
    let python = testkit::peers::python();
    let output =
        Command::new(python).args(["-c", VERIFY_KEYLESS]).current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let theirs: Vec<String> =
        serde_json::from_slice(&fs::read(folder.path().join("found.json")).unwrap()).unwrap();
    for (case, theirs) in cases.iter().zip(&theirs) {
        let root = TrustedRoot::parse(case.root.to_string().as_bytes()).unwrap();
        let ours = Bundle::parse(case.bundle.to_string().as_bytes())
            .and_then(|bundle| bundle.verify_keyless(&root, UnixTime(1_795_000_000)));
        let ours = ours.map(drop).map_err(|error| error.to_string());
        assert_eq!(
            (ours.is_ok(), theirs.is_empty()),
            (case.holds, case.holds),
            "{}: {ours:?}, {theirs}",
            case.title
        );
    }
    assert_eq!(theirs.len(), cases.len());
}

fn keyless_cases() -> Vec<KeylessCase> {
    let sigstore = Sigstore::default();
    let trusted = sigstore.trusted_root(&[]);
    let statement = br#"{"_type": "https://in-toto.io/Statement/v1"}"#;
    let envelope = sigstore.envelope(sigstore.certificate(|_| {}), statement);
    let around = |envelope: &Envelope, body: &Value| envelope.bundle(&[sigstore.entry(body, SIGNED)], &[]);
    let honest = around(&envelope, &envelope.dsse());
    let mut cases =
        vec![KeylessCase { title: "honest", root: trusted.clone(), bundle: honest.clone(), holds: true }];
    let mut refused = |title, root: &Value, bundle: &Value| {
        cases.push(KeylessCase { title, root: root.clone(), bundle: bundle.clone(), holds: false });
    };
    let entry = "/verificationMaterial/tlogEntries/0";
    let zeros = json!(testkit::sigstore::base64(&[0; 32]));
    for (title, place, value) in [
        ("another time", "integratedTime", json!("1793491201")),
        (
            "another promise",
            "inclusionPromise/signedEntryTimestamp",
            honest["dsseEnvelope"]["signatures"][0]["sig"].clone(),
        ),
        ("another hash", "inclusionProof/hashes/0", zeros.clone()),
        ("another root", "inclusionProof/rootHash", zeros),
        ("another place", "inclusionProof/logIndex", json!("4")),
    ] {
        let mut bundle = honest.clone();
        *bundle.pointer_mut(&format!("{entry}/{place}")).expect(title) = value;
        refused(title, &trusted, &bundle);
    }
    let mut other = honest.clone();
    other["dsseEnvelope"]["payload"] = json!(testkit::sigstore::base64(b"{}"));
    refused("another payload", &trusted, &other);
    let mut never = honest.clone();
    never["verificationMaterial"]["tlogEntries"] = json!([]);
    refused("never logged", &trusted, &never);

    for (title, place, value) in [
        (
            "another log",
            "/tlogs/0/publicKey/rawBytes",
            json!(testkit::sigstore::base64(&Key::new(9).public_der())),
        ),
        (
            "another log of certificates",
            "/ctlogs/0/publicKey/rawBytes",
            json!(testkit::sigstore::base64(&Key::new(9).public_der())),
        ),
    ] {
        let mut root = trusted.clone();
        *root.pointer_mut(place).expect(title) = value;
        refused(title, &root, &honest);
    }

    let expired = sigstore.certificate(|params| params.not_after = date_time_ymd(2026, 10, 1));
    let server =
        sigstore.certificate(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]);
    let elsewhere = sigstore.certificate_logged_by(&Key::new(9), SIGNED, |_| {});
    for (title, signer) in [("expired", expired), ("for servers", server), ("not logged", elsewhere)] {
        let envelope = sigstore.envelope(signer, statement);
        refused(title, &trusted, &around(&envelope, &envelope.dsse()));
    }
    let mut forged = sigstore.envelope(sigstore.certificate(|_| {}), statement);
    forged.signature = Key::new(9).signature(&testkit::sigstore::encoded(statement));
    refused("forged", &trusted, &around(&forged, &forged.dsse()));
    let another = sigstore.envelope(sigstore.certificate(|_| {}), b"{}");
    refused("another's entry", &trusted, &around(&envelope, &another.dsse()));
    cases
}
