//! Keyless signatures, verified offline by a trusted root.

use testkit::sigstore::Sigstore;

use crate::sandbox::Sandbox;

/// A sandbox with a model, its keyless signature, and the trusted root to verify it by.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_good_model();
    for command in ["keygen --out keys", "sign good --key keys/signing.pem"] {
        let ran = sandbox.run(command);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    let sigstore = Sigstore::default();
    let signature = sigstore.sign_again(&sandbox.read("good/model.sig"));
    sandbox.write("good/model.sig", signature.to_string());
    sandbox.write("root.json", sigstore.trusted_root(&[]).to_string());
    sandbox
}

const SIGNER: &str = "--identity release@example.com --identity-provider https://login.example";

#[track_caller]
fn check(sandbox: &Sandbox, flags: &str, code: i32, said: &str) {
    let ran = sandbox.run(&format!("verify good {flags}"));
    let all = format!("{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.code, code, "{flags}: {all}");
    assert!(all.contains(said), "{said:?} is not in {all}");
}

#[test]
fn an_identity_and_its_provider_verify_offline() {
    let sandbox = sandbox();
    let rooted = format!("--trusted-root root.json {SIGNER}");
    check(&sandbox, &rooted, 0, "the identity `release@example.com`, by the word of `https://login.example`");
    check(&sandbox, SIGNER, 1, "is not in the trusted root");
    check(
        &sandbox,
        "--trusted-root root.json --identity other@example.com --identity-provider https://login.example",
        1,
        "none of those asked for",
    );
    check(
        &sandbox,
        "--trusted-root root.json --identity release@example.com --identity-provider https://other.example",
        1,
        "none of the providers asked for",
    );
    check(&sandbox, "--identity-provider https://login.example", 2, "no identity is named");
    check(&sandbox, "--identity release@example.com", 2, "nobody is named who could vouch for it");
    check(&sandbox, &format!("{SIGNER} --issuer CN=x"), 2, "cannot be used with");
    check(&sandbox, "--key keys/signing.pub.pem", 1, "it is keyless");
    sandbox.write("good/config.json", "{}");
    check(&sandbox, &rooted, 1, "not as they were signed");
}

#[test]
fn a_keyless_signature_is_shown() {
    let shown = sandbox().run("signature show good/model.sig");
    for said in
        ["method         sigstore", "for          release@example.com", "known to     https://login.example"]
    {
        assert!(shown.stdout.contains(said), "{said:?} is not in {}", shown.stdout);
    }
}

#[test]
fn a_trust_file_may_name_keyless_signers_beside_others() {
    let sandbox = sandbox();
    let trust = |more: &str| {
        let text = format!(
            "version = 1\nthreshold = 2\n[sigstore]\ntrusted-root = \"root.json\"\n\
             [[signer]]\nname = \"team\"\nkey = \"keys/signing.pub.pem\"\n\
             [[signer]]\nname = \"builder\"\nidentities = [\"email:release@*\"]\n\
             identity-providers = [\"https://login.example\"]\n{more}"
        );
        sandbox.write("trust.toml", text);
    };
    trust("");
    assert_eq!(sandbox.run("sign good --key keys/signing.pem --signature team.sig").code, 0);
    let both = "--trust trust.toml --signature team.sig --signature good/model.sig";
    check(&sandbox, both, 0, "2 of at least 2 have signed: `builder`, `team`");
    check(&sandbox, "--trust trust.toml --signature good/model.sig", 1, "1 of at least 2");
    trust("not-after = \"2026-10-01\"\n");
    check(&sandbox, both, 1, "signatures of `builder` count until");
    trust("issuers = [\"CN=x\"]\n");
    check(&sandbox, both, 2, "both identity providers and what belongs to authorities");
    trust("key = \"keys/signing.pub.pem\"\n");
    check(&sandbox, both, 2, "both identity providers and a key or authorities");
}
