use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use crate::sandbox::{Ran, Sandbox};

const SEAL: &str = "vet good --seal --key keys/signing.pem --log log";
const VERIFY: &str = "verify good --key keys/signing.pub.pem --log log --require-seal";

fn sealed() -> Sandbox {
    let sandbox = Sandbox::with_good_model();
    assert_eq!(sandbox.run("keygen --out keys").code, 0);
    let ran = sandbox.run(SEAL);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    sandbox
}

/// Changes a sealed model and verifies it; every part of `said` must be in the answer.
fn check(change: impl FnOnce(&Sandbox), code: i32, said: &[&str]) -> Ran {
    let sandbox = sealed();
    change(&sandbox);
    let ran = sandbox.run(VERIFY);
    assert_eq!(ran.code, code, "{}{}", ran.stdout, ran.stderr);
    for part in said {
        assert!(ran.stdout.contains(part), "{part:?} in {}", ran.stdout);
    }
    ran
}

#[test]
fn an_untouched_model_verifies() {
    let ran = check(|_| {}, 0, &["verified: good", "files: 2 of 2", "verdict: `pass`", "entry 0 of 1"]);
    assert!(!ran.stdout.contains("not checked"), "{}", ran.stdout);
}

#[test]
fn a_sealed_model_vets_and_seals_again() {
    let sandbox = sealed();
    let ran = sandbox.run(SEAL);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(sandbox.run(VERIFY).stdout.contains("entry 1 of 2"));
}

#[test]
fn what_the_configuration_says_is_in_the_bill_of_materials() {
    let sandbox = sealed();
    sandbox.write("alnage.toml", "[bom]\nsupplier = \"Example Ltd\"\n");
    assert_eq!(sandbox.run(SEAL).code, 0);
    let bom = fs::read_to_string(sandbox.path("good/bom.cdx.json")).unwrap();
    assert!(bom.contains("Example Ltd"), "{bom}");
    assert_eq!(sandbox.run(VERIFY).code, 0);
}

#[test]
fn every_difference_is_named() {
    check(|sandbox| sandbox.write("good/config.json", "{}"), 1, &["`config.json` was changed"]);
    check(|sandbox| sandbox.write("good/more.txt", "x"), 1, &["`more.txt` is extra"]);
    check(
        |sandbox| fs::remove_file(sandbox.path("good/config.json")).unwrap(),
        1,
        &["`config.json` was signed and is missing"],
    );
    check(
        |sandbox| std::os::unix::fs::symlink("/etc/passwd", sandbox.path("good/link")).unwrap(),
        1,
        &["`link` is extra"],
    );
}

#[test]
fn every_part_of_the_seal_is_checked() {
    let replace = |sandbox: &Sandbox, name: &str, from: &str, to: &str| {
        let text = sandbox.read(name);
        assert!(text.contains(from), "{from} in {text}");
        sandbox.write(name, text.replacen(from, to, 1));
    };
    check(|sandbox| replace(sandbox, "good/bom.cdx.json", "{", " {"), 1, &["`bom.cdx.json` was changed"]);
    check(
        |sandbox| fs::remove_file(sandbox.path("good/bom.cdx.json")).unwrap(),
        1,
        &["`bom.cdx.json` was signed and is missing"],
    );
    check(
        |sandbox| replace(sandbox, "good/verdict.intoto.json", "\"sig\":\"", "\"sig\":\"AA"),
        1,
        &["refused      verdict"],
    );
    check(
        |sandbox| replace(sandbox, "good/model.sig", "\"sig\":\"", "\"sig\":\"AA"),
        1,
        &["refused      signature"],
    );
    check(
        |sandbox| replace(sandbox, "good/verdict.tlog-proof", "index 0", "index 1"),
        1,
        &["refused      log"],
    );
    check(|sandbox| fs::remove_file(sandbox.path("log/checkpoint")).unwrap(), 1, &["refused      log"]);
    check(
        |sandbox| fs::remove_file(sandbox.path("good/verdict.intoto.json")).unwrap(),
        1,
        &["not checked  verdict"],
    );
}

#[test]
fn another_key_is_refused() {
    check(
        |sandbox| {
            fs::remove_dir_all(sandbox.path("keys")).unwrap();
            assert_eq!(sandbox.run("keygen --out keys").code, 0);
        },
        1,
        &["refused      signature"],
    );
}

#[test]
fn only_what_passed_is_sealed() {
    let sandbox = Sandbox::with_good_model();
    assert_eq!(sandbox.run("keygen --out keys").code, 0);
    sandbox.write("good/bad.pkl", crate::sandbox::hostile());
    let ran = sandbox.run(SEAL);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("only `pass` is sealed"), "{}", ran.stderr);
    assert!(!sandbox.path("good/model.sig").exists() && !sandbox.path("log").exists());
}

#[test]
fn a_single_file_has_its_seal_beside_it() {
    let sandbox = Sandbox::with_good_model();
    assert_eq!(sandbox.run("keygen --out keys").code, 0);
    let ran = sandbox.run("vet good/model.safetensors --seal --keyring keys --log log");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(sandbox.path("good/model.safetensors.sig").exists());
    let verify = "verify good/model.safetensors --key keys/signing.pub.pem --log log --require-seal";
    let ran = sandbox.run(verify);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    sandbox.write("good/model.safetensors", "x");
    assert_eq!(sandbox.run(verify).code, 1);
}

#[test]
fn the_private_key_is_for_its_owner_and_is_not_overwritten() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run("keygen --out keys").code, 0);
    let mode = fs::metadata(sandbox.path("keys/signing.pem")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = sandbox.read("keys/signing.pem");
    assert_eq!(sandbox.run("keygen --out keys").code, 2);
    assert_eq!(sandbox.read("keys/signing.pem"), before);
}

#[test]
fn a_signature_alone_says_what_was_not_checked() {
    let sandbox = Sandbox::with_good_model();
    assert_eq!(sandbox.run("keygen --out keys").code, 0);
    assert_eq!(sandbox.run("sign good --key keys/signing.pem --signature good/own.sig").code, 0);
    let ran = sandbox.run("verify good --key keys/signing.pub.pem --signature good/own.sig");
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert!(ran.stdout.contains("not checked  verdict"), "{}", ran.stdout);
    let ran = sandbox.run("verify good --key keys/signing.pub.pem --signature good/own.sig --require-seal");
    assert_eq!(ran.code, 1);
}

#[test]
fn a_model_with_a_link_out_is_not_signed() {
    let sandbox = Sandbox::with_good_model();
    assert_eq!(sandbox.run("keygen --out keys").code, 0);
    std::os::unix::fs::symlink("/etc/passwd", sandbox.path("good/link")).unwrap();
    let ran = sandbox.run("sign good --key keys/signing.pem");
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("`link` cannot be signed"), "{}", ran.stderr);
}

/// Runs the reference implementation in the sandbox.
pub(crate) fn model_signing(sandbox: &Sandbox, arguments: &str) -> std::process::Output {
    let script = "import sys; from model_signing._cli import main; sys.argv[0] = 'model_signing'; main()";
    Command::new(testkit::peers::python())
        .args(["-c", script])
        .args(arguments.split_whitespace())
        .current_dir(sandbox.root())
        .output()
        .unwrap()
}

#[test]
fn the_reference_implementation_accepts_our_seal_and_we_accept_its_signature() {
    let sandbox = sealed();
    let verify = "verify key good --signature good/model.sig --public_key keys/signing.pub.pem";
    let output = model_signing(&sandbox, verify);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    sandbox.write("good/config.json", "{}");
    assert!(!model_signing(&sandbox, verify).status.success());

    let sandbox = Sandbox::with_good_model();
    assert_eq!(sandbox.run("keygen --out keys").code, 0);
    let output =
        model_signing(&sandbox, "sign key good --signature good/model.sig --private_key keys/signing.pem");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let ran = sandbox.run("verify good --key keys/signing.pub.pem");
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    sandbox.write("good/more", "x");
    assert_eq!(sandbox.run("verify good --key keys/signing.pub.pem").code, 1);
}
