//! Signs and verifies together with the reference implementation, PyPI `model-signing`.
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its files should fail right there")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use alnage_sign::{
    DifferenceKind, IgnoredPaths, KeyHint, SigningKey, Statement, Subject, attest, sign_file, sign_model,
    verify_model,
};
use alnage_types::{Digest, Manifest, ManifestFile};

const FILES: &[(&str, &str)] = &[
    ("config.json", "{\"a\":1}\n"),
    ("empty.txt", ""),
    ("model.bin", "weights"),
    ("onnx/model.onnx", "x"),
    ("onnx-config.json", "y"),
    ("naïve name – 模型.txt", "unicode"),
    ("quote\"back\\slash", "odd"),
    (".hidden/file", "hidden files are signed"),
    ("sub/.git/config", "only the top one is left out"),
    (".git/HEAD", "ref: refs/heads/main"),
    (".github/workflows/a.yml", "on: push"),
    (".gitattributes", "*.bin filter=lfs"),
    ("cache/tmp", "left out on request"),
];

struct Fixture {
    folder: tempfile::TempDir,
    key: SigningKey,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (path, content) in FILES {
            let path = folder.path().join("model").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let key = SigningKey::from_seed(&[42; 32]);
        fs::write(folder.path().join("key.pem"), key.to_pem().unwrap().as_bytes()).unwrap();
        fs::write(folder.path().join("pub.pem"), key.verifying_key().unwrap().to_pem()).unwrap();
        Self { folder, key }
    }

    fn manifest(&self) -> Manifest {
        let mut files = Vec::new();
        let root = self.folder.path().join("model");
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let bytes = fs::read(&path).unwrap();
                files.push(ManifestFile {
                    path: path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(),
                    size: bytes.len() as u64,
                    sha256: Some(Digest::of(&bytes)),
                });
            }
        }
        Manifest::new(files)
    }

    fn write(&self, path: &str, content: &str) {
        fs::write(self.folder.path().join(path), content).unwrap();
    }

    fn reference(&self, arguments: &[&str]) -> Output {
        Command::new(testkit::peers::python())
            .args(["-m", "model_signing"])
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .unwrap()
    }

    fn reference_verifies(&self) -> bool {
        let arguments =
            ["verify", "key", "model", "--signature", "model/model.sig", "--public_key", "pub.pem"];
        self.reference(&arguments).status.success()
    }
}

fn succeeded(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_reference_verifies_our_signature_and_refuses_a_changed_model() {
    let fixture = Fixture::new();
    let ignored = IgnoredPaths::new(["model.sig", "cache"]).unwrap();
    let bundle = sign_model("model", &fixture.manifest(), &ignored, &fixture.key).unwrap();
    fixture.write("model/model.sig", &bundle);
    let arguments = ["verify", "key", "model", "--signature", "model/model.sig", "--public_key", "pub.pem"];
    succeeded(&fixture.reference(&arguments));
    fixture.write("model/model.bin", "Weights");
    assert!(!fixture.reference_verifies(), "a changed file is refused");
    fixture.write("model/model.bin", "weights");
    fixture.write("model/extra", "");
    assert!(!fixture.reference_verifies(), "an extra file is refused");
}

#[test]
fn we_verify_the_references_signature_and_name_what_changed() {
    let fixture = Fixture::new();
    succeeded(&fixture.reference(&[
        "sign",
        "key",
        "model",
        "--private_key",
        "key.pem",
        "--signature",
        "model/model.sig",
        "--ignore-paths",
        "model/cache",
    ]));
    let bundle = fs::read(fixture.folder.path().join("model/model.sig")).unwrap();
    let public = fixture.key.verifying_key().unwrap();
    let signed = verify_model(&bundle, &public, KeyHint::MustMatch).unwrap();
    assert_eq!(signed.compare(&fixture.manifest()), []);
    fixture.write("model/onnx/model.onnx", "z");
    fs::remove_file(Path::new(fixture.folder.path()).join("model/empty.txt")).unwrap();
    let differences = signed.compare(&fixture.manifest());
    let seen: Vec<_> =
        differences.iter().map(|difference| (difference.path.as_str(), difference.kind)).collect();
    let changed = DifferenceKind::Changed { signed: Digest::of(b"x"), found: Some(Digest::of(b"z")) };
    assert_eq!(seen, [("empty.txt", DifferenceKind::Missing), ("onnx/model.onnx", changed)]);
}

#[test]
fn a_model_that_is_one_file_is_signed_alike() {
    let fixture = Fixture::new();
    let model = "model/model.bin";
    fixture.write("ours.sig", &sign_file("model.bin", Digest::of(b"weights"), &fixture.key).unwrap());
    succeeded(&fixture.reference(&[
        "verify",
        "key",
        model,
        "--signature",
        "ours.sig",
        "--public_key",
        "pub.pem",
    ]));
    succeeded(&fixture.reference(&[
        "sign",
        "key",
        model,
        "--private_key",
        "key.pem",
        "--signature",
        "its.sig",
    ]));
    let bundle = fs::read(fixture.folder.path().join("its.sig")).unwrap();
    let public = fixture.key.verifying_key().unwrap();
    let signed = verify_model(&bundle, &public, KeyHint::MustMatch).unwrap();
    let sha256 = Some(Digest::of(b"weights"));
    let found = Manifest::new(vec![ManifestFile { path: "model.bin".into(), size: 7, sha256 }]);
    assert_eq!(signed.compare(&found), []);
}

#[test]
fn another_dsse_implementation_verifies_our_attestation() {
    let fixture = Fixture::new();
    let statement = Statement {
        subjects: vec![Subject { name: "m".into(), digest: Digest::of(b"1") }],
        predicate_type: "https://example.com/predicate/v1".into(),
        predicate: serde_json::json!({"ü": 1}),
    };
    fixture.write("verdict.intoto.json", &attest(&statement, &fixture.key).unwrap());
    let script = r#"
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
    let output = Command::new(testkit::peers::python())
        .args(["-c", script])
        .current_dir(fixture.folder.path())
        .output()
        .unwrap();
    succeeded(&output);
}
