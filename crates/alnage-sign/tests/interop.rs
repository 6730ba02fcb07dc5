//! Attestations are read by another implementation. Model signatures are tried against theirs with the whole binary.

use std::{fs, process::Command};

use alnage_sign::{Curve, Signer as _, SigningKey, Statement, Subject, attest};
use alnage_types::Digest;

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
