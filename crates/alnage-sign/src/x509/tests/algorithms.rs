//! Certificates that OpenSSL signed, with every algorithm that is accepted and some that are not.

use std::{path::Path, process::Command};

use x509_cert::{
    der::{
        Decode as _, Encode as _,
        asn1::{BitString, Null, ObjectIdentifier, Uint},
    },
    spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned},
};

use crate::x509::{
    Certificate, PathRules, Purpose, StaleLists, UnixTime, algorithm::verify_signature, find_path,
};

fn openssl(folder: &Path, arguments: &str) {
    let output =
        Command::new("openssl").args(arguments.split_whitespace()).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

fn read(folder: &Path, name: &str) -> Certificate {
    Certificate::all_from_file(&std::fs::read(folder.join(name)).unwrap()).unwrap().remove(0)
}

/// Signs a leaf with a key that `key` makes, the way that `how` says; `refusal` is empty where it must be accepted.
#[track_caller]
fn check(key: &str, how: &str, refusal: &str) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    openssl(folder, &format!("genpkey {key} -out root.key"));
    openssl(folder, "req -x509 -new -key root.key -subj /CN=root -days 9999 -out root.pem");
    openssl(folder, "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out leaf.key");
    openssl(folder, "req -new -key leaf.key -subj /CN=leaf -out leaf.csr");
    openssl(
        folder,
        &format!(
            "x509 -req -in leaf.csr -CA root.pem -CAkey root.key -set_serial 1 -days 9999 {how} -out leaf.pem"
        ),
    );
    let anchors = [read(folder, "root.pem")];
    let leaf = read(folder, "leaf.pem");
    let after = UnixTime(leaf.not_before().0 + 10);
    let rules = PathRules {
        anchors: &anchors,
        intermediates: &[],
        at: after,
        now: after,
        purpose: Purpose::Signing,
        revocation_lists: &[],
        stale_lists: StaleLists::Refused,
    };
    match find_path(&leaf, &rules) {
        Ok(_) => assert_eq!(refusal, "", "{key} {how}: accepted"),
        Err(error) => {
            let said = error.to_string();
            assert!(!refusal.is_empty() && said.contains(refusal), "{key} {how}: {said}");
        }
    }
}

const RSA: &str = "-algorithm RSA -pkeyopt rsa_keygen_bits:2048";

#[test]
fn elliptic_curves_sign_over_every_hash() {
    for curve in ["P-256", "P-384", "P-521"] {
        for hash in ["sha256", "sha384", "sha512"] {
            check(&format!("-algorithm EC -pkeyopt ec_paramgen_curve:{curve}"), &format!("-{hash}"), "");
        }
    }
    check("-algorithm EC -pkeyopt ec_paramgen_curve:P-256", "-sha1", "1.2.840.10045.4.1 is not accepted");
    check("-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1", "-sha256", "not by a key of its kind");
}

#[test]
fn rsa_signs_in_both_ways() {
    for hash in ["sha256", "sha384", "sha512"] {
        check(RSA, &format!("-{hash}"), "");
        let pss = format!("-{hash} -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:");
        check(RSA, &format!("{pss}digest"), "");
        check(RSA, &format!("{pss}20"), "RSA-PSS with a salt of 20 bytes is not accepted");
    }
    check(&format!("{RSA} -pkeyopt rsa_keygen_pubexp:3"), "-sha256", "");
    check(RSA, "-sha1", "1.2.840.113549.1.1.5 is not accepted");
    check(RSA, "-sha1 -sigopt rsa_padding_mode:pss", "1.2.840.113549.1.1.10 is not accepted");
    let mixed = "-sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_mgf1_md:sha512";
    check(RSA, mixed, "1.2.840.113549.1.1.10 is not accepted");
    for bits in [1024, 2047] {
        let key = format!("-algorithm RSA -pkeyopt rsa_keygen_bits:{bits}");
        check(&key, "-sha256", &format!("an RSA key of {bits} bits is not accepted"));
    }
}

#[test]
fn an_rsa_signature_is_by_one_key_over_one_message() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("message"), b"message").unwrap();
    openssl(folder, &format!("genpkey {RSA} -out key.pem"));
    openssl(folder, &format!("genpkey {RSA} -out other.pem"));
    openssl(folder, "pkey -in key.pem -pubout -outform DER -out key.der");
    openssl(folder, "pkey -in other.pem -pubout -outform DER -out other.der");
    openssl(folder, "dgst -sha256 -sign key.pem -out signature message");
    let bytes = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let key = |name: &str| SubjectPublicKeyInfoOwned::from_der(&bytes(name)).unwrap();
    let (ours, signature) = (key("key.der"), bytes("signature"));
    let algorithm = AlgorithmIdentifierOwned {
        oid: ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11"),
        parameters: Some(Null.into()),
    };
    let verify = |key: &SubjectPublicKeyInfoOwned, message: &[u8], signature: &[u8]| {
        verify_signature(&algorithm, None, key, message, signature)
    };
    assert_eq!(verify(&ours, b"message", &signature), Ok(()));
    let mismatch = Err("the signature does not match".to_owned());
    assert_eq!(verify(&ours, b"massage", &signature), mismatch);
    assert_eq!(verify(&key("other.der"), b"message", &signature), mismatch);
    for length in [0, 1, 255, 257, 1024, 1025] {
        let mut changed = signature.clone();
        changed.resize(length, 0);
        assert_eq!(verify(&ours, b"message", &changed), mismatch, "{length}");
    }

    // Keys that only their maker vouches for.
    let with = |bytes: &[u8]| SubjectPublicKeyInfoOwned {
        subject_public_key: BitString::from_bytes(bytes).unwrap(),
        ..ours.clone()
    };
    let made = |modulus: &[u8], exponent: &[u8]| {
        let number = |bytes: &[u8]| Uint::new(bytes).unwrap().to_der().unwrap();
        let fields = [number(modulus), number(exponent)].concat();
        let length = (fields.len() as u16).to_be_bytes();
        with(&[&[0x30, 0x82], &length[..], &fields].concat())
    };
    let unreadable = Err("the RSA key cannot be read".to_owned());
    let largest = [0xff; 1024];
    assert_eq!(verify(&made(&largest, &[1, 0, 1]), b"message", &signature), mismatch);
    let larger = [&[1][..], &largest].concat();
    let refused = Err("an RSA key of 8193 bits is not accepted".to_owned());
    assert_eq!(verify(&made(&larger, &[1, 0, 1]), b"message", &signature), refused);
    for exponent in [&[0][..], &[1], &[1, 0, 0], &[2, 0, 0, 0, 1], &[1, 0, 0, 0, 0, 0, 0, 0, 3]] {
        assert_eq!(verify(&made(&largest, exponent), b"message", &signature), unreadable, "{exponent:?}");
    }
    assert_eq!(verify(&made(&[0xfe; 256], &[1, 0, 1]), b"message", &signature), unreadable);
    let good = ours.subject_public_key.raw_bytes();
    for bytes in [&[][..], b"\x30\0", &good[..good.len() - 1], &[good, &[0]].concat()] {
        assert_eq!(verify(&with(bytes), b"message", &signature), unreadable);
    }
    let mut other_kind = ours.clone();
    other_kind.algorithm.oid = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
    let kind = Err("the signature is not by a key of its kind".to_owned());
    assert_eq!(verify(&other_kind, b"message", &signature), kind);
}

#[test]
fn edwards_curves_sign_as_far_as_known() {
    check("-algorithm ED25519", "", "");
    check("-algorithm ED448", "", "1.3.101.113 is not accepted");
}

/// A chain that is in use: without an end, with a key usage and no purpose, and with addresses that nobody asks.
#[test]
fn a_chain_from_production_holds() {
    let all =
        Certificate::all_from_file(include_bytes!("../../../tests/fixtures/production-chain.pem")).unwrap();
    let [leaf, middle, root] = all.as_slice() else { panic!("three certificates") };
    let hold = |anchor: &Certificate, at: &str| {
        let rules = PathRules {
            anchors: std::slice::from_ref(anchor),
            intermediates: &all,
            at: at.parse().unwrap(),
            now: at.parse().unwrap(),
            purpose: Purpose::Signing,
            revocation_lists: &[],
            stale_lists: StaleLists::Refused,
        };
        find_path(leaf, &rules).map(|path| path.certificates().len())
    };
    assert_eq!(hold(root, "2026-11-22"), Ok(3));
    assert_eq!(hold(middle, "2026-11-22"), Ok(2));
    assert_eq!(hold(leaf, "2026-11-22"), Ok(1));
    assert!(hold(root, "2029-01-01").unwrap_err().to_string().contains("expired at 2028-04-22"));
    assert!(hold(root, "2026-01-01").unwrap_err().to_string().contains("valid from 2026-04-01"));
    assert_eq!(root.not_after().to_string(), "9999-12-31T23:59:59Z");
    assert_eq!(leaf.subject(), "CN=NVIDIA Agent Skills Signing 001,O=NVIDIA Corporation,C=US");
}
