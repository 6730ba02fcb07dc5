//! Vectors of the reference implementation, and signatures that are true over content that must be refused.

use alnage_types::{Digest, HashAlgorithm, Level, Manifest, ManifestFile, Verdict};
use base64ct::{Base64, Encoding as _};
use serde_json::{Value, json};

use super::*;
use crate::dsse::{Envelope, pre_authentication_encoding};

/// A bundle that `model_signing` 1.1.1 made over a directory `tiny`, with the throw-away key below.
const REFERENCE: &str = include_str!("tests/reference.model.sig");

/// The same key in the forms that `openssl` writes; it signs nothing but tests.
const SEC1: &str = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n\
    -----BEGIN EC PRIVATE KEY-----\n\
    MHcCAQEEIAcSkZwmcNoW8yfx1QfwheiUcsQ1tg+rAbSFozYqSePQoAoGCCqGSM49\n\
    AwEHoUQDQgAE0gTQK4PUNzI4NXxYm7es4K2IFw7sIZKzYrhErus69CbtUkS34Wqf\n\
    gdNKXRxDb3TrHn1nrXZTU4u2Ww9b90Os9g==\n-----END EC PRIVATE KEY-----\n";
const PUBLIC: &str = "Public-Key: (256 bit)\npub:\n    04:d2:04\nASN1 OID: prime256v1\n\
    -----BEGIN PUBLIC KEY-----\n\
    MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE0gTQK4PUNzI4NXxYm7es4K2IFw7s\n\
    IZKzYrhErus69CbtUkS34WqfgdNKXRxDb3TrHn1nrXZTU4u2Ww9b90Os9g==\n-----END PUBLIC KEY-----\n";
const HINT: &str = "07f362b418ac4fbb0c18ad81826a046b98806fd9b7c88505d2198bae64f234d9";

pub(crate) fn key() -> SigningKey {
    SigningKey::from_seed(Curve::P256, &[7; 32]).unwrap()
}

pub(crate) fn public() -> VerifyingKey {
    key().verifying_key().clone()
}

fn verify_model(bundle: &[u8], key: &VerifyingKey, hint: KeyHint) -> Result<SignedManifest, Error> {
    let bundle = Bundle::parse(bundle)?;
    bundle.verify(&KnownKey { key: key.clone(), hint }.accept(&bundle)?.key)
}

pub(crate) fn files_of(content: &[(&str, &[u8])]) -> Vec<HashedFile> {
    files(&manifest(content))
}

fn files(manifest: &Manifest) -> Vec<HashedFile> {
    manifest.files.iter().map(HashedFile::from).collect()
}

pub(crate) fn signing<'a>(name: &'a str, files: &'a [HashedFile], ignored: &'a IgnoredPaths) -> Signing<'a> {
    Signing {
        name,
        files,
        shape: Shape::Directory,
        hash: HashAlgorithm::Sha256,
        serialization: Serialization::Files,
        symlinks: Symlinks::Refused,
        ignored,
        dialect: Dialect::Specification,
        certificates: &[],
        timestamps: None,
    }
}

fn sign(name: &str, manifest: &Manifest, ignored: &IgnoredPaths) -> Result<String, Error> {
    sign_model(&signing(name, &files(manifest), ignored), &key())
}

fn manifest(files: &[(&str, &[u8])]) -> Manifest {
    let file = |&(path, bytes): &(&str, &[u8])| ManifestFile {
        path: path.into(),
        size: bytes.len() as u64,
        sha256: Some(Digest::of(bytes)),
    };
    Manifest::new(files.iter().map(file).collect())
}

fn tiny() -> Manifest {
    manifest(&[
        ("config.json", b"{\"a\":1}\n"),
        ("empty.txt", b""),
        ("model.bin", b"weights"),
        ("onnx-config.json", b"y"),
        ("onnx/model.onnx", b"x"),
        (".git/HEAD", b"ref"),
        ("model.sig", b"the signature itself"),
    ])
}

#[test]
fn the_reference_bundle_verifies() {
    let key = VerifyingKey::from_pem(PUBLIC).unwrap();
    assert_eq!(key.hint().to_string(), HINT);
    let signed = verify_model(REFERENCE.as_bytes(), &key, KeyHint::MustMatch).unwrap();
    assert_eq!(signed.name(), "tiny");
    assert_eq!(signed.root().to_string(), "671ecd61f5e6aafd7c485d24a082688bc3554bd2d5779c114ad8595a2c119fac");
    let names: Vec<&str> = signed.resources().iter().map(|resource| resource.path.as_str()).collect();
    assert_eq!(names, ["config.json", "empty.txt", "model.bin", "onnx/model.onnx", "onnx-config.json"]);
    assert!(signed.ignored_paths().contains("skipme/deep"));
    assert_eq!(signed.compare(&files(&tiny())), []);
}

#[test]
fn the_private_key_is_the_reference_key() {
    let key = SigningKey::from_pem(SEC1).unwrap();
    assert_eq!(*key.verifying_key(), VerifyingKey::from_pem(PUBLIC).unwrap());
    let again = SigningKey::from_pem(&key.to_pem().unwrap()).unwrap();
    assert_eq!(again.verifying_key().hint().to_string(), HINT);
}

#[test]
fn the_rfc_6979_vector() {
    // RFC 6979 A.2.5, P-256 with SHA-256 over "sample".
    let scalar = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721";
    let bytes: Vec<u8> =
        (0..64).step_by(2).map(|at| u8::from_str_radix(&scalar[at..at + 2], 16).unwrap()).collect();
    let secret = p256::SecretKey::from_slice(&bytes).unwrap();
    let pem = p256::pkcs8::EncodePrivateKey::to_pkcs8_pem(&secret, p256::pkcs8::LineEnding::LF).unwrap();
    let signature = SigningKey::from_pem(&pem).unwrap().sign(b"sample").unwrap();
    let hex: String = signature.iter().map(|byte| format!("{byte:02X}")).collect();
    assert!(hex.contains("EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"), "{hex}");
    assert!(hex.contains("F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"), "{hex}");
}

#[test]
fn the_dsse_protocol_example() {
    let encoded = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world");
    assert_eq!(encoded, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
}

#[test]
fn keys_that_cannot_be_used_say_why() {
    let check = |error: Error, wanted: &str| assert!(error.to_string().contains(wanted), "{error}");
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    check(SigningKey::from_pem(encrypted).unwrap_err(), "encrypted");
    let old = SEC1.replace("KEY-----\nMHc", "KEY-----\nProc-Type: 4,ENCRYPTED\n\nMHc");
    check(SigningKey::from_pem(&old).unwrap_err(), "encrypted");
    check(SigningKey::from_pem(PUBLIC).unwrap_err(), "public key");
    check(SigningKey::from_pem("").unwrap_err(), "no PEM private key");
    check(SigningKey::from_pem(&SEC1.replace("MHc", "MHd")).unwrap_err(), "SEC1");
    check(VerifyingKey::from_pem(SEC1).unwrap_err(), "private key");
    check(VerifyingKey::from_pem("-----BEGIN CERTIFICATE-----").unwrap_err(), "certificate");
    check(VerifyingKey::from_pem(&PUBLIC.replace("MFk", "MFo")).unwrap_err(), "not a public key over P-256");
}

#[test]
fn a_private_key_does_not_show_itself() {
    assert_eq!(format!("{:?}", key()), "SigningKey(***)");
}

#[test]
fn a_seed_gives_one_key() {
    assert_eq!(public(), *SigningKey::from_seed(Curve::P256, &[7; 32]).unwrap().verifying_key());
    assert_ne!(public(), *SigningKey::from_seed(Curve::P256, &[8; 32]).unwrap().verifying_key());
}

#[test]
fn what_is_signed_is_read_back_and_signed_in_code_point_order() {
    let ignored = IgnoredPaths::new(["model.sig", "cache"]).unwrap();
    let bundle = sign("tiny", &tiny(), &ignored).unwrap();
    assert_eq!(bundle, sign("tiny", &tiny(), &ignored).unwrap(), "signing is reproducible");
    let signed = verify_model(bundle.as_bytes(), &public(), KeyHint::MustMatch).unwrap();
    let names: Vec<&str> = signed.resources().iter().map(|resource| resource.path.as_str()).collect();
    assert_eq!(names, ["config.json", "empty.txt", "model.bin", "onnx-config.json", "onnx/model.onnx"]);
    let listed: Vec<&str> = signed.ignored_paths().paths().collect();
    assert_eq!(listed, [".git", ".gitattributes", ".github", ".gitignore", "cache", "model.sig"]);
    assert_eq!(signed.compare(&files(&tiny())), []);
}

#[test]
fn the_root_of_an_unfiltered_manifest_is_its_digest() {
    let model = manifest(&[("b", b"2"), ("a", b"1")]);
    let bundle = sign("m", &model, &IgnoredPaths::default()).unwrap();
    let signed = verify_model(bundle.as_bytes(), &public(), KeyHint::MustMatch).unwrap();
    assert_eq!(Some(signed.root()), model.digest);
}

#[test]
fn every_difference_is_named() {
    let signed_files = manifest(&[("a", b"1"), ("b", b"2"), ("c", b"3"), ("d", b"4")]);
    let bundle = sign("m", &signed_files, &IgnoredPaths::new(["tmp"]).unwrap()).unwrap();
    let signed = verify_model(bundle.as_bytes(), &public(), KeyHint::MustMatch).unwrap();
    let mut found = manifest(&[
        ("a", b"1"),
        ("b", b"changed"),
        ("d", b"4"),
        ("e", b"5"),
        ("tmp/x", b""),
        ("x.sig", b""),
        ("sub/.git/config", b""),
    ]);
    found.files[2].sha256 = None;
    let signed = signed.also_ignoring(&IgnoredPaths::exactly(["x.sig"]).unwrap());
    let shown: Vec<String> =
        signed.compare(&files(&found)).iter().map(|difference| difference.to_string()).collect();
    assert_eq!(
        shown,
        [
            format!(
                "`b` was changed: signed with SHA-256 {}, found {}",
                Digest::of(b"2"),
                Digest::of(b"changed")
            ),
            "`c` was signed and is missing".to_owned(),
            "`d` was signed and could not be read whole".to_owned(),
            "`e` is extra: it was not signed".to_owned(),
            "`sub/.git/config` is extra: it was not signed".to_owned(),
        ]
    );
}

#[test]
fn a_file_that_is_signed_is_compared_though_it_is_ignored() {
    let bundle = bundle(&statement(|statement| {
        statement["predicate"]["serialization"]["ignore_paths"] = json!(["a"]);
    }));
    let signed = verify_model(bundle.as_bytes(), &public(), KeyHint::MustMatch).unwrap();
    let kinds: Vec<_> = signed.compare(&files(&manifest(&[("a", b"other"), ("b", b"2")])));
    assert_eq!(kinds.len(), 1);
    assert_eq!(kinds[0].path, "a");
}

#[test]
fn a_model_that_is_one_file() {
    let file = files(&manifest(&[("model.bin", b"1")]));
    let ignored = IgnoredPaths::default();
    let signing = Signing { shape: Shape::File, ..signing("model.bin", &file, &ignored) };
    let bundle = sign_model(&signing, &key()).unwrap();
    let signed = verify_model(bundle.as_bytes(), &public(), KeyHint::MustMatch).unwrap();
    assert_eq!(signed.name(), "model.bin");
    assert_eq!(signed.compare(&files(&manifest(&[("renamed.bin", b"1")]))), []);
    let seen = |found: &[(&str, &[u8])]| -> Vec<String> {
        signed.compare(&files(&manifest(found))).into_iter().map(|difference| difference.path).collect()
    };
    assert_eq!(seen(&[("model.bin", b"2")]), ["model.bin"]);
    assert_eq!(seen(&[("a", b"1"), ("b", b"1")]), [".", "a", "b"]);
    assert_eq!(seen(&[]), ["."]);
}

#[test]
fn what_cannot_be_signed_is_refused() {
    let ignored = IgnoredPaths::new(["only"]).unwrap();
    let check = |name: &str, manifest: &Manifest, wanted: &str| {
        let error = sign(name, manifest, &ignored).unwrap_err();
        assert!(matches!(error, Error::Unsignable(_)), "{error}");
        assert!(error.to_string().contains(wanted), "{error}");
    };
    check("m", &manifest(&[]), "no files");
    check("m", &manifest(&[("only/one", b"")]), "no files");
    check("", &manifest(&[("a", b"")]), "no name");
    check("m", &manifest(&[("../a", b"")]), "`..`");
    check("m", &manifest(&[("/a", b"")]), "absolute");
    let mut unhashed = manifest(&[("a", b"")]);
    unhashed.files[0].sha256 = None;
    check("m", &unhashed, "not hashed");
    for path in ["", "/a", "a/../b", "./a", "a//b", "a/"] {
        assert!(IgnoredPaths::new([path]).is_err(), "{path}");
    }
}

/// A well-formed statement over `a` and `b`, changed by `change`; the root digest is made right afterwards unless
/// the change took hold of it.
pub(crate) fn statement(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let digests = [*Digest::of(b"1").as_bytes(), *Digest::of(b"2").as_bytes()].concat();
    let mut statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "m", "digest": {"sha256": Digest::of(&digests)}}],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {
            "serialization": {"method": "files", "hash_type": "sha256", "allow_symlinks": false, "ignore_paths": [".git"]},
            "resources": [
                {"name": "a", "algorithm": "sha256", "digest": Digest::of(b"1")},
                {"name": "b", "algorithm": "sha256", "digest": Digest::of(b"2")},
            ],
        },
    });
    change(&mut statement);
    serde_json::to_vec(&statement).unwrap()
}

pub(crate) fn bundle(payload: &[u8]) -> String {
    Bundle::seal(payload, &key(), &[], None).unwrap()
}

#[test]
fn truly_signed_statements_that_break_the_format_are_refused() {
    type Change = fn(&mut Value);
    let cases: &[(&str, &str, Change)] = &[
        ("absolute", "is absolute", |s| s["predicate"]["resources"][0]["name"] = json!("/etc/passwd")),
        ("parent", "`..`", |s| s["predicate"]["resources"][0]["name"] = json!("x/../../a")),
        ("dot", "`..`", |s| s["predicate"]["resources"][0]["name"] = json!("./a")),
        ("empty name", "is empty", |s| s["predicate"]["resources"][0]["name"] = json!("")),
        ("empty segment", "empty segment", |s| s["predicate"]["resources"][0]["name"] = json!("a//b")),
        ("trailing slash", "empty segment", |s| s["predicate"]["resources"][0]["name"] = json!("a/")),
        ("NUL", "NUL", |s| s["predicate"]["resources"][0]["name"] = json!("a\u{0}")),
        ("duplicate", "named twice", |s| s["predicate"]["resources"][1]["name"] = json!("a")),
        ("no files", "names no files", |s| s["predicate"]["resources"] = json!([])),
        ("digest not hex", "not a digest", |s| s["predicate"]["resources"][0]["digest"] = json!("zz")),
        ("digest changed", "root digest", |s| {
            s["predicate"]["resources"][0]["digest"] = json!(Digest::of(b"9"))
        }),
        ("order changed", "root digest", |s| s["predicate"]["resources"].as_array_mut().unwrap().reverse()),
        ("root changed", "root digest", |s| s["subject"][0]["digest"]["sha256"] = json!(Digest::of(b"9"))),
        ("root missing", "sha256", |s| s["subject"][0]["digest"] = json!({})),
        ("two subjects", "exactly one subject", |s| {
            let subject = s["subject"][0].clone();
            s["subject"].as_array_mut().unwrap().push(subject);
        }),
        ("no subject", "exactly one subject", |s| s["subject"] = json!([])),
        ("statement type", "statement type", |s| s["_type"] = json!("https://in-toto.io/Statement/v0.1")),
        ("predicate type", "predicate type", |s| {
            s["predicateType"] = json!("https://slsa.dev/provenance/v1")
        }),
        ("other algorithm", "is hashed by `md5`", |s| {
            s["predicate"]["resources"][0]["algorithm"] = json!("md5")
        }),
        ("unknown field", "unknown field", |s| s["extra"] = json!(1)),
        ("unknown predicate field", "unknown field", |s| s["predicate"]["extra"] = json!(1)),
        ("ignores all", "ignored path", |s| s["predicate"]["serialization"]["ignore_paths"] = json!(["."])),
        ("shards without size", "how long a shard is", |s| {
            s["predicate"]["serialization"]["method"] = json!("shards")
        }),
        ("method", "neither `files` nor `shards`", |s| {
            s["predicate"]["serialization"]["method"] = json!("merkle")
        }),
        ("digest of another length", "not a digest", |s| {
            s["predicate"]["serialization"]["hash_type"] = json!("blake2b")
        }),
        ("hash type", "hash type `md5`", |s| s["predicate"]["serialization"]["hash_type"] = json!("md5")),
        ("unknown serialization field", "unknown field", |s| {
            s["predicate"]["serialization"]["extra"] = json!(1)
        }),
    ];
    for (name, wanted, change) in cases {
        let bundle = bundle(&statement(change));
        let error = verify_model(bundle.as_bytes(), &public(), KeyHint::MustMatch).expect_err(name);
        assert!(error.to_string().contains(wanted), "{name}: {error}");
        assert_ne!(error, Error::BadSignature, "{name}");
    }
    let whole = bundle(&statement(|_| {}));
    verify_model(whole.as_bytes(), &public(), KeyHint::MustMatch).unwrap();
}

#[test]
fn duplicate_keys_in_the_payload_are_refused() {
    let text = String::from_utf8(statement(|_| {})).unwrap();
    let doubled = text.replacen("\"subject\":", "\"subject\":[],\"subject\":", 1);
    assert_ne!(text, doubled);
    let error =
        verify_model(bundle(doubled.as_bytes()).as_bytes(), &public(), KeyHint::MustMatch).unwrap_err();
    assert!(error.to_string().contains("duplicate field"), "{error}");
}

#[test]
fn extensions_that_the_specification_allows_are_passed_over() {
    let bundle = bundle(&statement(|statement| {
        statement["predicate"]["resources"][0]["annotations"] = json!({"chunk": "x"});
        statement["subject"][0]["uri"] = json!("x");
        statement["subject"][0]["digest"]["blake3"] = json!("00");
        statement["predicate"]["serialization"]["shard_size"] = json!(10.0);
    }));
    let signed = verify_model(bundle.as_bytes(), &public(), KeyHint::MustMatch).unwrap();
    assert_eq!(signed.compare(&files(&manifest(&[("a", b"1"), ("b", b"2")]))), []);
}

#[test]
fn bundles_that_break_the_format_are_refused() {
    type Change = fn(&mut Value);
    let cases: &[(&str, &str, Change)] = &[
        ("old media type", "the bundle is", |b| {
            b["mediaType"] = json!("application/vnd.dev.sigstore.bundle+json;version=0.1")
        }),
        ("payload type", "the payload is", |b| b["dsseEnvelope"]["payloadType"] = json!("text/plain")),
        ("no signature", "0 signatures", |b| b["dsseEnvelope"]["signatures"] = json!([])),
        ("two signatures", "2 signatures", |b| {
            let signature = b["dsseEnvelope"]["signatures"][0].clone();
            b["dsseEnvelope"]["signatures"].as_array_mut().unwrap().push(signature);
        }),
        ("not base64", "not base64", |b| b["dsseEnvelope"]["payload"] = json!("*")),
        ("signature not base64", "not base64", |b| b["dsseEnvelope"]["signatures"][0]["sig"] = json!("*")),
        ("unknown field", "unknown field", |b| b["extra"] = json!(1)),
        ("no key", "neither a key nor a certificate", |b| b["verificationMaterial"] = json!({})),
        ("no hint", "does not say which key", |b| b["verificationMaterial"]["publicKey"] = json!({})),
        ("no certificates", "empty", |b| {
            b["verificationMaterial"] = json!({"x509CertificateChain": {"certificates": []}})
        }),
        ("certificate", "with a certificate", |b| {
            b["verificationMaterial"] = json!({"x509CertificateChain": {"certificates": [{"rawBytes": ""}]}})
        }),
        ("both", "more than one", |b| b["verificationMaterial"]["certificate"] = json!({"rawBytes": ""})),
        ("other payload", "does not match", |b| {
            b["dsseEnvelope"]["payload"] = json!(Base64::encode_string(b"{}"))
        }),
        ("not DER", "does not match", |b| {
            b["dsseEnvelope"]["signatures"][0]["sig"] = json!(Base64::encode_string(&[0; 64]))
        }),
        ("other key", "signed by the key", |b| b["verificationMaterial"]["publicKey"]["hint"] = json!(HINT)),
    ];
    let good: Value = serde_json::from_str(&bundle(&statement(|_| {}))).unwrap();
    for (name, wanted, change) in cases {
        let mut bundle = good.clone();
        change(&mut bundle);
        let error =
            verify_model(bundle.to_string().as_bytes(), &public(), KeyHint::MustMatch).expect_err(name);
        assert!(error.to_string().contains(wanted), "{name}: {error}");
    }
    for bytes in [&b""[..], b"{", b"[]", b"\xff", b"null"] {
        assert!(matches!(verify_model(bytes, &public(), KeyHint::Ignored), Err(Error::Malformed(_))));
    }
}

#[test]
fn variants_that_readers_must_take_are_taken() {
    type Change = fn(&mut Value);
    let cases: &[Change] = &[
        |b| b["dsseEnvelope"]["signatures"][0]["keyid"] = Value::Null,
        |b| drop(b["dsseEnvelope"]["signatures"][0].as_object_mut().unwrap().remove("keyid")),
        |b| drop(b["verificationMaterial"].as_object_mut().unwrap().remove("tlogEntries")),
        |b| b["verificationMaterial"]["timestampVerificationData"] = json!({"rfc3161Timestamps": []}),
    ];
    for change in cases {
        let mut bundle: Value = serde_json::from_str(&bundle(&statement(|_| {}))).unwrap();
        change(&mut bundle);
        verify_model(bundle.to_string().as_bytes(), &public(), KeyHint::MustMatch).unwrap();
    }
}

#[test]
fn the_hint_is_a_hint_and_the_key_decides() {
    let mut renamed: Value = serde_json::from_str(&bundle(&statement(|_| {}))).unwrap();
    renamed["verificationMaterial"]["publicKey"]["hint"] = json!(HINT);
    let renamed = renamed.to_string();
    verify_model(renamed.as_bytes(), &public(), KeyHint::Ignored).unwrap();
    let other = VerifyingKey::from_pem(PUBLIC).unwrap();
    assert_eq!(verify_model(renamed.as_bytes(), &other, KeyHint::MustMatch), Err(Error::BadSignature));
}

fn claim() -> VerdictClaim<'static> {
    VerdictClaim {
        tool_version: "0.1.0",
        time: "2026-11-22T03:00:00Z",
        verdict: Verdict::Pass,
        level: Level::Default,
        findings: 0,
        issues: 0,
        policy: None,
    }
}

#[test]
fn an_attestation_is_read_back() {
    let model = manifest(&[("a", b"1"), ("b", b"2")]);
    let statement = claim().statement(model_subjects("m", &model).unwrap());
    let envelope = attest(&statement, &key()).unwrap();
    let signed = verify_attestation(envelope.as_bytes(), &public()).unwrap();
    assert_eq!(signed.statement(), &statement);
    assert_eq!(signed.digest(), attested_digest(envelope.as_bytes()).unwrap());
    assert!(signed.is_about(model.digest.unwrap()) && signed.is_about(Digest::of(b"2")));
    assert!(!signed.is_about(Digest::of(b"3")));
}

#[test]
fn only_what_holds_is_a_property() {
    let properties = |claim: VerdictClaim<'_>| claim.statement(Vec::new()).predicate["properties"].clone();
    assert_eq!(
        properties(claim()),
        json!(["ALNAGE_VERDICT_PASS", "ALNAGE_FULLY_UNDERSTOOD", "ALNAGE_NO_FINDINGS"])
    );
    let review = VerdictClaim { verdict: Verdict::Review, findings: 2, ..claim() };
    assert_eq!(properties(review), json!(["ALNAGE_FULLY_UNDERSTOOD"]));
    let unknown = VerdictClaim { verdict: Verdict::Unknown, issues: 1, ..claim() };
    assert_eq!(properties(unknown), json!(["ALNAGE_NO_FINDINGS"]));
}

#[test]
fn attestations_that_are_not_what_they_say_are_refused() {
    let statement = claim().statement(vec![Subject { name: "m".into(), digest: Digest::of(b"1") }]);
    let envelope = attest(&statement, &key()).unwrap();
    let other = VerifyingKey::from_pem(PUBLIC).unwrap();
    assert!(matches!(verify_attestation(envelope.as_bytes(), &other), Err(Error::WrongKey { .. })));
    let mut value: Value = serde_json::from_str(&envelope).unwrap();
    value["payload"] = json!(Base64::encode_string(b"{}"));
    let changed = value.to_string();
    assert_eq!(verify_attestation(changed.as_bytes(), &public()), Err(Error::BadSignature));
    let seal = |payload: &str| {
        serde_json::to_vec(&Envelope::seal(payload.as_bytes(), String::new(), &key()).unwrap()).unwrap()
    };
    for payload in [
        "{}",
        r#"{"_type":"https://in-toto.io/Statement/v0.1","subject":[],"predicateType":"x"}"#,
        r#"{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"x"}"#,
        r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"md5":"x"}}],"predicateType":"x"}"#,
    ] {
        assert!(
            matches!(verify_attestation(&seal(payload), &public()), Err(Error::Malformed(_))),
            "{payload}"
        );
    }
    let nothing = Statement { subjects: Vec::new(), ..statement };
    assert!(matches!(attest(&nothing, &key()), Err(Error::Unsignable(_))));
}

#[test]
fn a_model_signature_is_no_attestation() {
    let bundle = bundle(&statement(|_| {}));
    assert!(matches!(verify_attestation(bundle.as_bytes(), &public()), Err(Error::Malformed(_))));
}
