//! Everything that could be wrong with a keyless signature, made with an authority and logs of our own.

use serde_json::{Value, json};
use testkit::{
    pki::{
        Key, Made, authority,
        rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyUsagePurpose, date_time_ymd},
    },
    sigstore::{Envelope, SIGNED, Sigstore, base64, provider, provider_text},
};

use super::{NOW, check, root};
use crate::{
    Bundle, Error,
    keyless::{KeylessTrust, TrustedRoot},
};

const PAYLOAD: &[u8] = br#"{"_type": "https://in-toto.io/Statement/v1"}"#;

/// What is changed, and how that is refused.
type Cases<'a, const N: usize> = [(&'a str, &'a dyn Fn(&mut Value), &'a str); N];

pub(super) fn envelope(sigstore: &Sigstore, change: impl Fn(&mut CertificateParams)) -> Envelope {
    sigstore.envelope(sigstore.certificate(change), PAYLOAD)
}

fn honest(sigstore: &Sigstore) -> Value {
    let envelope = envelope(sigstore, |_| {});
    envelope.bundle(&[sigstore.entry(&envelope.dsse(), SIGNED)], &[])
}

#[track_caller]
pub(super) fn refuse(title: &str, bundle: &Value, root: &TrustedRoot, refusal: &str) {
    check(title, bundle.to_string().as_bytes(), root, refusal);
}

/// A bundle around a certificate that `change` altered; everything else is honest.
#[track_caller]
fn check_certificate(title: &str, change: impl Fn(&mut CertificateParams), refusal: &str) {
    let sigstore = Sigstore::default();
    let envelope = envelope(&sigstore, change);
    let bundle = envelope.bundle(&[sigstore.entry(&envelope.dsse(), SIGNED)], &[]);
    refuse(title, &bundle, &root(&sigstore.trusted_root(&[])), refusal);
}

#[test]
fn every_kind_of_entry_holds_and_none_for_another_signature() {
    let sigstore = Sigstore::default();
    let trusted = root(&sigstore.trusted_root(&[]));
    let envelope = envelope(&sigstore, |_| {});
    let other_content = sigstore.envelope(sigstore.certificate(|_| {}), b"{}");
    let other_signer = sigstore
        .envelope(sigstore.certificate(|params| params.serial_number = Some(vec![7].into())), PAYLOAD);
    let other_signature = {
        let mut other = self::envelope(&sigstore, |_| {});
        other.signature = other.signer.key.signature(b"something else");
        other
    };
    for kind in [Envelope::dsse, Envelope::hashedrekord, Envelope::intoto] {
        let about = |other: &Envelope| envelope.bundle(&[sigstore.entry(&kind(other), SIGNED)], &[]);
        let name = kind(&envelope)["kind"].to_string();
        refuse(&name, &about(&envelope), &trusted, "");
        refuse(&name, &about(&other_content), &trusted, "the log's entry is about other content");
        refuse(&name, &about(&other_signer), &trusted, "the log's entry is about another signer");
        refuse(&name, &about(&other_signature), &trusted, "the log's entry is about another signature");
    }
}

#[test]
fn what_an_entry_says_of_itself_must_be_understood() {
    let sigstore = Sigstore::default();
    let trusted = root(&sigstore.trusted_root(&[]));
    let envelope = envelope(&sigstore, |_| {});
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut body = envelope.dsse();
        change(&mut body);
        envelope.bundle(&[sigstore.entry(&body, SIGNED)], &[])
    };
    let kind = changed(&|body| body["kind"] = json!("rekord"));
    refuse("an unknown kind", &kind, &trusted, "entries of the kind `rekord 0.0.1`");
    let version = changed(&|body| body["apiVersion"] = json!("0.0.9"));
    refuse("an unknown version", &version, &trusted, "entries of the kind `dsse 0.0.9`");
    let hash = changed(&|body| body["spec"]["payloadHash"]["algorithm"] = json!("md5"));
    refuse("a weak hash", &hash, &trusted, "names content by `md5`");
    let two = changed(&|body| {
        let first = body["spec"]["signatures"][0].clone();
        body["spec"]["signatures"] = json!([first, first]);
    });
    refuse("two signatures", &two, &trusted, "does not hold one signature");
    let mut other = honest(&sigstore);
    other["verificationMaterial"]["tlogEntries"][0]["kindVersion"]["kind"] = json!("hashedrekord");
    refuse("another kind", &other, &trusted, "of another kind than the bundle says");
    let mut empty = honest(&sigstore);
    empty["verificationMaterial"]["tlogEntries"] = json!([]);
    refuse("no entry", &empty, &trusted, "no entry in a transparency log");
}

#[test]
fn an_entry_must_be_in_its_log() {
    let sigstore = Sigstore::default();
    let trusted = root(&sigstore.trusted_root(&[]));
    let signature = base64(&sigstore.log.signature(b"something else"));
    let hash = base64(&[9; 32]);
    let cases: Cases<'_, 12> = [
        ("nothing", &|_| {}, ""),
        (
            "promise",
            &|entry| entry["inclusionPromise"]["signedEntryTimestamp"] = json!(signature),
            "the promise of the log",
        ),
        (
            "time",
            &|entry| entry["integratedTime"] = json!((SIGNED + 1).to_string()),
            "the promise of the log",
        ),
        ("place in all shards", &|entry| entry["logIndex"] = json!("5"), "the promise of the log"),
        (
            "place",
            &|entry| entry["inclusionProof"]["logIndex"] = json!("4"),
            "does not lead to the checkpoint's root",
        ),
        (
            "place outside",
            &|entry| entry["inclusionProof"]["logIndex"] = json!("7"),
            "cannot be in a log of 7",
        ),
        ("size", &|entry| entry["inclusionProof"]["treeSize"] = json!("8"), "another state of the log"),
        ("root", &|entry| entry["inclusionProof"]["rootHash"] = json!(hash), "another state of the log"),
        (
            "hash",
            &|entry| entry["inclusionProof"]["hashes"][1] = json!(hash),
            "does not lead to the checkpoint's root",
        ),
        (
            "no proof",
            &|entry| drop(entry.as_object_mut().unwrap().remove("inclusionProof")),
            "the proof that the log holds its entry is missing",
        ),
        (
            "no checkpoint",
            &|entry| drop(entry["inclusionProof"].as_object_mut().unwrap().remove("checkpoint")),
            "has no checkpoint",
        ),
        (
            "checkpoint",
            &|entry| {
                let note =
                    entry["inclusionProof"]["checkpoint"]["envelope"].as_str().unwrap().replace("77", "78");
                entry["inclusionProof"]["checkpoint"]["envelope"] = json!(note);
            },
            "the checkpoint of the log",
        ),
    ];
    for (title, change, refusal) in cases {
        let mut bundle = honest(&sigstore);
        change(&mut bundle["verificationMaterial"]["tlogEntries"][0]);
        refuse(title, &bundle, &trusted, refusal);
    }
}

#[test]
fn the_first_bundles_need_the_promise() {
    let sigstore = Sigstore::default();
    let trusted = root(&sigstore.trusted_root(&[]));
    let first = |change: &dyn Fn(&mut Value)| {
        let mut bundle = honest(&sigstore);
        bundle["mediaType"] = json!("application/vnd.dev.sigstore.bundle+json;version=0.1");
        change(&mut bundle["verificationMaterial"]["tlogEntries"][0]);
        bundle
    };
    let without = |entry: &mut Value, name: &str| drop(entry.as_object_mut().unwrap().remove(name));
    refuse("both", &first(&|_| {}), &trusted, "");
    refuse("promised", &first(&|entry| without(entry, "inclusionProof")), &trusted, "");
    let proven = first(&|entry| without(entry, "inclusionPromise"));
    refuse("proven", &proven, &trusted, "promise to take its entry in is missing");
    let damaged = first(&|entry| entry["inclusionProof"]["hashes"] = json!([]));
    refuse("damaged proof", &damaged, &trusted, "the inclusion proof is too short");
}

#[test]
fn only_logs_of_the_root_count_and_only_while_they_do() {
    let sigstore = Sigstore::default();
    let bundle = honest(&sigstore);
    let cases: Cases<'_, 11> = [
        ("nothing", &|_| {}, ""),
        ("no log", &|root| root["tlogs"] = json!([]), "is not in the trusted root"),
        (
            "its key",
            &|root| root["tlogs"][0]["publicKey"]["rawBytes"] = json!(base64(&Key::new(99).public_der())),
            "the checkpoint of the log",
        ),
        (
            "its kind of key",
            &|root| root["tlogs"][0]["publicKey"]["keyDetails"] = json!("ML_DSA_65"),
            "signs by `ML_DSA_65`, which is not supported",
        ),
        (
            "begins later",
            &|root| root["tlogs"][0]["publicKey"]["validFor"]["start"] = json!("2026-11-01T00:00:01Z"),
            "the key of the log `https://log.example` does not count at",
        ),
        (
            "ended before",
            &|root| root["tlogs"][0]["publicKey"]["validFor"]["end"] = json!("2026-10-31T23:59:59.999Z"),
            "the key of the log `https://log.example` does not count at",
        ),
        (
            "ends then",
            &|root| root["tlogs"][0]["publicKey"]["validFor"]["end"] = json!("2026-11-01T00:00:00Z"),
            "",
        ),
        (
            "no certificate log",
            &|root| root["ctlogs"] = json!([]),
            "that saw its certificate is not in the trusted root",
        ),
        (
            "certificate log ended",
            &|root| root["ctlogs"][0]["publicKey"]["validFor"]["end"] = json!("2026-10-31T23:59:59Z"),
            "certificates.example` does not count at",
        ),
        (
            "certificate log's key",
            &|root| root["ctlogs"][0]["publicKey"]["rawBytes"] = json!(base64(&Key::new(99).public_der())),
            "the signature does not match",
        ),
        (
            "authority ended",
            &|root| root["certificateAuthorities"][0]["validFor"]["end"] = json!("2026-10-31T23:59:59Z"),
            "no authority of the trusted root counts at",
        ),
    ];
    for (title, change, refusal) in cases {
        let mut written = sigstore.trusted_root(&[]);
        change(&mut written);
        refuse(title, &bundle, &root(&written), refusal);
    }
}

#[test]
fn a_root_that_is_not_understood_is_refused() {
    let written = Sigstore::default().trusted_root(&[]);
    let changed = |place: &str, value: Value| {
        let mut written = written.clone();
        *written.pointer_mut(place).unwrap() = value;
        TrustedRoot::parse(written.to_string().as_bytes())
            .map(drop)
            .unwrap_or_else(|error| panic!("{error}"));
    };
    changed("/mediaType", json!("application/vnd.dev.sigstore.trustedroot.v0.2+json"));
    let refused = |place: &str, value: Value, refusal: &str| {
        let mut written = written.clone();
        *written.pointer_mut(place).unwrap() = value;
        let error = TrustedRoot::parse(written.to_string().as_bytes()).unwrap_err().to_string();
        assert!(error.contains(refusal), "{error}");
    };
    refused("/mediaType", json!("application/json"), "it is of the kind `application/json`");
    refused("/tlogs/0/publicKey/validFor", json!({}), "from when the log `https://log.example` counts");
    refused("/certificateAuthorities/0/validFor", json!({}), "from when the authority");
    refused("/certificateAuthorities/0/certChain/certificates", json!([]), "no certificate of the authority");
    refused("/tlogs/0/publicKey/validFor/start", json!("yesterday"), "is no time");
    let configuration = json!({ "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json", "trustedRoot": written });
    assert!(TrustedRoot::parse(configuration.to_string().as_bytes()).is_ok());
    assert!(TrustedRoot::parse(b"[]").is_err());
}

#[test]
fn a_certificate_must_be_for_signing_and_good_at_the_time() {
    check_certificate("as it is", |_| {}, "");
    check_certificate(
        "expired",
        |params| params.not_after = date_time_ymd(2026, 10, 31),
        "expired at 2026-10-31",
    );
    check_certificate(
        "to come",
        |params| params.not_before = date_time_ymd(2026, 11, 2),
        "is valid from 2026-11-02",
    );
    check_certificate("any purpose", |params| params.extended_key_usages = vec![], "is not for signing code");
    check_certificate(
        "a server's",
        |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth],
        "is not for signing code",
    );
    check_certificate("no key usage", |params| params.key_usages = vec![], "is not for signing code");
    check_certificate(
        "another key usage",
        |params| params.key_usages = vec![KeyUsagePurpose::KeyAgreement],
        "is not for digital signatures",
    );
    check_certificate(
        "no provider",
        |params| params.custom_extensions = vec![],
        "names no identity provider",
    );
    check_certificate(
        "two providers",
        |params| params.custom_extensions.push(provider_text("https://other.example")),
        "names two identity providers",
    );
}

#[test]
fn a_certificate_must_have_been_logged() {
    let sigstore = Sigstore::default();
    let trusted = root(&sigstore.trusted_root(&[]));
    let around = |signer: Made| {
        let envelope = sigstore.envelope(signer, PAYLOAD);
        envelope.bundle(&[sigstore.entry(&envelope.dsse(), SIGNED)], &[])
    };
    let elsewhere = sigstore.certificate_logged_by(&Key::new(99), SIGNED, |_| {});
    refuse(
        "by another log",
        &around(elsewhere),
        &trusted,
        "that saw its certificate is not in the trusted root",
    );
    let early = sigstore.certificate_logged_by(&sigstore.certificate_log, 1_700_000_000, |_| {});
    refuse("too early", &around(early), &trusted, "does not count at");
    let unlogged = testkit::pki::leaf("", 44, Some(&sigstore.issuer), |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        params.custom_extensions = vec![provider("https://login.example")];
    });
    refuse("never", &around(unlogged), &trusted, "carries no timestamp of a log");
    // Seen for another certificate: the log signed all but the timestamps.
    let other = Sigstore {
        issuer: authority("sigstore issuer", 50, Some(&sigstore.root), |_| {}),
        ..Sigstore::default()
    };
    let mut written = other.trusted_root(&[]);
    written["certificateAuthorities"][0]["certChain"]["certificates"][0]["rawBytes"] =
        json!(base64(&other.issuer.der));
    let swapped = other.certificate(|_| {});
    let envelope = other.envelope(swapped, PAYLOAD);
    let bundle = envelope.bundle(&[other.entry(&envelope.dsse(), SIGNED)], &[]);
    refuse("another issuer, honest", &bundle, &root(&written), "");
    refuse("another issuer", &bundle, &trusted, "is not signed by its issuer");
}

#[test]
fn the_signature_itself_must_hold() {
    let sigstore = Sigstore::default();
    let mut envelope = envelope(&sigstore, |_| {});
    envelope.signature = Key::new(98).signature(&testkit::sigstore::encoded(PAYLOAD));
    // Logged truly, as whoever does not hold the key could have it.
    let bundle = envelope.bundle(&[sigstore.entry(&envelope.dsse(), SIGNED)], &[]);
    refuse(
        "by another key",
        &bundle,
        &root(&sigstore.trusted_root(&[])),
        "does not match its content and the key",
    );
}

#[test]
fn both_the_identity_and_its_provider_must_fit() {
    let sigstore = Sigstore::default();
    let bundle = Bundle::parse(honest(&sigstore).to_string().as_bytes()).unwrap();
    let signer = bundle.verify_keyless(&root(&sigstore.trusted_root(&[])), NOW).unwrap();
    let trusted = |identity: &str, provider: &str| -> Result<(), Error> {
        let list = |text: &str| if text.is_empty() { vec![] } else { vec![text.to_owned()] };
        let identities = list(identity).iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
        let providers = list(provider).iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
        KeylessTrust::new(identities, providers)?.check(signer.path().leaf(), signer.provider())
    };
    let login = "https://login.example";
    for identity in
        ["release@example.com", "email:*@example.com", r"regexp:.*@example\.com", "release@EXAMPLE.com"]
    {
        assert_eq!(trusted(identity, login), Ok(()), "{identity}");
    }
    for provider in ["https://*.example", r"regexp:https://log[a-z]+\.example"] {
        assert_eq!(trusted("release@example.com", provider), Ok(()), "{provider}");
    }
    let cases = [
        ("other@example.com", login, "none of those asked for"),
        ("uri:release@example.com", login, "none of those asked for"),
        ("release@example.co", login, "none of those asked for"),
        ("(no subject)", login, "none of those asked for"),
        (r"regexp:example\.com", login, "none of those asked for"),
        (r"regexp:release|other", login, "none of those asked for"),
        ("release@example.com", "https://login.example.org", "none of the providers asked for"),
        ("release@example.com", "regexp:https://login", "none of the providers asked for"),
        ("", login, "no identity is named"),
        ("release@example.com", "", "no identity provider is named"),
        ("regexp:(", login, "not a regular expression"),
    ];
    for (identity, provider, refusal) in cases {
        let error = trusted(identity, provider).unwrap_err().to_string();
        assert!(error.contains(refusal), "{identity} {provider}: {error}");
    }
}
