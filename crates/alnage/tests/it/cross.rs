//! Signs and verifies together with `model_signing` 1.1.1, the reference implementation, over curves, hashes,
//! serializations and methods. What it cannot do itself is in the table, so that a change there is noticed.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::{Value, json};

use crate::sandbox::Sandbox;

/// How the reference implementation fares, besides signing, which it can do in all forms.
struct Form {
    hash: &'static str,
    /// Nought for whole files.
    shard_size: u64,
    /// Our options for it.
    options: &'static str,
    /// What it says to our signature; `None` when it verifies.
    ours: Option<&'static str>,
    /// What it says to its own.
    its_own: Option<&'static str>,
}

const FORMS: &[Form] = &[
    Form { hash: "sha256", shard_size: 0, options: "", ours: None, its_own: None },
    Form {
        hash: "sha256",
        shard_size: 5,
        options: "--shard-size 5",
        // It compares the label of a digest, `sha256-sharded-5`, with that of the specification, `sha256`.
        ours: Some("Signature mismatch"),
        // It writes 5.0 and does not read it.
        its_own: Some("TypeError"),
    },
    Form {
        hash: "sha256",
        shard_size: 5,
        options: "--shard-size 5 --compat python",
        ours: None,
        its_own: Some("TypeError"),
    },
    Form {
        hash: "blake2b",
        shard_size: 0,
        options: "--hash blake2b",
        // It writes `blake2b` and reads `blake2`.
        ours: Some("Unsupported hashing method blake2b"),
        its_own: Some("Unsupported hashing method blake2b"),
    },
    Form {
        hash: "blake2b",
        shard_size: 5,
        options: "--hash blake2b --shard-size 5 --compat python",
        ours: Some("Unsupported hashing method blake2b"),
        its_own: Some("Unsupported hashing method blake2b"),
    },
    Form { hash: "blake3", shard_size: 0, options: "--hash blake3", ours: None, its_own: None },
    Form {
        hash: "blake3",
        shard_size: 5,
        options: "--hash blake3 --shard-size 5 --compat python",
        // With BLAKE3 it hashes whole files whatever it is told.
        ours: Some("Signature mismatch"),
        its_own: None,
    },
];

/// The reference implementation, started once: that alone takes it a second.
struct Reference {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Reference {
    fn start(sandbox: &Sandbox) -> Self {
        let mut child = Command::new(testkit::peers::python())
            .args(["-c", include_str!("cross.py")])
            .current_dir(sandbox.root())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let requests = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, requests, answers }
    }

    /// What it says against the request; `None` when it did what it should.
    fn ask(&mut self, request: &Value) -> Option<String> {
        writeln!(self.requests, "{request}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        answer["error"].as_str().map(str::to_owned)
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// With what is signed and verified: our options, and the fields of its requests.
struct Method {
    sign: String,
    verify: String,
    its_sign: Value,
    its_verify: Value,
}

fn by_key(curve: &str) -> Method {
    Method {
        sign: format!("--key {curve}/signing.pem"),
        verify: format!("--key {curve}/signing.pub.pem"),
        its_sign: json!({"method": "key", "key": format!("{curve}/signing.pem")}),
        its_verify: json!({"method": "key", "key": format!("{curve}/signing.pub.pem")}),
    }
}

fn by_certificate(curve: &str) -> Method {
    let folder = format!("{curve}-pki");
    Method {
        sign: format!(
            "--key {folder}/key.pem --certificate {folder}/leaf.pem --cert-chain {folder}/chain.pem"
        ),
        verify: format!("--ca {folder}/ca.pem"),
        its_sign: json!({
            "method": "certificate",
            "key": format!("{folder}/key.pem"),
            "certificate": format!("{folder}/leaf.pem"),
            "chain": format!("{folder}/chain.pem"),
        }),
        its_verify: json!({"method": "certificate", "ca": format!("{folder}/ca.pem")}),
    }
}

fn with(fields: &Value, more: Value) -> Value {
    let mut all = more;
    for (name, value) in fields.as_object().unwrap() {
        all[name] = value.clone();
    }
    all
}

#[track_caller]
fn expect(what: &str, said: Option<String>, wanted: Option<&str>) {
    match (&said, wanted) {
        (None, None) => {}
        (Some(said), Some(wanted)) if said.contains(wanted) => {}
        _ => panic!("{what}: expected {wanted:?}, the reference said {said:?}"),
    }
}

fn check(sandbox: &Sandbox, reference: &mut Reference, what: &str, method: &Method, form: &Form) {
    let place = json!({"model": "model", "signature": "model/model.sig"});
    let ran = sandbox.run(&format!("sign model {} {}", method.sign, form.options));
    assert_eq!(ran.code, 0, "{what}: {}", ran.stderr);
    let ran = sandbox.run(&format!("verify model {}", method.verify));
    assert_eq!(ran.code, 0, "{what}: {}{}", ran.stdout, ran.stderr);
    let request = with(&method.its_verify, with(&place, json!({"do": "verify"})));
    expect(&format!("{what}: ours"), reference.ask(&request), form.ours);
    let lint: Value =
        serde_json::from_str(&sandbox.run("signature lint model/model.sig --format json").stdout).unwrap();
    let predicted = lint["verifiers"].as_array().unwrap().iter().find(|row| row["verifier"] == "python");
    assert_eq!(predicted.unwrap()["accepts"], form.ours.is_none(), "{what}: {lint}");

    let sign = json!({"do": "sign", "hash": form.hash, "shard_size": form.shard_size});
    expect(what, reference.ask(&with(&method.its_sign, with(&place, sign))), None);
    expect(&format!("{what}: its own"), reference.ask(&request), form.its_own);
    let ran = sandbox.run(&format!("verify model {}", method.verify));
    assert_eq!(ran.code, 0, "{what}: {}{}", ran.stdout, ran.stderr);
    sandbox.write("model/onnx/model.onnx", "changed by somebody");
    assert_eq!(sandbox.run(&format!("verify model {}", method.verify)).code, 1, "{what}");
    sandbox.write("model/onnx/model.onnx", "more than a shard");
}

fn model() -> Sandbox {
    let sandbox = Sandbox::new();
    for (path, content) in [
        ("config.json", "{\"a\":1}\n"),
        // The reference sorts these two the other way round.
        ("onnx/model.onnx", "more than a shard"),
        ("onnx-config.json", "y"),
        ("naïve name – 模型.txt", "unicode"),
        ("quote\"back\\slash", "odd"),
        (".hidden/file", "hidden files are signed"),
        ("sub/.git/config", "only the top one is left out"),
        ("empty.txt", ""),
        (".git/HEAD", "ref: refs/heads/main"),
        (".github/workflows/a.yml", "on: push"),
        (".gitattributes", "*.bin filter=lfs"),
    ] {
        sandbox.write(&format!("model/{path}"), content);
    }
    sandbox
}

fn matrix(method: impl Fn(&str) -> Method, prepare: impl Fn(&Sandbox, &mut Reference, &str)) {
    let sandbox = model();
    let mut reference = Reference::start(&sandbox);
    for curve in ["p256", "p384", "p521"] {
        prepare(&sandbox, &mut reference, curve);
        for form in FORMS {
            let what = format!("{curve}, {}, {:?}", form.hash, form.options);
            check(&sandbox, &mut reference, &what, &method(curve), form);
        }
    }
}

#[test]
fn the_reference_and_we_verify_each_other_by_key() {
    matrix(by_key, |sandbox, _, curve| {
        assert_eq!(sandbox.run(&format!("keygen --out {curve} --curve {curve}")).code, 0);
    });
}

#[test]
fn the_reference_and_we_verify_each_other_by_certificate() {
    matrix(by_certificate, |_, reference, curve| {
        let request = json!({"do": "pki", "curve": curve, "folder": format!("{curve}-pki")});
        assert_eq!(reference.ask(&request), None);
    });
}

#[test]
fn a_single_file_is_signed_alike() {
    let sandbox = model();
    assert_eq!(sandbox.run("keygen --out p256").code, 0);
    let mut reference = Reference::start(&sandbox);
    let place = json!({"model": "model/config.json", "signature": "config.sig", "hash": "sha256"});
    let verify = "verify model/config.json --key p256/signing.pub.pem --signature config.sig";
    let sign = "sign model/config.json --key p256/signing.pem --signature config.sig";
    assert_eq!(sandbox.run(sign).code, 0);
    assert_eq!(sandbox.run(verify).code, 0);
    let key = by_key("p256");
    assert_eq!(reference.ask(&with(&key.its_verify, with(&place, json!({"do": "verify"})))), None);
    assert_eq!(reference.ask(&with(&key.its_sign, with(&place, json!({"do": "sign"})))), None);
    assert_eq!(sandbox.run(verify).code, 0);
    sandbox.write("model/config.json", "{}");
    assert_eq!(sandbox.run(verify).code, 1);
}
