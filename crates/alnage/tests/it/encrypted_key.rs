//! Signing with private keys under a password, as OpenSSL writes them.

use std::process::Command;

use crate::sandbox::{Ran, Sandbox};

const PASSWORD: &str = "cloth of many colours";

/// A sandbox with a model and a key of its own, encrypted by OpenSSL in the way that `options` say.
fn sandbox(curve: &str, options: &[&str]) -> Sandbox {
    let sandbox = Sandbox::with_good_model();
    let plain = Command::new("openssl")
        .args(["genpkey", "-algorithm", "EC", "-pkeyopt"])
        .arg(format!("ec_paramgen_curve:{curve}"))
        .output()
        .unwrap();
    sandbox.write("plain.pem", plain.stdout);
    openssl(&sandbox, &["pkey", "-in", "plain.pem", "-pubout", "-out", "public.pem"]);
    let words = ["pkcs8", "-topk8", "-in", "plain.pem", "-out", "key.pem", "-passout"];
    openssl(&sandbox, &[&words[..], &[&format!("pass:{PASSWORD}")], options].concat());
    sandbox
}

fn openssl(sandbox: &Sandbox, words: &[&str]) {
    let ran = Command::new("openssl").args(words).current_dir(sandbox.path(".")).output().unwrap();
    assert!(ran.status.success(), "{words:?}: {}", String::from_utf8_lossy(&ran.stderr));
}

fn sign(sandbox: &Sandbox, environment: &[(&str, &str)]) -> Ran {
    sandbox.run_with("sign good --key key.pem", environment, b"")
}

#[test]
fn a_key_under_a_password_signs() {
    for (curve, options) in [
        ("P-256", &[][..]),
        ("P-384", &["-scrypt"]),
        ("P-521", &["-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA512", "-iter", "10000"]),
    ] {
        let sandbox = sandbox(curve, options);
        let ran = sign(&sandbox, &[("ALNAGE_KEY_PASSWORD", PASSWORD)]);
        assert_eq!(ran.code, 0, "{curve}: {}", ran.stderr);
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(PASSWORD));
        let ran = sandbox.run("verify good --key public.pem");
        assert_eq!(ran.code, 0, "{curve}: {}", ran.stderr);
    }
}

#[test]
fn the_password_may_be_in_a_file() {
    let sandbox = sandbox("P-256", &[]);
    sandbox.write("password", format!("{PASSWORD}\n"));
    let ran = sign(&sandbox, &[("ALNAGE_KEY_PASSWORD_FILE", "password")]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = sign(&sandbox, &[("ALNAGE_KEY_PASSWORD_FILE", "nowhere")]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("its password cannot be read"), "{}", ran.stderr);
}

#[test]
fn without_the_right_password_nothing_is_signed() {
    let sandbox = sandbox("P-256", &[]);
    let ran = sign(&sandbox, &[]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("there is no password for it"), "{}", ran.stderr);
    assert!(ran.stderr.contains("ALNAGE_KEY_PASSWORD_FILE"), "{}", ran.stderr);
    let ran = sign(&sandbox, &[("ALNAGE_KEY_PASSWORD", "another")]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("the password is wrong, or the file damaged"), "{}", ran.stderr);
    assert!(!sandbox.path("good/model.sig").exists());
}

#[test]
fn keys_as_old_versions_of_openssl_encrypt_them_are_told_apart() {
    let sandbox = sandbox("P-256", &[]);
    let password = format!("pass:{PASSWORD}");
    openssl(&sandbox, &["ec", "-in", "plain.pem", "-aes256", "-passout", &password, "-out", "key.pem"]);
    let ran = sign(&sandbox, &[("ALNAGE_KEY_PASSWORD", PASSWORD)]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("openssl pkcs8 -topk8"), "{}", ran.stderr);
}
