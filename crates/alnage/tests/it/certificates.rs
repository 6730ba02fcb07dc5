//! Signing and verifying by certificate, alone and together with the reference implementation.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use testkit::pki::{
    Made, authority, leaf, pem,
    rcgen::{
        CertificateParams, CertificateRevocationListParams, ExtendedKeyUsagePurpose, KeyIdMethod,
        RevokedCertParams, SanType, SerialNumber, date_time_ymd,
    },
};

use crate::{sandbox::Sandbox, seal::model_signing};

/// A sandbox with a model, a root, an authority below it and a signer below that, each in its own file.
fn sandbox(change: impl FnOnce(&mut CertificateParams)) -> (Sandbox, Made) {
    let sandbox = Sandbox::with_good_model();
    let root = authority("root", 1, None, |_| {});
    let middle = authority("middle", 2, Some(&root), |_| {});
    let signer = leaf("signer", 3, Some(&middle), |params| {
        params.subject_alt_names = vec![SanType::Rfc822Name("release@example.com".try_into().unwrap())];
        change(params);
    });
    sandbox.write("root.pem", root.to_pem());
    sandbox.write("middle.pem", middle.to_pem());
    sandbox.write("signer.pem", signer.to_pem());
    sandbox.write("key.pem", signer.key.to_pem());
    sandbox.write("other.pem", authority("root", 9, None, |_| {}).to_pem());
    (sandbox, middle)
}

const SIGN: &str =
    "sign good --key key.pem --certificate signer.pem --cert-chain middle.pem --cert-chain root.pem";

fn signed(change: impl FnOnce(&mut CertificateParams)) -> (Sandbox, Made) {
    let (sandbox, middle) = sandbox(change);
    let ran = sandbox.run(SIGN);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    (sandbox, middle)
}

#[track_caller]
fn check(sandbox: &Sandbox, flags: &str, code: i32, said: &str) {
    let ran = sandbox.run(&format!("verify good {flags}"));
    assert_eq!(ran.code, code, "{flags}: {}{}", ran.stdout, ran.stderr);
    assert!(
        format!("{}{}", ran.stdout, ran.stderr).contains(said),
        "{said:?} is not in {}{}",
        ran.stdout,
        ran.stderr
    );
}

#[test]
fn a_certificate_signs_and_an_authority_vouches() {
    let (sandbox, _) = signed(|_| {});
    check(&sandbox, "--ca root.pem", 0, "the certificate of `CN=signer`, trusted by `CN=root`");
    check(&sandbox, "--ca middle.pem", 0, "trusted by `CN=middle`");
    check(&sandbox, "--ca signer.pem", 0, "trusted by `CN=signer`");
    check(&sandbox, "--ca other.pem", 1, "is not signed by its issuer");
    check(&sandbox, "--ca other.pem --ca root.pem", 0, "trusted by `CN=root`");
    check(&sandbox, "", 2, "nobody is named whose signature would count");
    check(&sandbox, "--ca root.pem --identity email:*@example.com --issuer CN=middle", 0, "verified");
    check(&sandbox, "--ca root.pem --identity email:*@example.org", 1, "none of those asked for");
    check(&sandbox, "--ca root.pem --issuer CN=root", 1, "was issued by `CN=middle`");
    check(&sandbox, "--key key.pem --identity a", 2, "this is a private key");
    sandbox.write("good/config.json", "{}");
    check(&sandbox, "--ca root.pem", 1, "`config.json` was changed");
}

#[test]
fn a_seal_by_certificate_is_verified_whole() {
    let (sandbox, _) = sandbox(|_| {});
    let ran = sandbox
        .run("vet good --seal --log log --key key.pem --certificate signer.pem --cert-chain middle.pem");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    check(&sandbox, "--ca root.pem --log log --require-seal", 0, "trusted by `CN=root`");
    check(&sandbox, "--ca other.pem --log log --require-seal", 1, "refused");
}

#[test]
fn certificates_that_do_not_fit_are_not_signed_with() {
    let (sandbox, _) = sandbox(|_| {});
    let ran = sandbox.run("sign good --key key.pem --certificate middle.pem");
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("the certificate of `CN=middle` is for another key"), "{}", ran.stderr);
    assert!(!sandbox.path("good/model.sig").exists());
}

/// What the reference implementation lets pass: see `SECURITY.md`.
#[test]
fn expired_certificates_and_those_of_servers_are_refused() {
    let (sandbox, _) = signed(|params| params.not_after = date_time_ymd(2025, 1, 1));
    check(&sandbox, "--ca root.pem", 1, "expired at 2025-01-01T00:00:00Z");
    check(&sandbox, "--ca root.pem --at 2024-06-01", 0, "verified");
    check(&sandbox, "--ca root.pem --at yesterday", 2, "is no time");
    let python = "verify certificate good --signature good/model.sig --certificate_chain root.pem";
    assert!(
        model_signing(&sandbox, python).status.success(),
        "1.1.1 accepts what has expired; it did when this was written"
    );

    let server = |params: &mut CertificateParams| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]
    };
    let (sandbox, _) = signed(server);
    check(&sandbox, "--ca root.pem", 1, "is not for signing code");
    assert!(
        model_signing(&sandbox, python).status.success(),
        "1.1.1 accepts certificates of servers; it did when this was written"
    );
}

#[test]
fn revocation_lists_of_authorities_count() {
    let (sandbox, middle) = signed(|_| {});
    let list = |revoked: &[u8]| {
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 1, 1),
            next_update: date_time_ymd(2100, 1, 1),
            crl_number: SerialNumber::from(7_u64),
            issuing_distribution_point: None,
            revoked_certs: (revoked.iter())
                .map(|&seed| RevokedCertParams {
                    serial_number: SerialNumber::from(vec![seed, 1]),
                    revocation_time: date_time_ymd(2026, 1, 1),
                    reason_code: None,
                    invalidity_date: None,
                })
                .collect(),
            key_identifier_method: KeyIdMethod::PreSpecified(vec![2; 20]),
        };
        pem("X509 CRL", params.signed_by(&middle.issuer()).unwrap().der())
    };
    sandbox.write("good.crl", list(&[9]));
    sandbox.write("bad.crl", list(&[3]));
    check(&sandbox, "--ca root.pem --crl good.crl", 0, "verified");
    check(&sandbox, "--ca root.pem --crl bad.crl", 1, "was revoked at 2026-01-01T00:00:00Z");
}

#[test]
fn the_reference_implementation_and_we_take_each_others_certificates() {
    let (sandbox, _) = signed(|_| {});
    let verify = "verify certificate good --signature good/model.sig --certificate_chain root.pem";
    let output = model_signing(&sandbox, verify);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    sandbox.write("good/config.json", "{}");
    assert!(!model_signing(&sandbox, verify).status.success());

    let sign = "sign certificate good --signature good/model.sig --private_key key.pem --signing_certificate \
                signer.pem --certificate_chain middle.pem --certificate_chain root.pem";
    let output = model_signing(&sandbox, sign);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    check(&sandbox, "--ca root.pem", 0, "trusted by `CN=root`");
    check(&sandbox, "--ca other.pem", 1, "refused");
}

/// Writes what `openssl ts` needs to be a timestamp authority, below the root in `stamp-root.pem`.
fn timestamp_authority(sandbox: &Sandbox) {
    let root = authority("stamp root", 5, None, |_| {});
    let stamper = leaf("stamper", 6, Some(&root), |params| {
        // id-kp-timeStamping alone, and critical, as RFC 3161 wants it.
        let content = vec![0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 8];
        let mut purpose = testkit::pki::rcgen::CustomExtension::from_oid_content(&[2, 5, 29, 37], content);
        purpose.set_criticality(true);
        params.custom_extensions = vec![purpose];
    });
    sandbox.write("stamp-root.pem", root.to_pem());
    sandbox.write("stamper.pem", stamper.to_pem());
    sandbox.write("stamper-key.pem", stamper.key.to_pem());
    sandbox.write("serial", "01");
    sandbox.write(
        "tsa.cnf",
        "[tsa]\ndefault_tsa = one\n[one]\nserial = serial\nsigner_cert = stamper.pem\nsigner_key = stamper-key.pem\n\
         signer_digest = sha256\ndefault_policy = 1.2.3\ndigests = sha256\n",
    );
}

/// A signature made while the certificate was valid stays good when a trusted authority says when that was.
#[test]
fn a_timestamp_outlives_the_certificate() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let soon = testkit::pki::rcgen::date_time_ymd(2020, 1, 1)
        + std::time::Duration::from_secs(now + 3 - 1_577_836_800);
    let (sandbox, _) = signed(|params| params.not_after = soon);
    check(&sandbox, "--ca root.pem", 0, "verified");

    timestamp_authority(&sandbox);
    // What is stamped is the signature itself; the response goes into the bundle.
    let script = "import base64, json, subprocess\n\
        bundle = json.load(open('good/model.sig'))\n\
        open('signature.der', 'wb').write(base64.b64decode(bundle['dsseEnvelope']['signatures'][0]['sig']))\n\
        run = lambda *words: subprocess.run(['openssl', 'ts', *words], check=True)\n\
        run('-query', '-data', 'signature.der', '-sha256', '-cert', '-out', 'query.tsq')\n\
        run('-reply', '-config', 'tsa.cnf', '-queryfile', 'query.tsq', '-out', 'response.tsr')\n\
        stamp = {'signedTimestamp': base64.b64encode(open('response.tsr', 'rb').read()).decode()}\n\
        bundle['verificationMaterial']['timestampVerificationData'] = {'rfc3161Timestamps': [stamp]}\n\
        json.dump(bundle, open('good/model.sig', 'w'))\n";
    let output = Command::new(testkit::peers::python())
        .args(["-c", script])
        .current_dir(sandbox.root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    while std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() <= now + 3 {
        std::thread::yield_now();
    }
    check(&sandbox, "--ca root.pem", 1, "expired at");
    check(&sandbox, "--ca root.pem --tsa stamp-root.pem", 0, "by the word of `CN=stamper`");
    check(&sandbox, "--ca root.pem --tsa other.pem", 1, "its timestamp does not count");
}

/// A timestamp authority over HTTP, ended when dropped.
struct Authority {
    process: Child,
    url: String,
}

impl Authority {
    fn start(sandbox: &Sandbox) -> Self {
        timestamp_authority(sandbox);
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/certificates/authority.py");
        let mut process = Command::new(testkit::peers::python())
            .arg(script)
            .current_dir(sandbox.root())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self { process, url: url.trim().to_owned() }
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `--timestamp-url` has an authority stamp the signature, and signs nothing when there is no timestamp over it.
#[test]
fn an_authority_is_asked_for_a_timestamp() {
    let (sandbox, _) = sandbox(|_| {});
    let authority = Authority::start(&sandbox);
    let sign = |path: &str| sandbox.run(&format!("{SIGN} --timestamp-url {}/{path}", authority.url));
    for (path, said) in [
        ("down", "answered 503"),
        ("nothing", "there is no timestamp"),
        ("other", "the timestamp is over something else"),
        ("bare", "does not bring the certificate of its signer"),
        ("refused", "the authority refused to make one"),
    ] {
        let ran = sign(path);
        assert_eq!(ran.code, 2, "{path}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{path}: {}", ran.stderr);
        assert!(ran.stderr.contains("name another authority"), "{path}: {}", ran.stderr);
        assert!(!sandbox.root().join("good/model.sig").exists(), "{path}");
    }
    let away = sandbox.run(&format!("{SIGN} --timestamp-url http://127.0.0.1:1/"));
    assert_eq!(away.code, 2, "{}", away.stderr);
    assert!(away.stderr.contains("`http://127.0.0.1:1/` does not answer"), "{}", away.stderr);
    let ran = sign("stamp");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    check(&sandbox, "--ca root.pem --tsa stamp-root.pem", 0, "by the word of `CN=stamper`");
    let verify = "verify certificate good --signature good/model.sig --certificate_chain root.pem";
    let output = model_signing(&sandbox, verify);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// What was sealed by a key before it was revoked still counts when a timestamp says that it was.
#[test]
fn a_timestamp_outlives_the_key() {
    let sandbox = Sandbox::with_good_model();
    let authority = Authority::start(&sandbox);
    let run = |line: &str| {
        let ran = sandbox.run(line);
        assert_eq!(ran.code, 0, "{line}: {}", ran.stderr);
    };
    run("keygen --out a");
    run("keygen --out security");
    let revoke =
        "revoke revoked.json --key security/signing.pem --log log --kind key --what a/signing.pub.pem";
    run(&format!("{revoke} --reason stolen --since 2099-01-01"));
    let flags = "--key a/signing.pub.pem --tsa stamp-root.pem --revocations revoked.json \
                 --revocation-key security/signing.pub.pem --log log";
    let seal = "vet good --seal --key a/signing.pem --log log";
    run(seal);
    check(&sandbox, flags, 1, "revoked");
    run(&format!("{seal} --timestamp-url {}/stamp", authority.url));
    check(&sandbox, flags, 0, "by the word of `CN=stamper`");
}
