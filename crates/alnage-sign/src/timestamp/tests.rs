use std::{fs, process::Command};

use testkit::pki::{
    Made, authority, leaf,
    rcgen::{CertificateParams, ExtendedKeyUsagePurpose, date_time_ymd},
};

use super::{TimestampAuthorities, timestamp_request, verify_timestamp};
use crate::x509::{Certificate, UnixTime};

const STAMPED: &[u8] = b"signature bytes";
/// Far enough ahead of any clock the tests run by.
const LATER: UnixTime = UnixTime(4_000_000_000);

/// A timestamp authority that OpenSSL runs.
pub(crate) struct Authority {
    pub(crate) root: Made,
    pub(crate) stamper: Made,
}

impl Authority {
    pub(crate) fn new(change: impl FnOnce(&mut CertificateParams)) -> Self {
        let root = authority("stamp root", 1, None, |_| {});
        let stamper = leaf("stamper", 2, Some(&root), |params| {
            let mut purpose =
                testkit::pki::rcgen::CustomExtension::from_oid_content(&[2, 5, 29, 37], EXTENDED.to_vec());
            purpose.set_criticality(true);
            params.custom_extensions = vec![purpose];
            change(params);
        });
        Self { root, stamper }
    }

    /// OpenSSL's response to our request for `stamped`; `settings` are lines of its configuration.
    pub(crate) fn respond(&self, stamped: &[u8], settings: &str) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, content: &[u8]| fs::write(folder.path().join(name), content).unwrap();
        write("stamper.pem", self.stamper.to_pem().as_bytes());
        write("root.pem", self.root.to_pem().as_bytes());
        write("key.pem", self.stamper.key.to_pem().as_bytes());
        write("query.tsq", &timestamp_request(stamped));
        write("serial", b"01");
        let configuration = format!(
            "[tsa]\ndefault_tsa = one\n[one]\nserial = serial\nsigner_cert = stamper.pem\ncerts = root.pem\n\
             signer_key = key.pem\nsigner_digest = sha256\ndefault_policy = 1.2.3\ndigests = sha256, sha512\n{settings}\n"
        );
        write("tsa.cnf", configuration.as_bytes());
        let output = Command::new("openssl")
            .args(["ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query.tsq", "-out", "response.tsr"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::read(folder.path().join("response.tsr")).unwrap()
    }
}

/// Only `id-kp-timeStamping`.
const EXTENDED: [u8; 12] = [0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 8];

#[track_caller]
fn check(token: &[u8], stamped: &[u8], anchor: &Made, now: UnixTime, refusal: &str) {
    let anchors = [Certificate::from_der(&anchor.der).unwrap()];
    let authorities = TimestampAuthorities { anchors: &anchors, intermediates: &[] };
    match verify_timestamp(token, stamped, authorities, now) {
        Ok(timestamp) => {
            assert_eq!(refusal, "", "accepted");
            assert_eq!(timestamp.authority(), "CN=stamper");
            assert!(timestamp.time() > UnixTime(1_700_000_000), "{}", timestamp.time());
        }
        Err(error) => {
            let said = error.to_string();
            assert!(!refusal.is_empty() && said.contains(refusal), "{refusal:?} is not in {said:?}");
        }
    }
}

#[test]
fn a_timestamp_of_openssl_holds_for_what_it_is_over() {
    let authority = Authority::new(|_| {});
    for settings in [
        "",
        "ess_cert_id_alg = sha1",
        "ess_cert_id_alg = sha512",
        "ordering = yes\ntsa_name = yes\naccuracy = secs:1",
    ] {
        let response = authority.respond(STAMPED, settings);
        check(&response, STAMPED, &authority.root, LATER, "");
        check(&response, STAMPED, &authority.stamper, LATER, "");
        check(&response, b"other bytes", &authority.root, LATER, "is over something else");
        check(&response, STAMPED, &authority.root, UnixTime(1_600_000_000), "which is to come");
    }
    let clock = authority.respond(STAMPED, "clock_precision_digits = 6");
    check(&clock, STAMPED, &authority.root, LATER, "");
}

#[test]
fn another_authority_is_not_believed() {
    let authority = Authority::new(|_| {});
    let response = authority.respond(STAMPED, "");
    let other = testkit::pki::authority("stamp root", 9, None, |_| {});
    check(&response, STAMPED, &other, LATER, "is not signed by its issuer");
    let nobody = TimestampAuthorities::default();
    let error = verify_timestamp(&response, STAMPED, nobody, LATER).unwrap_err();
    assert!(error.to_string().contains("no timestamp authority is named"), "{error}");
}

#[test]
fn an_authority_whose_certificate_had_ended_is_refused() {
    let authority = Authority::new(|params| params.not_after = date_time_ymd(2021, 1, 1));
    check(&authority.respond(STAMPED, ""), STAMPED, &authority.root, LATER, "expired at 2021");
}

#[test]
fn a_changed_timestamp_is_refused_wherever_it_is_changed() {
    let authority = Authority::new(|_| {});
    let response = authority.respond(STAMPED, "");
    let anchors = [Certificate::from_der(&authority.root.der).unwrap()];
    let authorities = TimestampAuthorities { anchors: &anchors, intermediates: &[] };
    let honest = verify_timestamp(&response, STAMPED, authorities, LATER).unwrap();
    for at in 0..response.len() {
        let mut changed = response.clone();
        changed[at] ^= 1;
        // What is not signed, such as the status, may change; what is said may not.
        if let Ok(timestamp) = verify_timestamp(&changed, STAMPED, authorities, LATER) {
            assert_eq!(timestamp, honest, "byte {at}");
        }
        assert!(verify_timestamp(&response[..at], STAMPED, authorities, LATER).is_err(), "cut at {at}");
    }
}

#[test]
fn a_key_for_something_else_makes_no_timestamps() {
    // OpenSSL refuses to sign with such a key, so the certificate is exchanged afterwards.
    let authority = Authority::new(|_| {});
    let other = leaf("stamper", 2, Some(&authority.root), |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
    });
    let response = authority.respond(STAMPED, "");
    let anchors = [Certificate::from_der(&authority.root.der).unwrap()];
    let given = [Certificate::from_der(&other.der).unwrap()];
    let authorities = TimestampAuthorities { anchors: &anchors, intermediates: &given };
    assert!(verify_timestamp(&response, STAMPED, authorities, LATER).is_ok());
    let mut without = response.clone();
    let at =
        without.windows(authority.stamper.der.len()).position(|part| part == authority.stamper.der).unwrap();
    without[at + 40] ^= 0xff;
    let error = verify_timestamp(&without, STAMPED, authorities, LATER).unwrap_err();
    assert!(error.to_string().contains("another certificate of the same key"), "{error}");
}
