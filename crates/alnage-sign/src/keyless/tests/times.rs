//! When a keyless signature was made: by whose word, and whether that word counts then.

use std::slice::from_ref;

use serde_json::{Value, json};
use testkit::{
    pki::{authority, rcgen::date_time_ymd},
    sigstore::{Envelope, SIGNED, Sigstore},
};

use super::{
    NOW,
    hostile::{envelope, refuse},
    root,
};
use crate::{Bundle, keyless::TrustedRoot, timestamp::tests::Authority as Stamper, x509::UnixTime};

#[test]
fn somebody_must_say_when() {
    let sigstore = Sigstore::default();
    let stamper = Stamper::new(|_| {});
    let without = root(&sigstore.trusted_root(&[]));
    let with = root(&sigstore.trusted_root(&[&stamper.stamper, &stamper.root]));
    for kind in [Envelope::dsse_2, Envelope::hashedrekord_2] {
        let envelope = envelope(&sigstore, |_| {});
        let entry = sigstore.timeless_entry(&kind(&envelope));
        let stamp = stamper.respond(&envelope.signature, "");
        let other = stamper.respond(b"something else", "");
        let bundle = |stamps: &[Vec<u8>]| envelope.bundle(from_ref(&entry), stamps);
        let stamped = bundle(from_ref(&stamp));
        check_later("stamped", &stamped, &with, "");
        check_later("by nobody known", &stamped, &without, "the trusted root names no timestamp authority");
        check_later("not at all", &bundle(&[]), &with, "nobody of the trusted root says when");
        check_later("for something else", &bundle(from_ref(&other)), &with, "is over something else");
        check_later("twice", &bundle(&[stamp.clone(), stamp.clone()]), &with, "stands twice");
        check_later("one that does not count takes nothing away", &bundle(&[other, stamp]), &with, "");

        let mut promised = stamped.clone();
        promised["verificationMaterial"]["tlogEntries"][0]["integratedTime"] = json!(SIGNED.to_string());
        promised["verificationMaterial"]["timestampVerificationData"] = Value::Null;
        check_later("a time that nobody signed", &promised, &with, "nobody of the trusted root says when");
    }
}

#[test]
fn a_timestamp_counts_only_within_its_authority_and_the_certificate() {
    let sigstore = Sigstore::default();
    let stamper = Stamper::new(|_| {});
    let written = sigstore.trusted_root(&[&stamper.stamper, &stamper.root]);
    let stamped = |envelope: &Envelope| {
        let stamp = stamper.respond(&envelope.signature, "");
        envelope.bundle(&[sigstore.timeless_entry(&envelope.dsse_2())], &[stamp])
    };
    let good = stamped(&envelope(&sigstore, |_| {}));
    let mut ended = written.clone();
    ended["timestampAuthorities"][0]["validFor"]["end"] = json!("2026-01-02T00:00:00Z");
    check_later("after its authority", &good, &root(&ended), "the word of `CN=stamper` does not count at");
    // The window of another authority is not lent.
    let another = Stamper::new(|params| params.serial_number = Some(vec![9].into()));
    let mut both = ended;
    let open = sigstore.trusted_root(&[&another.stamper, &authority("other", 70, None, |_| {})]);
    both["timestampAuthorities"].as_array_mut().unwrap().push(open["timestampAuthorities"][0].clone());
    check_later("another's window", &good, &root(&both), "nobody of the trusted root says when");
    let renamed = root(&sigstore.trusted_root(&[&another.stamper, &stamper.root]));
    check_later("another below the anchor", &good, &renamed, "is not the one that the trusted root names");
    let expired = stamped(&envelope(&sigstore, |params| params.not_after = date_time_ymd(2026, 1, 2)));
    check_later("after the certificate", &expired, &root(&written), "expired at 2026-01-02");

    // An early time in the log does not hide the late one of the timestamp.
    let envelope = envelope(&sigstore, |params| params.not_after = date_time_ymd(2026, 1, 3));
    let early = "2026-01-02T00:00:00Z".parse::<UnixTime>().unwrap();
    let entry = sigstore.entry(&envelope.dsse(), early.0);
    check_later("early alone", &envelope.bundle(from_ref(&entry), &[]), &root(&written), "");
    let both = envelope.bundle(&[entry], &[stamper.respond(&envelope.signature, "")]);
    check_later("early and late", &both, &root(&written), "expired at 2026-01-03");
}

#[test]
fn what_is_to_come_is_refused() {
    let sigstore = Sigstore::default();
    let envelope = envelope(&sigstore, |_| {});
    let bundle = envelope.bundle(&[sigstore.entry(&envelope.dsse(), NOW.0 + 301)], &[]);
    refuse("to come", &bundle, &root(&sigstore.trusted_root(&[])), "which is to come");
}

/// As [`refuse`], once the clock that timestamps were made by has gone by.
#[track_caller]
fn check_later(title: &str, bundle: &Value, root: &TrustedRoot, refusal: &str) {
    const LATER: UnixTime = UnixTime(4_000_000_000);
    let found = Bundle::parse(bundle.to_string().as_bytes());
    match found.and_then(|bundle| bundle.verify_keyless(root, LATER)) {
        Ok(_) => assert_eq!(refusal, "", "{title}: accepted"),
        Err(error) => {
            let said = error.to_string();
            assert!(!refusal.is_empty() && said.contains(refusal), "{title}: {refusal:?} is not in {said:?}");
        }
    }
}
