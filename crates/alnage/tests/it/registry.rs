use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    thread,
};

use crate::{
    sandbox::{Ran, Sandbox},
    served::Served,
};

const KEPT: &str = "home/.config/alnage/registry.json";

/// Asks a registry who asks, with `environment`.
fn whoami(sandbox: &Sandbox, environment: &[(&str, &str)]) -> Ran {
    sandbox.run_with("registry whoami --format json", environment, b"")
}

#[test]
fn a_login_is_used_where_nothing_else_is_said() {
    let sandbox = Sandbox::new();
    let served = Served::in_folder(sandbox.root());
    let url = &served.url;
    let wrong = format!("hf_{}", "x".repeat(40));

    let refused = sandbox.run_with(&format!("registry login {url}"), &[], wrong.as_bytes());
    assert_eq!((refused.code, sandbox.path(KEPT).exists()), (2, false), "{}", refused.stderr);
    assert_eq!(sandbox.run("registry login models.example.org").code, 2);
    assert_eq!(sandbox.run_with(&format!("registry login {url}"), &[], b"\n").code, 2);

    let input = format!("{}\n", served.token);
    let ran = sandbox.run_with(&format!("registry login {url}/"), &[], input.as_bytes());
    assert_eq!(ran.stdout, format!("logged in to {url} as admin\n"), "{}", ran.stderr);
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(&served.token));
    assert_eq!(fs::metadata(sandbox.path(KEPT)).unwrap().permissions().mode() & 0o777, 0o600);
    let ran = whoami(&sandbox, &[]);
    assert!(ran.code == 0 && ran.stdout.contains(r#""name": "admin""#), "{}{}", ran.stdout, ran.stderr);
    // Again, with the token in a file.
    sandbox.write("token", &input);
    assert_eq!(sandbox.run(&format!("registry login {url} --token-file token")).code, 0);

    // The environment counts more, and so do flags.
    assert_eq!(whoami(&sandbox, &[("ALNAGE_TOKEN", &wrong)]).code, 2);
    assert_eq!(whoami(&sandbox, &[("ALNAGE_REGISTRY", "http://127.0.0.1:1")]).code, 2);
    let by_flag = format!("registry whoami --registry {url}");
    let ran = sandbox.run_with(&by_flag, &[("ALNAGE_REGISTRY", "http://127.0.0.1:1")], b"");
    assert_eq!(ran.code, 0, "{}", ran.stderr);

    // What others may read is used no more.
    fs::set_permissions(sandbox.path(KEPT), fs::Permissions::from_mode(0o640)).unwrap();
    let ran = whoami(&sandbox, &[]);
    assert!(ran.code == 2 && ran.stderr.contains("others may read the token"), "{}", ran.stderr);
    assert_eq!(sandbox.run("registry logout").code, 0);
    assert!(!sandbox.path(KEPT).exists());
    assert_eq!(whoami(&sandbox, &[("ALNAGE_REGISTRY", url)]).code, 2);
    assert_eq!(sandbox.run("registry logout").stdout, "nobody was logged in\n");
}

#[test]
fn a_token_goes_to_the_registry_that_it_was_given_for_alone() {
    let sandbox = Sandbox::new();
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", elsewhere.local_addr().unwrap());
    sandbox.write(KEPT, r#"{"registry": "http://127.0.0.1:1", "token": "hf_secret"}"#);
    fs::set_permissions(sandbox.path(KEPT), fs::Permissions::from_mode(0o600)).unwrap();
    let heard = thread::spawn(move || {
        let (stream, _) = elsewhere.accept().unwrap();
        let lines = BufReader::new(&stream).lines().map(Result::unwrap);
        let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        // Somebody who leads to where the token would be taken.
        write!(&stream, "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n")
            .unwrap();
        head.join("\n")
    });
    let ran = whoami(&sandbox, &[("ALNAGE_REGISTRY", &address)]);
    let heard = heard.join().unwrap();
    assert!(heard.contains("GET /api/v1/whoami"), "{heard}");
    assert!(!heard.contains("hf_secret") && !heard.to_lowercase().contains("authorization"), "{heard}");
    assert!(ran.code == 2 && ran.stderr.contains("302"), "{}", ran.stderr);
}

#[test]
fn a_registry_decides_by_its_own_policy() {
    let sandbox = Sandbox::with_good_model();
    let served = Served::in_folder(sandbox.root());
    let environment = [("ALNAGE_TOKEN", served.token.as_str()), ("ALNAGE_REGISTRY", served.url.as_str())];
    let ran = sandbox.run_with("policy eval --model good --registry --format json", &environment, b"");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let decision: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((decision["effect"].as_str(), decision["pack"].as_str()), (Some("allow"), Some("default")));
    served.registry.set_policy(alnage_policy::Pack::shipped("strict").unwrap());
    let ran = sandbox.run_with("policy eval --model good --registry", &environment, b"");
    assert_ne!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn signatures_by_certificate_count_where_a_trust_file_says_so() {
    use testkit::pki::{authority, leaf, rcgen::SanType};
    let sandbox = Sandbox::with_good_model();
    let (root, other) = (authority("root", 1, None, |_| {}), authority("root", 9, None, |_| {}));
    let signer = leaf("signer", 3, Some(&root), |params| {
        params.subject_alt_names = vec![SanType::Rfc822Name("release@example.com".try_into().unwrap())];
    });
    for (name, content) in [
        ("root", root.to_pem()),
        ("other", other.to_pem()),
        ("signer", signer.to_pem()),
        ("key", signer.key.to_pem()),
    ] {
        sandbox.write(&format!("{name}.pem"), content);
    }
    assert_eq!(sandbox.run("sign good --key key.pem --certificate signer.pem").code, 0);
    let trusting = |authority: &str, more: &str| {
        let text = format!(
            "version = 1\n{more}\n[[signer]]\nname = \"release\"\nauthorities = [\"{authority}.pem\"]\n\
             identities = [\"email:*@example.com\"]\n"
        );
        sandbox.write("trust.toml", text);
    };
    let seal_of = |data: &str| {
        let place = sandbox.path("trust.toml");
        let served = Served::set_up(&sandbox.path(data), |settings| settings.signer_trust = Some(place));
        let version = served.take("acme/good", &sandbox.path("good"));
        served.registry.scan(version.scan.unwrap()).unwrap().unwrap().seals[0].take()
    };
    trusting("root", "");
    let seal = seal_of("one");
    assert_eq!((&seal["verified"], &seal["covers_all"]), (&true.into(), &true.into()), "{seal}");
    assert_eq!((&seal["identity"], &seal["issuer"]), (&"release@example.com".into(), &"CN=root".into()));
    trusting("other", "");
    let seal = seal_of("two");
    assert_eq!(seal["verified"], false, "{seal}");
    // One of two signers is not enough.
    let second = "threshold = 2\n[[signer]]\nname = \"second\"\nauthorities = [\"other.pem\"]\n";
    trusting("root", second);
    let seal = seal_of("three");
    assert_eq!((&seal["verified"], &seal["covers_all"]), (&false.into(), &false.into()), "{seal}");
    assert!(seal.to_string().contains("2 signers have to have signed, and 1 did"), "{seal}");
}
