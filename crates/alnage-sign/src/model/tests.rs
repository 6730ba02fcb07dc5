//! Signatures of every form, and statements that are truly signed and must be refused.

use alnage_types::{ContentDigest, Digest, HashAlgorithm};
use serde_json::{Value, json};

use crate::{tests::*, *};

const HISTORIC: &[(&str, &str)] = &[
    // Apache-2.0, from `scripts/tests` of github.com/sigstore/model-transparency.
    ("0.3.1, a single file", include_str!("tests/historic/v0.3.1-elliptic-key.sig")),
    ("1.0.1", include_str!("tests/historic/v1.0.1-elliptic-key.sig")),
];
const V0_2: &str = include_str!("tests/historic/v0.2.0-certificate.sig");

#[test]
fn signatures_of_old_releases_verify() {
    for (release, text) in HISTORIC {
        let bundle = Bundle::parse(text.as_bytes()).unwrap();
        let Credential::RawKey { pem, details } = bundle.credential() else { panic!("{release}") };
        assert_eq!(details, "PKIX_ECDSA_P384_SHA_384");
        let key = VerifyingKey::from_pem(str::from_utf8(pem).unwrap()).unwrap();
        let signer = KnownKey { key, hint: KeyHint::MustMatch }.accept(&bundle).unwrap();
        let signed = bundle.verify(&signer.key).unwrap();
        assert_eq!(bundle.verify_legacy(&signer.key).unwrap(), signed, "{release}");
        let files: &[(&str, &[u8])] = if signed.resources().len() == 1 {
            &[("signme-1", b"signme-1\n")]
        } else {
            &[("signme-1", b"signme-1\n"), ("signme-2", b"signme-2")]
        };
        assert_eq!(signed.compare(&files_of(files)), [], "{release}");
        let other = KnownKey { key: public(), hint: KeyHint::MustMatch };
        assert!(matches!(other.accept(&bundle), Err(Error::WrongKey { .. })), "{release}");
        assert_eq!(bundle.verify(&public()), Err(Error::BadSignature), "{release}");
    }
}

#[test]
fn the_first_release_is_verified_when_asked_for() {
    let bundle = Bundle::parse(V0_2.as_bytes()).unwrap();
    let Credential::CertificateChain(chain) = bundle.credential() else { panic!("not by certificate") };
    let key = x509::Certificate::from_der(&chain[0]).unwrap().verifying_key().unwrap();
    assert_eq!(key.curve(), Curve::P384);
    assert_eq!(bundle.verify(&key), Err(Error::BadSignature), "it signed other bytes than an envelope's");
    let signed = bundle.verify_legacy(&key).unwrap();
    assert_eq!(signed.compare(&files_of(&[("signme-1", b"signme-1"), ("signme-2", b"signme-2")])), []);
    let mut changed: Value = serde_json::from_str(V0_2).unwrap();
    let payload = changed["dsseEnvelope"]["payload"].as_str().unwrap().to_owned();
    changed["dsseEnvelope"]["payload"] = json!(payload.replacen("ewog", "ewoK", 1));
    let changed = Bundle::parse(changed.to_string().as_bytes()).unwrap();
    assert!(changed.verify_legacy(&key).is_err());
}

#[test]
fn every_curve_signs_with_its_own_hash() {
    let files = files_of(&[("a", b"1")]);
    let ignored = IgnoredPaths::default();
    for curve in Curve::ALL {
        let key = SigningKey::from_seed(curve, &[9; 32]).unwrap();
        assert_eq!(key.algorithm(), curve);
        let bundle = sign_model(&signing("m", &files, &ignored), &key).unwrap();
        let bundle = Bundle::parse(bundle.as_bytes()).unwrap();
        assert_eq!(bundle.verify(key.verifying_key()).unwrap().compare(&files), []);
        for other in Curve::ALL {
            let other = SigningKey::from_seed(other, &[10; 32]).unwrap();
            assert_eq!(bundle.verify(other.verifying_key()), Err(Error::BadSignature));
        }
        let again = SigningKey::from_pem(&key.to_pem().unwrap()).unwrap();
        assert_eq!(again.verifying_key(), key.verifying_key());
        assert_eq!(&VerifyingKey::from_pem(key.verifying_key().to_pem()).unwrap(), key.verifying_key());
    }
}

/// A file of eleven bytes in shards of four, hashed by a stand-in: what is compared are values.
fn sharded(path: &str, content: u8) -> HashedFile {
    let shards = [(0, 4), (4, 8), (8, 11)];
    let part = |(start, end)| {
        (Some(Shard { start, end }), ContentDigest::Blake3([content.wrapping_add(start as u8); 32]))
    };
    HashedFile { path: path.to_owned(), size: 11, parts: Some(shards.map(part).to_vec()) }
}

fn in_shards<'a>(files: &'a [HashedFile], ignored: &'a IgnoredPaths) -> Signing<'a> {
    let serialization = Serialization::Shards { size: 4.try_into().unwrap() };
    Signing { hash: HashAlgorithm::Blake3, serialization, ..signing("m", files, ignored) }
}

#[test]
fn shards_are_signed_and_compared_part_by_part() {
    let empty = HashedFile { path: "empty".into(), size: 0, parts: Some(Vec::new()) };
    let files = [sharded("a", 1), sharded("b:0:4", 2), empty.clone()];
    let ignored = IgnoredPaths::default();
    for dialect in [Dialect::Specification, Dialect::Python] {
        let text = sign_model(&Signing { dialect, ..in_shards(&files, &ignored) }, &key()).unwrap();
        let signed = Bundle::parse(text.as_bytes()).unwrap().verify(&public()).unwrap();
        assert_eq!(signed.compare(&files), []);
        assert!(signed.cannot_cover(&empty) && !signed.cannot_cover(&files[0]));
        let said = |found: &[HashedFile]| -> Vec<String> {
            signed.compare(found).iter().map(ToString::to_string).collect()
        };
        let mut changed = files.clone();
        changed[0].parts.as_mut().unwrap()[1].1 = ContentDigest::Blake3([0; 32]);
        assert_eq!(said(&changed), ["`a` was changed: 1 of its shards, the first from byte 4 to 8"]);
        let mut cut = files.clone();
        cut[0].parts.as_mut().unwrap().pop();
        assert_eq!(said(&cut), ["`a` was changed: 1 of its shards, the first from byte 8 to 11"]);
        let mut longer = files.clone();
        let more = (Some(Shard { start: 11, end: 12 }), ContentDigest::Blake3([0; 32]));
        longer[0].parts.as_mut().unwrap().push(more);
        assert_eq!(said(&longer), ["`a` was changed: 1 of its shards, the first from byte 11 to 12"]);
        assert_eq!(said(&files[1..]), ["`a` was signed and is missing"]);
    }
    let nothing = [empty];
    let error = sign_model(&in_shards(&nothing, &ignored), &key()).unwrap_err();
    assert!(error.to_string().contains("empty ones"), "{error}");
}

#[test]
fn parts_cover_a_file_without_gap_or_overlap() {
    let shards = Serialization::Shards { size: 4.try_into().unwrap() };
    let parts =
        |len| -> Vec<_> { shards.parts(len).flatten().map(|shard| (shard.start, shard.end)).collect() };
    assert_eq!(parts(0), []);
    assert_eq!(parts(1), [(0, 1)]);
    assert_eq!(parts(4), [(0, 4)]);
    assert_eq!(parts(9), [(0, 4), (4, 8), (8, 9)]);
    assert_eq!(Serialization::Files.parts(0).collect::<Vec<_>>(), [None]);
}

/// A statement over one file in two shards, changed by `change`, its root made right.
fn shards(change: fn(&mut Value)) -> Result<SignedManifest, Error> {
    let resource = |name: &str, content: &[u8]| json!({"name": name, "algorithm": "sha256", "digest": Digest::of(content)});
    let mut statement: Value = serde_json::from_slice(&statement(|_| {})).unwrap();
    statement["predicate"]["serialization"]["method"] = json!("shards");
    statement["predicate"]["serialization"]["shard_size"] = json!(4);
    statement["predicate"]["resources"] = json!([resource("a:0:4", b"1"), resource("a:4:6", b"2")]);
    change(&mut statement);
    let digests = statement["predicate"]["resources"].as_array().unwrap().iter();
    let digests = digests.map(|resource| resource["digest"].as_str().unwrap().parse::<Digest>().unwrap());
    let digests: Vec<u8> = digests.flat_map(|digest| *digest.as_bytes()).collect();
    statement["subject"][0]["digest"]["sha256"] = json!(Digest::of(&digests));
    let text = bundle(&serde_json::to_vec(&statement).unwrap());
    Bundle::parse(text.as_bytes())?.verify(&public())
}

#[test]
fn shards_that_are_truly_signed_and_leave_something_out_are_refused() {
    type Change = fn(&mut Value);
    let cases: &[(&str, &str, Change)] = &[
        ("a gap", "leave out bytes", |s| s["predicate"]["resources"][0]["name"] = json!("b:0:4")),
        ("not at a multiple", "no shard of 4 bytes", |s| {
            s["predicate"]["resources"][1]["name"] = json!("a:3:6")
        }),
        ("too long", "no shard of 4 bytes", |s| s["predicate"]["resources"][1]["name"] = json!("a:4:9")),
        ("backwards", "no shard of 4 bytes", |s| s["predicate"]["resources"][1]["name"] = json!("a:4:2")),
        ("nothing", "no shard of 4 bytes", |s| s["predicate"]["resources"][1]["name"] = json!("a:4:4")),
        ("a short one first", "leave out bytes", |s| s["predicate"]["resources"][0]["name"] = json!("a:0:3")),
        ("twice", "named twice", |s| s["predicate"]["resources"][1]["name"] = json!("a:0:4")),
        ("no range", "which part of a file", |s| s["predicate"]["resources"][1]["name"] = json!("a")),
        ("another spelling", "which part of a file", |s| {
            s["predicate"]["resources"][1]["name"] = json!("a:04:6")
        }),
        ("a sign", "which part of a file", |s| s["predicate"]["resources"][1]["name"] = json!("a:+4:6")),
        ("outside", "`..`", |s| s["predicate"]["resources"][0]["name"] = json!("../a:0:4")),
        ("no size", "how long a shard is", |s| {
            s["predicate"]["serialization"].as_object_mut().unwrap().remove("shard_size");
        }),
        ("size of nought", "how long a shard is", |s| {
            s["predicate"]["serialization"]["shard_size"] = json!(0)
        }),
        ("a fraction", "how long a shard is", |s| s["predicate"]["serialization"]["shard_size"] = json!(4.5)),
        ("a size below nought", "how long a shard is", |s| {
            s["predicate"]["serialization"]["shard_size"] = json!(-4)
        }),
        ("another label", "is hashed by", |s| {
            s["predicate"]["resources"][0]["algorithm"] = json!("sha256-sharded-5");
        }),
    ];
    for (name, wanted, change) in cases {
        let error = shards(*change).expect_err(name);
        assert!(error.to_string().contains(wanted), "{name}: {error}");
    }
    let taken: &[Change] = &[
        |_| {},
        |s| s["predicate"]["serialization"]["shard_size"] = json!(4.0),
        |s| s["predicate"]["resources"][0]["algorithm"] = json!("sha256-sharded-4"),
        |s| s["predicate"]["resources"].as_array_mut().unwrap().reverse(),
        |s| {
            s["predicate"]["resources"][0]["name"] = json!("a:b:0:4");
            s["predicate"]["resources"][1]["name"] = json!("a:b:4:6");
        },
    ];
    for change in taken {
        assert_eq!(shards(*change).unwrap().resources().len(), 2);
    }
}

#[test]
fn a_signature_may_carry_certificates() {
    let files = files_of(&[("a", b"1")]);
    let ignored = IgnoredPaths::default();
    let certificates = [b"leaf".to_vec(), b"issuer".to_vec()];
    let what = Signing { certificates: &certificates, ..signing("m", &files, &ignored) };
    let bundle = Bundle::parse(sign_model(&what, &key()).unwrap().as_bytes()).unwrap();
    assert_eq!(bundle.credential(), &Credential::CertificateChain(certificates.to_vec()));
    assert_eq!(bundle.verify(&public()).unwrap().compare(&files), []);
    let known = KnownKey { key: public(), hint: KeyHint::Ignored };
    assert!(matches!(known.accept(&bundle), Err(Error::Untrusted(_))), "the method must be the verifier's");
}
