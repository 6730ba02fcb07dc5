use alnage_types::{Digest, HashAlgorithm};
use testkit::pki::{
    Made, authority, leaf,
    rcgen::{CertificateParams, DnType, SanType, date_time_ymd},
};

use super::{
    CertificateTrust, Identity, RevocationEntry, RevocationStatement, RevokedKind, TrustPolicy,
    TrustedCredential, TrustedSigner, pattern::matches,
};
use crate::{
    Bundle, Curve, Dialect, Error, HashedFile, IgnoredPaths, Serialization, Shape, Signer, SignerPolicy,
    Signing, SigningKey, Symlinks, sign_model,
    x509::{Certificate, UnixTime},
};

const NOW: &str = "2026-11-22T08:00:00Z";

fn time(text: &str) -> UnixTime {
    text.parse().unwrap()
}

fn bundle(signer: &dyn Signer, chain: &[&Made]) -> Bundle {
    let weights = alnage_types::ContentDigest::from(Digest::of(b"weights"));
    let files = [HashedFile { path: "model.bin".into(), size: 7, parts: Some(vec![(None, weights)]) }];
    let certificates: Vec<Vec<u8>> = chain.iter().map(|made| made.der.clone()).collect();
    let signing = Signing {
        name: "model",
        files: &files,
        shape: Shape::Directory,
        hash: HashAlgorithm::Sha256,
        serialization: Serialization::Files,
        symlinks: Symlinks::Refused,
        ignored: &IgnoredPaths::default(),
        dialect: Dialect::Specification,
        certificates: &certificates,
        timestamps: None,
    };
    Bundle::parse(sign_model(&signing, signer).unwrap().as_bytes()).unwrap()
}

fn by_certificate(made: &Made, chain: &[&Made]) -> Bundle {
    bundle(&SigningKey::from_pem(&made.key.to_pem()).unwrap(), chain)
}

fn trusting(anchor: &Made, change: impl FnOnce(&mut CertificateTrust)) -> TrustPolicy {
    let mut trust = CertificateTrust {
        anchors: vec![Certificate::from_der(&anchor.der).unwrap()],
        ..CertificateTrust::default()
    };
    change(&mut trust);
    TrustPolicy::new(vec![TrustedSigner::new("release", TrustedCredential::Certificate(trust))], time(NOW))
}

/// Verifies as a verifier does: the signer, the signature, the content. An empty `refusal` wants all to hold.
#[track_caller]
fn check(policy: &TrustPolicy, bundle: &Bundle, refusal: &str) {
    let verified = policy.accept(bundle).and_then(|signer| {
        let signed = bundle.verify(&signer.key)?;
        policy.accept_content(&signed)
    });
    match verified {
        Ok(()) => assert_eq!(refusal, "", "accepted"),
        Err(error) => {
            let said = error.to_string();
            assert!(!refusal.is_empty() && said.contains(refusal), "{refusal:?} is not in {said:?}");
        }
    }
}

struct Chain {
    root: Made,
    middle: Made,
    signer: Made,
}

impl Chain {
    fn new(change: impl FnOnce(&mut CertificateParams)) -> Self {
        let root = authority("root", 1, None, |_| {});
        let middle = authority("middle", 2, Some(&root), |_| {});
        let signer = leaf("signer", 3, Some(&middle), |params| {
            params.distinguished_name.push(DnType::OrganizationName, "Example, Inc.");
            params.subject_alt_names = vec![
                SanType::Rfc822Name("Release@Example.com".try_into().unwrap()),
                SanType::DnsName("build.example.com".try_into().unwrap()),
                SanType::URI("https://example.com/team/release".try_into().unwrap()),
            ];
            change(params);
        });
        Self { root, middle, signer }
    }

    fn bundle(&self) -> Bundle {
        by_certificate(&self.signer, &[&self.signer, &self.middle, &self.root])
    }
}

#[test]
fn a_certificate_below_an_anchor_signs() {
    let chain = Chain::new(|_| {});
    check(&trusting(&chain.root, |_| {}), &chain.bundle(), "");
    let without_root = by_certificate(&chain.signer, &[&chain.signer, &chain.middle]);
    check(&trusting(&chain.root, |_| {}), &without_root, "");
    let alone = by_certificate(&chain.signer, &[&chain.signer]);
    check(&trusting(&chain.root, |_| {}), &alone, "no trusted authority vouches");
    let given = trusting(&chain.root, |trust| {
        trust.intermediates = vec![Certificate::from_der(&chain.middle.der).unwrap()];
    });
    check(&given, &alone, "");
    let other = authority("root", 9, None, |_| {});
    check(&trusting(&other, |_| {}), &chain.bundle(), "not to be trusted");
    let key = TrustedCredential::Key(
        SigningKey::from_pem(&chain.signer.key.to_pem()).unwrap().verifying_key().clone(),
    );
    let keys = TrustPolicy::new(vec![TrustedSigner::new("key", key)], time(NOW));
    check(&keys, &chain.bundle(), "it was made with a certificate");
}

/// The certificate of somebody else in front proves nothing: the signature has to be by its key.
#[test]
fn a_borrowed_certificate_does_not_help() {
    let chain = Chain::new(|_| {});
    let thief = leaf("thief", 8, None, |_| {});
    let borrowed = by_certificate(&thief, &[&chain.signer, &chain.middle, &chain.root]);
    check(&trusting(&chain.root, |_| {}), &borrowed, "the signature does not match");
}

#[test]
fn an_expired_certificate_without_a_timestamp_is_refused() {
    let chain = Chain::new(|params| params.not_after = date_time_ymd(2025, 1, 1));
    let mut policy = trusting(&chain.root, |_| {});
    check(&policy, &chain.bundle(), "expired at 2025-01-01");
    policy.at = Some(time("2024-06-01"));
    check(&policy, &chain.bundle(), "");
}

#[test]
fn the_holder_must_be_who_is_asked_for() {
    let chain = Chain::new(|_| {});
    let pin = Certificate::from_der(&chain.signer.der).unwrap().public_key_digest().unwrap();
    let wrong_pin = Digest::of(b"another");
    for (identity, holds) in [
        ("email:Release@example.com".to_owned(), true),
        ("email:*@example.com".to_owned(), true),
        ("email:release@example.com".to_owned(), false),
        ("email:*@*.com".to_owned(), true),
        ("dns:*.example.com".to_owned(), true),
        ("dns:BUILD.example.com".to_owned(), true),
        ("dns:*.com".to_owned(), false),
        ("dns:**.com".to_owned(), true),
        ("uri:https://example.com/*/release".to_owned(), true),
        ("uri:https://example.com/*".to_owned(), false),
        ("uri:https://example.com/**".to_owned(), true),
        ("subject:O=Example\\, Inc.,CN=signer".to_owned(), true),
        ("subject:O=*,CN=signer".to_owned(), false),
        ("subject:**,CN=signer".to_owned(), true),
        ("O=Example\\, Inc.,CN=signer".to_owned(), true),
        ("build.example.com".to_owned(), true),
        ("Release@example.com".to_owned(), true),
        ("https://example.com/team/release".to_owned(), true),
        ("email:build.example.com".to_owned(), false),
        ("other@example.com".to_owned(), false),
        (format!("spki:{pin}"), true),
        (format!("spki:{wrong_pin}"), false),
    ] {
        let policy =
            trusting(&chain.root, |trust| trust.identities = vec![identity.parse::<Identity>().unwrap()]);
        check(&policy, &chain.bundle(), if holds { "" } else { "is none of those asked for" });
        assert_eq!(identity.parse::<Identity>().unwrap().to_string(), identity);
    }
    for (issuer, holds) in [("CN=middle", true), ("CN=root", false), ("CN=*", true)] {
        let policy = trusting(&chain.root, |trust| trust.issuers = vec![issuer.parse::<Identity>().unwrap()]);
        check(&policy, &chain.bundle(), if holds { "" } else { "was issued by `CN=middle`" });
    }
    for wrong in ["", "email:", "spki:1234", "  "] {
        assert!(wrong.parse::<Identity>().is_err(), "{wrong:?}");
    }
}

#[test]
fn patterns_stop_where_names_have_parts() {
    for (pattern, text, holds) in [
        ("a", "a", true),
        ("*", "", true),
        ("*", "a/b", false),
        ("**", "a/b", true),
        ("a*b", "aXXb", true),
        ("a*b", "aX/b", false),
        ("a*b*c", "abbbcbc", true),
        ("**/x*", "a/b/xy", true),
        ("**/x*", "a/b/xy/z", false),
        ("*a", "aab", false),
        ("***", "a/b", true),
    ] {
        assert_eq!(matches(pattern, text, &['/']), holds, "{pattern} {text}");
    }
}

#[test]
fn keys_count_in_their_time() {
    let key = SigningKey::from_seed(Curve::P384, &[5; 32]).unwrap();
    let other = SigningKey::from_seed(Curve::P256, &[6; 32]).unwrap();
    let signer = TrustedSigner::new("release", TrustedCredential::Key(key.verifying_key().clone()));
    let bundle = bundle(&key, &[]);
    let check_window = |not_before: Option<&str>, not_after: Option<&str>, refusal: &str| {
        let mut signer = signer.clone();
        signer.not_before = not_before.map(time);
        signer.not_after = not_after.map(time);
        check(&TrustPolicy::new(vec![signer], time(NOW)), &bundle, refusal);
    };
    check_window(None, None, "");
    check_window(Some("2026-01-01"), Some("2027-01-01"), "");
    check_window(Some("2027-01-01"), None, "count from 2027-01-01T00:00:00Z on");
    check_window(None, Some("2026-01-01"), "count until 2026-01-01T00:00:00Z");
    let another = TrustedSigner::new("other", TrustedCredential::Key(other.verifying_key().clone()));
    check(&TrustPolicy::new(vec![another.clone()], time(NOW)), &bundle, "signed by the key");
    check(&TrustPolicy::new(vec![another.clone(), signer], time(NOW)), &bundle, "");
    check(&TrustPolicy::new(vec![another.clone(), another], time(NOW)), &bundle, "none of the trusted ones");
    check(&TrustPolicy::new(vec![], time(NOW)), &bundle, "only certificates are trusted");
}

fn entry(kind: RevokedKind, sha256: Digest, since: Option<&str>) -> RevocationEntry {
    RevocationEntry {
        kind,
        sha256,
        reason: "stolen".into(),
        revoked: "2026-11-01T00:00:00Z".into(),
        since: since.map(str::to_owned),
    }
}

#[test]
fn what_is_revoked_counts_no_more() {
    let chain = Chain::new(|_| {});
    let digest = |made: &Made| Certificate::from_der(&made.der).unwrap().fingerprint();
    let key = Certificate::from_der(&chain.signer.der).unwrap().verifying_key().unwrap().hint();
    let bundle = chain.bundle();
    let root = bundle
        .verify(&Certificate::from_der(&chain.signer.der).unwrap().verifying_key().unwrap())
        .unwrap()
        .root();
    for (entry, refusal) in [
        (entry(RevokedKind::Key, key, None), "the key "),
        (entry(RevokedKind::Certificate, digest(&chain.signer), None), "the certificate "),
        (entry(RevokedKind::Certificate, digest(&chain.middle), None), "the certificate "),
        (entry(RevokedKind::Model, root, None), "the model "),
        (entry(RevokedKind::Model, Digest::of(b"weights"), None), "the model "),
        // Without a timestamp nothing proves that the signature is older.
        (entry(RevokedKind::Key, key, Some("2027-01-01T00:00:00Z")), "the key "),
        (entry(RevokedKind::Key, Digest::of(b"another"), None), ""),
        (entry(RevokedKind::Model, key, None), ""),
    ] {
        let mut policy = trusting(&chain.root, |_| {});
        policy.revoked.add(RevocationStatement::first(entry));
        check(&policy, &bundle, refusal);
    }
}

#[test]
fn revocation_lists_are_signed_and_grow() {
    let key = SigningKey::from_seed(Curve::P256, &[5; 32]).unwrap();
    let other = SigningKey::from_seed(Curve::P256, &[6; 32]).unwrap();
    let first = RevocationStatement::first(entry(RevokedKind::Key, Digest::of(b"a"), None));
    let envelope = first.sign(&key).unwrap();
    let (read, digest) = RevocationStatement::verify(envelope.as_bytes(), key.verifying_key()).unwrap();
    assert_eq!(read, first);
    assert!(matches!(
        RevocationStatement::verify(envelope.as_bytes(), other.verifying_key()),
        Err(Error::WrongKey { .. })
    ));
    let second =
        read.clone().followed_by(digest, entry(RevokedKind::Model, Digest::of(b"b"), Some(NOW))).unwrap();
    assert_eq!((second.number, second.previous, second.entries.len()), (2, Some(digest), 2));
    assert!(read.followed_by(digest, entry(RevokedKind::Key, Digest::of(b"a"), None)).is_err());
    let (read, _) =
        RevocationStatement::verify(second.sign(&key).unwrap().as_bytes(), key.verifying_key()).unwrap();
    assert_eq!(read, second);
}

#[test]
fn truly_signed_revocation_lists_that_break_the_format_are_refused() {
    let key = SigningKey::from_seed(Curve::P256, &[5; 32]).unwrap();
    let good = RevocationStatement::first(entry(RevokedKind::Key, Digest::of(b"a"), Some(NOW)));
    let check = |change: &dyn Fn(&mut crate::Statement), said: &str| {
        let mut statement = crate::Statement {
            subjects: vec![crate::Subject { name: "key".into(), digest: Digest::of(b"a") }],
            predicate_type: super::REVOCATION_PREDICATE.into(),
            predicate: serde_json::to_value(&good).unwrap(),
        };
        change(&mut statement);
        let envelope = crate::attest(&statement, &key).unwrap();
        let outcome = RevocationStatement::verify(envelope.as_bytes(), key.verifying_key());
        match outcome {
            Ok(_) => assert_eq!(said, "", "accepted"),
            Err(error) => assert!(!said.is_empty() && error.to_string().contains(said), "{said:?}: {error}"),
        }
    };
    check(&|_| {}, "");
    check(&|statement| statement.predicate_type = "https://example.com".into(), "no revocation list");
    check(&|statement| statement.subjects[0].digest = Digest::of(b"b"), "none of its subjects");
    check(&|statement| statement.predicate["issued"] = "yesterday".into(), "when it was made");
    check(&|statement| statement.predicate["entries"][0]["since"] = "once".into(), "has no time");
    check(&|statement| statement.predicate["entries"][0]["kind"] = "person".into(), "not a revocation list");
    check(&|statement| statement.predicate["more"] = 1.into(), "not a revocation list");
}
