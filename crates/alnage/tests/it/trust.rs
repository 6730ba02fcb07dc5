//! Trust files, several signers, and what was revoked.

use crate::sandbox::Sandbox;

/// A sandbox with a model that `a` and `b` signed, and with the keys of `c` too.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_good_model();
    for name in ["a", "b", "c"] {
        run(&sandbox, &format!("keygen --out {name}"), 0, "");
    }
    for name in ["a", "b"] {
        run(&sandbox, &format!("sign good --key {name}/signing.pem --signature {name}.sig"), 0, "");
    }
    sandbox
}

#[track_caller]
fn run(sandbox: &Sandbox, arguments: &str, code: i32, said: &str) {
    let ran = sandbox.run(arguments);
    assert_eq!(ran.code, code, "{arguments}: {}{}", ran.stdout, ran.stderr);
    assert!(
        format!("{}{}", ran.stdout, ran.stderr).contains(said),
        "{said:?} is not in {}{}",
        ran.stdout,
        ran.stderr
    );
}

const KEYS: &str = "--key a/signing.pub.pem --key b/signing.pub.pem --key c/signing.pub.pem";

#[test]
fn enough_different_signers_must_have_signed() {
    let sandbox = sandbox();
    let verify = |flags: &str, code, said| run(&sandbox, &format!("verify good {KEYS} {flags}"), code, said);
    verify("--signature a.sig", 0, "verified");
    verify("--signature a.sig --signature b.sig --threshold 2", 0, "2 of at least 2 have signed");
    verify("--signature a.sig --signature a.sig --threshold 2", 1, "1 of at least 2 have signed");
    verify("--signature a.sig --threshold 2", 1, "1 of at least 2 have signed");
    verify("--signature a.sig --signature b.sig --threshold 3", 1, "2 of at least 3 have signed");
    // A signature that does not count does no harm while enough others do.
    let text = sandbox.read("b.sig").replacen("\"sig\":\"", "\"sig\":\"AA", 1);
    sandbox.write("broken.sig", text);
    verify(
        "--signature broken.sig --signature a.sig --signature b.sig --threshold 2",
        0,
        "noted        signature",
    );
    verify("--signature broken.sig --signature a.sig --threshold 2", 1, "refused      signature");
    sandbox.write("good/config.json", "{}");
    verify("--signature a.sig --signature b.sig --threshold 2", 1, "`config.json` was changed");
}

#[test]
fn one_key_under_two_names_counts_once() {
    let sandbox = sandbox();
    sandbox.write("copy.pub.pem", sandbox.read("a/signing.pub.pem"));
    run(&sandbox, "sign good --key a/signing.pem --signature again.sig", 0, "");
    let verify = "verify good --key a/signing.pub.pem --key copy.pub.pem --signature a.sig --signature again.sig --threshold 2";
    run(&sandbox, verify, 1, "1 of at least 2 have signed");
}

#[test]
fn signers_who_saw_different_files_do_not_add_up() {
    let sandbox = sandbox();
    sandbox.write("good/more.txt", "x");
    run(&sandbox, "sign good --key c/signing.pem --signature c.sig", 0, "");
    let verify = format!("verify good {KEYS} --signature c.sig --signature a.sig --threshold 2");
    run(&sandbox, &verify, 1, "`more.txt` is extra");
}

#[test]
fn a_trust_file_says_it_all() {
    let sandbox = sandbox();
    let check = |text: &str, flags: &str, code: i32, said: &str| {
        sandbox.write("policy/trust.toml", format!("version = 1\n{text}"));
        run(&sandbox, &format!("verify good --trust policy/trust.toml {flags}"), code, said);
    };
    let signer = |name: &str, more: &str| {
        format!("[[signer]]\nname = '{name}'\nkey = '../{name}/signing.pub.pem'\n{more}\n")
    };
    let both = format!("{}{}", signer("a", ""), signer("b", ""));
    check(&both, "--signature a.sig", 0, "verified");
    check(&format!("threshold = 2\n{both}"), "--signature a.sig", 1, "1 of at least 2");
    check(&format!("threshold = 2\n{both}"), "--signature a.sig --signature b.sig", 0, "2 of at least 2");
    check(&signer("c", ""), "--signature a.sig", 1, "signed by the key");
    check(
        &signer("a", "not-after = '2026-01-01'"),
        "--signature a.sig",
        1,
        "count until 2026-01-01T00:00:00Z",
    );
    check(
        &signer("a", "not-before = '2999-01-01'"),
        "--signature a.sig",
        1,
        "count from 2999-01-01T00:00:00Z",
    );
    for (text, said) in [
        ("", "it trusts nobody"),
        ("colour = 1", "unknown field `colour`"),
        ("[[signer]]\nname = 'a'", "has neither `key` nor `authorities`"),
        ("[[signer]]\nname = ''\nkey = 'a'", "has no name"),
        ("[[signer]]\nname = 'a'\nkey = '../a/signing.pub.pem'\nidentities = ['a']", "both a key and"),
        ("[[signer]]\nname = 'a'\nkey = 'absent.pem'", "absent.pem"),
        ("threshold = 0", "threshold"),
    ] {
        check(text, "--signature a.sig", 2, said);
    }
    check(
        &format!("threshold = 3\n{both}"),
        "--signature a.sig",
        2,
        "3 signers have to sign and only 2 are named",
    );
    check(&both, "--signature a.sig --identity x", 2, "have no place beside `--trust`");
    sandbox.write("policy/trust.toml", "version = 2");
    run(&sandbox, "verify good --trust policy/trust.toml", 2, "version 2 is not known");
}

#[test]
fn what_is_revoked_is_refused_and_logged() {
    let sandbox = sandbox();
    let verify = |flags: &str, code, said| {
        run(&sandbox, &format!("verify good {KEYS} --signature a.sig {flags}"), code, said);
    };
    let lists = "--revocations revoked.json --revocation-key c/signing.pub.pem";
    let revoke = "revoke revoked.json --key c/signing.pem --log log";
    let nothing = "0000000000000000000000000000000000000000000000000000000000000000";
    run(&sandbox, &format!("{revoke} --kind model --what {nothing}"), 0, "list 1, 1 in all");
    verify(lists, 0, "verified");
    run(
        &sandbox,
        &format!("{revoke} --kind key --what b/signing.pub.pem --reason stolen"),
        0,
        "list 2, 2 in all",
    );
    verify(lists, 0, "verified");
    run(
        &sandbox,
        &format!("{revoke} --kind key --what a/signing.pub.pem --reason stolen"),
        0,
        "list 3, 3 in all",
    );
    verify(lists, 1, "was revoked at");
    verify(lists, 1, "stolen");
    verify("", 0, "verified");
    // Each list is an entry of the log.
    assert!(sandbox.read("log/checkpoint").lines().nth(1) == Some("3"), "{}", sandbox.read("log/checkpoint"));
    assert!(sandbox.read("revoked.json.tlog-proof").contains("index 2"));
    run(&sandbox, &format!("{revoke} --kind key --what a/signing.pub.pem"), 2, "is on the list already");
    // A list by somebody else is neither believed nor carried on.
    verify("--revocations revoked.json --revocation-key b/signing.pub.pem", 2, "signed by the key");
    let other = "revoke revoked.json --key b/signing.pem --log log --kind model --what a.sig";
    run(&sandbox, other, 2, "signed by the key");

    let models = "revoke models.json --key c/signing.pem --log log --kind model --what a.sig";
    run(&sandbox, models, 0, "revoked the model");
    verify("--revocations models.json --revocation-key c/signing.pub.pem", 1, "the model ");
    sandbox.write(
        "trust.toml",
        "version = 1\n[[signer]]\nname = 'a'\nkey = 'a/signing.pub.pem'\n[revocations]\nlists = ['models.json']\n\
         keys = ['c/signing.pub.pem']\nmax-age-days = 30\n",
    );
    run(&sandbox, "verify good --trust trust.toml --signature b.sig", 1, "signed by the key");
    run(&sandbox, "verify good --trust trust.toml --signature a.sig", 1, "the model ");
}
