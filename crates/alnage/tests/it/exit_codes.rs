use crate::sandbox::{Sandbox, cut_short, hostile, safetensors};

/// Runs `vet` over a good, a bad and a cut-short model, as `arguments` say.
fn check(arguments: &str, code: i32) {
    let sandbox = Sandbox::new();
    sandbox.write("good.safetensors", safetensors());
    sandbox.write("bad.pkl", hostile());
    sandbox.write("cut.gz", cut_short());
    let ran = sandbox.run(&format!("vet {arguments}"));
    assert_eq!(ran.code, code, "{arguments}: {}{}", ran.stdout, ran.stderr);
}

#[test]
fn each_outcome_has_its_code() {
    check("good.safetensors", 0);
    check("bad.pkl", 1);
    check("bad.pkl --fail-on block", 1);
    check("nowhere.pkl", 2);
    check("no*match", 2);
    check("--no-such-flag", 2);
    check("cut.gz", 3);
    check("cut.gz --fail-on block", 3);
}

#[test]
fn the_gravest_code_wins_in_the_order_1_3_2() {
    check("good.safetensors bad.pkl cut.gz nowhere.pkl", 1);
    check("good.safetensors cut.gz nowhere.pkl", 3);
    check("good.safetensors nowhere.pkl", 2);
}

#[test]
fn deselecting_every_rule_leaves_what_was_not_understood() {
    check("bad.pkl --select SUP", 0);
    check("cut.gz --select SUP", 3);
}

#[test]
fn a_pattern_the_shell_did_not_expand_is_expanded() {
    let sandbox = Sandbox::new();
    sandbox.write("a.safetensors", safetensors());
    sandbox.write("b.safetensors", safetensors());
    let record = sandbox.record("*.safetensors", 0);
    let paths: Vec<_> = record["models"].as_array().unwrap().iter().map(|model| &model["path"]).collect();
    assert_eq!(paths, ["a.safetensors", "b.safetensors"]);
}

#[test]
fn standard_input_is_a_model() {
    let sandbox = Sandbox::new();
    let ran = sandbox.run_with("vet - --quiet", &[], &hostile());
    assert_eq!((ran.code, ran.stdout.lines().next()), (1, Some("block   -")));
    assert_eq!(sandbox.run("vet - -").code, 2);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    use std::process::{Command, Stdio};
    let mut child = Command::new(env!("CARGO_BIN_EXE_alnage"))
        .args(["rules", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn errors_say_the_way_out() {
    let sandbox = Sandbox::with_good_model();
    let mut said = String::new();
    for arguments in [
        "vet nowhere",
        "vet good --format json --format sarif",
        "vet good --seal",
        "vet good --seal --no-hash",
        "vet good --jobs none",
        "vet good --select NOPE",
        "vet good --config nowhere.toml",
        "verify good --key nowhere.pem",
        "explain NOPE",
        "keygen --out .",
        "keygen --out .",
        "verify good --key signing.pub.pem",
        "verify good --key signing.pem",
        "sign good --key signing.pub.pem",
        "vet /dev/null",
    ] {
        let ran = sandbox.run(arguments);
        let place = sandbox.root().to_str().unwrap();
        said.push_str(&format!(
            "$ alnage {arguments}   -> {}\n{}\n",
            ran.code,
            ran.stderr.replace(place, "[root]")
        ));
    }
    insta::assert_snapshot!(said);
}
