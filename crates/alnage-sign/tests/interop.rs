//! Signs and verifies together with the reference implementation, PyPI `model-signing`.
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its files should fail right there")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use alnage_sign::{
    Bundle, Curve, Dialect, DifferenceKind, HashedFile, IgnoredPaths, Serialization, Shape, SignedManifest,
    Signer as _, Signing, SigningKey, Statement, Subject, Symlinks, attest, sign_model,
};
use alnage_types::{Digest, HashAlgorithm, ManifestFile};

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
        let key = SigningKey::from_seed(Curve::P256, &[42; 32]).unwrap();
        fs::write(folder.path().join("key.pem"), key.to_pem().unwrap().as_bytes()).unwrap();
        fs::write(folder.path().join("pub.pem"), key.verifying_key().to_pem()).unwrap();
        Self { folder, key }
    }

    fn files(&self) -> Vec<HashedFile> {
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
                let path = path.strip_prefix(&root).unwrap().to_str().unwrap();
                files.push(hashed(path, &bytes));
            }
        }
        files
    }

    fn sign(&self, shape: Shape, name: &str, files: &[HashedFile]) -> String {
        let signing = Signing {
            name,
            files,
            shape,
            hash: HashAlgorithm::Sha256,
            serialization: Serialization::Files,
            symlinks: Symlinks::Refused,
            ignored: &IgnoredPaths::new(["model.sig", "cache"]).unwrap(),
            dialect: Dialect::Specification,
            certificates: &[],
        };
        sign_model(&signing, &self.key).unwrap()
    }

    fn verify(&self, signature: &str) -> SignedManifest {
        let bundle = fs::read(self.folder.path().join(signature)).unwrap();
        Bundle::parse(&bundle).unwrap().verify(self.key.verifying_key()).unwrap()
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

fn hashed(path: &str, bytes: &[u8]) -> HashedFile {
    let sha256 = Some(Digest::of(bytes));
    HashedFile::from(&ManifestFile { path: path.to_owned(), size: bytes.len() as u64, sha256 })
}

fn succeeded(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_reference_verifies_our_signature_and_refuses_a_changed_model() {
    let fixture = Fixture::new();
    fixture.write("model/model.sig", &fixture.sign(Shape::Directory, "model", &fixture.files()));
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
    let signed = fixture.verify("model/model.sig");
    assert_eq!(signed.compare(&fixture.files()), []);
    fixture.write("model/onnx/model.onnx", "z");
    fs::remove_file(Path::new(fixture.folder.path()).join("model/empty.txt")).unwrap();
    let differences = signed.compare(&fixture.files());
    let seen: Vec<_> =
        differences.iter().map(|difference| (difference.path.as_str(), difference.kind)).collect();
    let changed = DifferenceKind::Changed { signed: Digest::of(b"x").into(), found: Digest::of(b"z").into() };
    assert_eq!(seen, [("empty.txt", DifferenceKind::Missing), ("onnx/model.onnx", changed)]);
}

#[test]
fn a_model_that_is_one_file_is_signed_alike() {
    let fixture = Fixture::new();
    let model = "model/model.bin";
    let file = hashed("model.bin", b"weights");
    fixture.write("ours.sig", &fixture.sign(Shape::File, "model.bin", std::slice::from_ref(&file)));
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
    assert_eq!(fixture.verify("its.sig").compare(&[file]), []);
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
