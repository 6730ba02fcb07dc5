//! Signatures that Sigstore's public and staging instances took part in; where they come from is in the fixtures' README.

use serde_json::Value;

use super::{NOW, check};
use crate::keyless::{Evidence, Inclusion, Signed, TrustedRoot, verify, verify_statement};
use base64ct::{Base64, Encoding as _};

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/fixtures/sigstore/", $name)).as_slice()
    };
}

fn bytes(value: &Value) -> Vec<u8> {
    Base64::decode_vec(value.as_str().unwrap()).unwrap()
}

#[test]
fn bundles_of_every_generation_get_their_verdicts() {
    let public = TrustedRoot::public_good().unwrap();
    let staging = TrustedRoot::parse(fixture!("staging.root.json")).unwrap();
    let cases = [
        ("intoto 0.0.2, version 0.1, promised alone", fixture!("before-checkpoints.json"), &public, ""),
        ("intoto 0.0.2, version 0.1", fixture!("intoto-0.0.2.json"), &public, ""),
        ("dsse 0.0.1, version 0.3", fixture!("dsse-0.0.1.json"), &public, ""),
        ("hashedrekord 0.0.2, version 0.3", fixture!("hashedrekord-0.0.2.json"), &staging, ""),
        ("another instance", fixture!("dsse-0.0.1.json"), &staging, "is not in the trusted root"),
        ("two signatures", fixture!("two-signatures.json"), &public, "2 signatures instead of one"),
        ("never logged", fixture!("never-logged.json"), &public, "no entry in a transparency log"),
    ];
    for (title, bundle, root, refusal) in cases {
        check(title, bundle, root, refusal);
    }
}

#[test]
fn a_signature_over_bytes_holds_for_these_bytes() {
    let public = TrustedRoot::public_good().unwrap();
    let of_one_name = TrustedRoot::parse(fixture!("authorities-of-one-name.root.json")).unwrap();
    let cases = [
        (fixture!("hashedrekord-0.0.1.json"), &public, b"test content for cosign\n".as_slice()),
        (fixture!("authorities-of-one-name.json"), &of_one_name, b"".as_slice()),
    ];
    for (bundle, root, message) in cases {
        let bundle: Value = serde_json::from_slice(bundle).unwrap();
        let material = &bundle["verificationMaterial"];
        let stamps = material["timestampVerificationData"]["rfc3161Timestamps"].as_array();
        let stamps = stamps.into_iter().flatten().map(|stamp| bytes(&stamp["signedTimestamp"]));
        let evidence = Evidence {
            certificate: &bytes(&material["certificate"]["rawBytes"]),
            intermediates: &[],
            entries: material["tlogEntries"].as_array().unwrap(),
            timestamps: &stamps.collect::<Vec<_>>(),
            inclusion: Inclusion::Proven,
        };
        let signature = bytes(&bundle["messageSignature"]["signature"]);
        let signed = |message| {
            let signed = Signed { message, payload: None, payload_type: None, signature: &signature };
            verify(&signed, &evidence, root, NOW)
        };
        assert!(signed(message).is_ok());
        let error = signed(b"something else").unwrap_err();
        assert!(error.to_string().contains("about other content"), "{error}");
    }
}

#[test]
fn attestations_of_packages_hold() {
    let root = TrustedRoot::public_good().unwrap();
    let cases = [
        (
            fixture!("github.provenance"),
            "`https://github.com/trailofbits/pypi-attestations/.github/workflows/release.yml@refs/tags/v0.0.19`",
        ),
        (fixture!("google.provenance"), "`919436158236-compute@developer.gserviceaccount.com`"),
    ];
    for (provenance, name) in cases {
        let provenance: Value = serde_json::from_slice(provenance).unwrap();
        let attestation = &provenance["attestation_bundles"][0]["attestations"][0];
        let material = &attestation["verification_material"];
        let envelope = &attestation["envelope"];
        let evidence = Evidence {
            certificate: &bytes(&material["certificate"]),
            intermediates: &[],
            entries: material["transparency_entries"].as_array().unwrap(),
            timestamps: &[],
            inclusion: Inclusion::Proven,
        };
        let (statement, signature) = (bytes(&envelope["statement"]), bytes(&envelope["signature"]));
        let signer = verify_statement(&statement, &signature, &evidence, &root, NOW).unwrap();
        assert_eq!(signer.names(), name);
    }
}
