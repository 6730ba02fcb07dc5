//! `alnage policy`: packs shown and tested, decisions made, explained and replayed.

use serde_json::Value;

use crate::sandbox::{Sandbox, hostile, safetensors};

#[test]
fn every_shipped_pack_is_listed_shown_and_holds_its_cases() {
    let sandbox = Sandbox::new();
    let listed = sandbox.run("policy list --format json");
    let packs: Value = serde_json::from_str(&listed.stdout).unwrap();
    let names: Vec<&str> =
        packs.as_array().unwrap().iter().map(|pack| pack["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["default", "strict", "hub-recipes", "eu-ai-act-high-risk", "nist-ai-100-2"]);
    for name in names {
        let shown = sandbox.run(&format!("policy show {name}"));
        assert!(shown.code == 0 && shown.stdout.contains("stops when:"), "{}{}", shown.stdout, shown.stderr);
    }
    let tested = sandbox.run("policy test");
    assert_eq!(tested.code, 0, "{}{}", tested.stdout, tested.stderr);
    assert_eq!(
        tested.stdout.lines().filter(|line| line.ends_with("cases hold")).count(),
        5,
        "{}",
        tested.stdout
    );
}

#[test]
fn each_effect_has_its_exit_code() {
    let sandbox = Sandbox::new();
    sandbox.write("good.safetensors", safetensors());
    sandbox.write("bad.pkl", hostile());
    let check = |arguments: &str, code: i32, words: &str| {
        let ran = sandbox.run(&format!("policy {arguments}"));
        assert_eq!(ran.code, code, "{arguments}: {}{}", ran.stdout, ran.stderr);
        let said = ran.stdout + &ran.stderr;
        assert!(said.contains(words), "{arguments}: {said}");
    };
    check("eval --model good.safetensors", 0, "allow by default");
    check("eval --model bad.pkl", 1, "verdict-block: PKL");
    check("eval --model good.safetensors --policy strict", 1, "not-sealed");
    sandbox.write("empty.json", b"{}");
    check("eval --input empty.json", 3, "not-vetted");
    check("eval --input empty.json --set approvals=x", 2, "`approvals` is a number");
    check("eval --input empty.json --policy nowhere", 2, "there is no pack `nowhere`");
    sandbox.write("odd.json", br#"{"files": [{"size": 1}]}"#);
    check("eval --input odd.json", 2, "files[0]");
    sandbox.write(
        "exception.json",
        br#"{"exceptions": [{"rule": "verdict-block", "reason": "known", "by": "olga"}]}"#,
    );
    check("eval --model bad.pkl --with exception.json", 0, "exception: known");
    check("explain --model bad.pkl", 1, "because verdict = \"block\"");
    check("explain --model bad.pkl", 1, "with an exception for `verdict-block`: allow");
}

#[test]
fn a_decision_is_replayed_and_a_difference_told() {
    let sandbox = Sandbox::new();
    sandbox.write("bad.pkl", hostile());
    let ran = sandbox.run("policy eval --model bad.pkl --set approvals=2 --format json");
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    sandbox.write("decision.json", ran.stdout.as_bytes());
    let again = sandbox.run("policy replay --decision decision.json");
    assert_eq!(again.code, 0, "{}{}", again.stdout, again.stderr);
    let mut decision: Value = serde_json::from_str(&ran.stdout).unwrap();
    decision["evidence"]["verdict"] = "pass".into();
    sandbox.write("other.json", decision.to_string().as_bytes());
    let other = sandbox.run("policy replay --decision other.json");
    assert_eq!(other.code, 1, "{}{}", other.stdout, other.stderr);
    for words in ["the input is another", "it was deny, and is allow"] {
        assert!(other.stdout.contains(words), "{}", other.stdout);
    }
}

#[test]
fn a_pack_of_ones_own_is_checked_with_places_and_exported() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "own/policy.toml",
        b"name = \"own\"\nversion = \"1\"\ndescription = \"\"\nextends = [\"default\"]\n\n[[when]]\nrule = \"no-cats\"\neffect = \"deny\"\ncondition = \"'cats' in model.tags\"\nmessage = \"no cats\"\n",
    );
    let checked = sandbox.run("policy check own");
    assert_eq!(checked.code, 0, "{}", checked.stderr);
    assert!(checked.stdout.starts_with("own 1 sha256:"), "{}", checked.stdout);
    sandbox.write("input.json", br#"{"verdict": "pass", "model": {"tags": ["cats"]}}"#);
    let ran = sandbox.run("policy eval --policy own --input input.json");
    assert!(ran.code == 1 && ran.stdout.contains("no-cats: no cats"), "{}{}", ran.stdout, ran.stderr);
    let exported = sandbox.run("policy show own --export out");
    assert_eq!(exported.code, 0, "{}", exported.stderr);
    assert!(sandbox.path("out/default/default.rego").is_file() && sandbox.path("out/data.json").is_file());
    sandbox.write("own/own.rego", b"package alnage\n\ndeny contains x if {\n");
    let broken = sandbox.run("policy check own");
    assert_eq!(broken.code, 2);
    assert!(broken.stderr.contains("own/own.rego:"), "{}", broken.stderr);
}
