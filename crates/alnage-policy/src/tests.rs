//! What packs say, and that nothing they are given makes them fail.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    Condition, Decision, Effect, Error, Evidence, INPUT_SCHEMA, Pack, SHIPPED, example_input, explain,
};

fn own(files: &[(&str, &str)]) -> Result<Pack, Error> {
    Pack::from_files(files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
}

fn with_rego(rego: &str) -> Result<Pack, Error> {
    own(&[("policy.toml", "name = \"own\"\nversion = \"1\"\ndescription = \"\"\n"), ("own.rego", rego)])
}

/// A pack that extends the default one, with these lines more in `policy.toml`.
fn extending(lines: &str) -> Result<Pack, Error> {
    let head = "name = \"own\"\nversion = \"1\"\ndescription = \"\"\nextends = [\"default\"]\n";
    own(&[("policy.toml", &format!("{head}{lines}"))])
}

#[test]
fn every_shipped_pack_compiles_and_its_cases_hold() {
    for name in SHIPPED.iter() {
        let pack = Pack::from_files(crate::shipped::files(name).expect("is shipped"))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let report = pack.test().unwrap_or_else(|error| panic!("{name}: {error}"));
        let wrong: Vec<_> = report.cases.iter().filter(|case| !case.wrong.is_empty()).collect();
        assert!(wrong.is_empty(), "{name}: {wrong:#?}");
        assert!(report.cases.len() > 3, "{name} has cases");
        assert!(report.untested.is_empty(), "{name}: untested {:?}", report.untested);
        assert!(report.undocumented.is_empty(), "{name}: undocumented {:?}", report.undocumented);
        assert_eq!(pack.name(), *name);
        assert_eq!(Pack::shipped(name).map(|pack| pack.digest()), Some(pack.digest()), "{name}");
    }
}

#[test]
fn an_empty_input_is_not_allowed_by_any_pack() {
    for name in SHIPPED.iter().copied() {
        let pack = Pack::shipped(name).expect("is shipped");
        assert_ne!(pack.decide_or_deny(&json!({})).effect, Effect::Allow, "{name}");
        let decision = pack.decide_or_deny(&example_input());
        assert_eq!(decision.effect, Effect::Allow, "{name}: {:?}", decision.reasons);
    }
}

#[test]
fn mistakes_of_packs_are_told_with_their_place() {
    let check = |files: &[(&str, &str)], place: &str, words: &str| {
        let error = own(files).expect_err(words);
        assert_eq!(error.place().map(ToString::to_string).unwrap_or_default(), place, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    };
    let manifest = "name = \"own\"\nversion = \"1\"\ndescription = \"\"\n";
    check(&[], "", "no `policy.toml`");
    check(&[("policy.toml", "name = 1")], "policy.toml:1:8", "string");
    check(&[("policy.toml", &format!("{manifest}extends = [\"x\"]"))], "policy.toml:4:1", "no pack `x`");
    check(&[("policy.toml", &format!("{manifest}values.x = 1"))], "policy.toml:4:8", "no parameter `x`");
    let when = format!(
        "{manifest}[[when]]\nrule = \"x\"\neffect = \"deny\"\nmessage = \"\"\ncondition = \"model.\""
    );
    check(&[("policy.toml", &when)], "policy.toml:8:14", "condition");
    let rego = |text: &'static str| {
        [("policy.toml", manifest), ("own.rego", text)].map(|(a, b)| (a.to_owned(), b.to_owned()))
    };
    let check_rego = |text: &'static str, place: &str, words: &str| {
        let error = Pack::from_files(rego(text).into()).expect_err(words);
        assert_eq!(error.place().map(ToString::to_string).unwrap_or_default(), place, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    };
    check_rego("package alnage\n\ndeny contains x if {", "own.rego:3:21", "");
    check_rego("package other\n", "own.rego:1:1", "not `alnage`");
    check_rego("package alnage\nx := http.send({})", "own.rego:2:6", "not available");
    check_rego("package alnage\nx := numbers.range(1, 1000000000000)", "own.rego:2:6", "not available");
    check_rego("package alnage\nx := y", "own.rego:2:6", "");
}

#[test]
fn rules_that_fail_or_never_end_deny() {
    let check = |rego: &str, words: &str| {
        let pack = with_rego(&format!("package alnage\nimport rego.v1\n{rego}")).expect("compiles");
        let decision = pack.decide_or_deny(&example_input());
        assert_eq!(decision.effect, Effect::Deny, "{decision:?}");
        assert!(decision.reasons[0].message.contains(words), "{decision:?}");
    };
    check("deny contains {\"message\": \"no rule\"} if true", "lacks `rule`");
    check("deny := true", "not a set");
    check("deny contains \"x\" if to_number(input.model.name) == 1", "");
    let doubled: String =
        (1..=24).map(|n| format!("t{n} := concat(\"\", [t{}, t{}])\n", n - 1, n - 1)).collect();
    let long = format!(
        "t0 := \"ab\"\n{doubled}quarantine contains {{\"rule\": \"long\", \"message\": t24}} if true"
    );
    check(&long, "more reasons than are taken");
}

#[test]
fn what_is_no_evidence_is_an_error_and_denied() {
    let pack = Pack::shipped("default").expect("is shipped");
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    for (input, path) in [
        (json!([]), ""),
        (json!({"files": {}}), "files"),
        (json!({"files": [{"path": 1}]}), "files[0]"),
        (json!({"files": [{"path": "a"}, {}]}), "files[1]"),
        (json!({"verdict": "good"}), "verdict"),
        (json!({"now": -1}), "now"),
        (json!({"model": []}), "model"),
        (json!({"signatures": [["key", "", "", true, true]]}), "signatures[0]"),
        (json!({"bom": deep}), ""),
    ] {
        match pack.decide(&input) {
            Err(Error::Input { path: at, .. }) => assert_eq!(at, path, "{input}"),
            other => panic!("{input}: {other:?}"),
        }
        assert_eq!(pack.decide_or_deny(&input).effect, Effect::Deny, "{input}");
    }
}

#[test]
fn conditions_of_one_line_say_yes_no_or_why_not() {
    let input = example_input();
    for (text, holds) in [
        ("verdict == 'pass'", Some(true)),
        ("model.downloads > 1000 && now - model.created > 86400", Some(true)),
        ("files.exists(f, f.format == 'pickle')", Some(false)),
        ("files.all(f, f.size < 1000000000)", Some(true)),
        ("size(signatures) == 1 && signatures[0].verified", Some(true)),
        ("model.downloads == 125000", Some(true)),
        ("has(bom.license) && bom.license.startsWith('apache')", Some(true)),
        ("requester.roles.exists(r, r in ['consumer', 'publisher'])", Some(true)),
        ("model.nothing == 1", None),
        ("model.name", None),
        ("1 / 0 == 1", None),
        ("nothing", None),
    ] {
        let said = Condition::parse(text).expect(text).holds(&input);
        assert_eq!(said.as_ref().ok().copied(), holds, "{text}: {said:?}");
    }
    for text in ["", "model.", "(", "a ? b"] {
        assert!(Condition::parse(text).is_err(), "{text}");
    }
}

#[test]
fn one_line_makes_a_rule_and_parameters_of_the_base_are_set() {
    let rule = "[[when]]\nrule = \"no-cats\"\neffect = \"deny\"\ncondition = \"'cats' in model.tags\"\nmessage = \"no cats\"\n";
    let pack = extending(&format!("values.approvals = 2\n{rule}")).expect("is a pack");
    let mut input = example_input();
    assert_eq!(pack.decide(&input).map(|decision| decision.effect), Ok(Effect::Allow));
    input["model"]["tags"] = json!(["cats"]);
    let decision = pack.decide(&input).expect("decides");
    assert_eq!((decision.effect, decision.headline()), (Effect::Deny, Some("no cats")));
    assert_eq!(pack.places("no-cats").len(), 1);
    assert!(pack.parameters().any(|(name, _, value)| name == "approvals" && *value == json!(2)));
    assert_ne!(pack.digest(), extending(rule).expect("is a pack").digest());
    let other = |value: Value| pack.with_parameters(&BTreeMap::from([("approvals".to_owned(), value)]));
    assert!(other(json!(3)).is_ok());
    assert!(other(json!("three")).is_err());
}

#[test]
fn what_a_closed_pack_does_not_allow_waits() {
    let manifest = "name = \"own\"\nversion = \"1\"\ndescription = \"\"\nclosed = true\n";
    let rego = "package alnage\nimport rego.v1\nallow contains {\"rule\": \"mine\", \"message\": \"mine\"} if input.model.name == \"acme/summary-small\"";
    let pack = own(&[("policy.toml", manifest), ("own.rego", rego)]).expect("is a pack");
    let effect = |input: &Value| pack.decide(input).map(|decision| decision.effect);
    assert_eq!(effect(&example_input()), Ok(Effect::Allow));
    assert_eq!(effect(&json!({"verdict": "pass"})), Ok(Effect::Quarantine));
}

#[test]
fn a_decision_is_the_same_whatever_the_order_of_keys_and_reads_back() {
    let pack = Pack::shipped("strict").expect("is shipped");
    let one = pack.decide(&json!({"verdict": "block", "now": 1})).expect("decides");
    let other = pack.decide(&json!({"now": 1, "verdict": "block"})).expect("decides");
    assert_eq!(one, other);
    let text = serde_json::to_string(&one).expect("is JSON");
    assert_eq!(serde_json::from_str::<Decision>(&text).expect("reads back"), one);
}

#[test]
fn an_explanation_names_the_part_and_what_was_tried() {
    let pack = Pack::shipped("default").expect("is shipped");
    let mut input = example_input();
    input["verdict"] = json!("review");
    input["approvals"] = json!([]);
    input["findings"] = json!([{"code": "CFG001", "artifact": "config.json", "message": "auto_map"}]);
    let explained = explain(&pack, &input).expect("explains");
    assert_eq!(explained.decision.effect, Effect::Quarantine);
    let reason = &explained.reasons[0];
    assert_eq!(reason.reason.rule, "verdict-review");
    assert!(!reason.places.is_empty() && !reason.remedy.is_empty());
    let parts: Vec<&str> = reason.because.iter().map(|part| part.path.as_str()).collect();
    assert!(parts.contains(&"verdict"), "{parts:?}");
    assert!(parts.contains(&"findings[0].code"), "{parts:?}");
    let changes: Vec<&str> = explained.changes.iter().map(|change| change.change.as_str()).collect();
    for change in [
        "a verdict of `pass`",
        "one approval",
        "an exception for `verdict-review`",
        "an exception for `CFG001`",
    ] {
        assert!(changes.contains(&change), "{changes:?}");
    }
    assert!(explained.is_complete);
}

#[test]
fn typed_evidence_and_schema_name_the_same_keys() {
    let schema: Value = serde_json::from_str(INPUT_SCHEMA).expect("is JSON");
    let example = example_input();
    for key in example.as_object().expect("is an object").keys() {
        assert!(schema["properties"].get(key).is_some(), "{key}");
    }
    let typed: Evidence = serde_json::from_value(example.clone()).expect("is evidence");
    let pack = Pack::shipped("default").expect("is shipped");
    assert_eq!(pack.decide(&typed.to_value()).map(|decision| decision.effect), Ok(Effect::Allow));
    assert!(crate::unknown_keys(&example).is_empty());
    assert_eq!(crate::unknown_keys(&json!({"verdit": 1})), ["verdit"]);
}

/// Evidence with parts taken out, exchanged and doubled: no pack panics, and what cannot be decided is denied.
#[test]
fn no_evidence_makes_a_pack_panic() {
    let odd = [
        json!(null),
        json!(-1),
        json!(1e300),
        json!(""),
        json!("\u{0}*[{%s"),
        json!([]),
        json!({}),
        json!([null]),
        json!({"path": "../../x", "format": "pickle"}),
        json!(18446744073709551615_u64),
        json!("a".repeat(5000)),
    ];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap_or(0)
    };
    let packs: Vec<Pack> = SHIPPED.iter().filter_map(|name| Pack::shipped(name)).collect();
    for _ in 0..200 {
        let mut input = example_input();
        for _ in 0..=random(3) {
            let mut at = String::new();
            for _ in 0..=random(3) {
                let inner = match input.pointer(&at) {
                    Some(Value::Object(fields)) if !fields.is_empty() => {
                        fields.keys().nth(random(fields.len())).cloned()
                    }
                    Some(Value::Array(items)) if !items.is_empty() => Some(random(items.len()).to_string()),
                    _ => None,
                };
                at.extend(inner.map(|inner| format!("/{inner}")));
            }
            if let Some(value) = input.pointer_mut(&at) {
                *value = odd[random(odd.len())].clone();
            }
        }
        for pack in &packs {
            let decision = pack.decide_or_deny(&input);
            let failed =
                decision.reasons.iter().any(|reason| reason.message.contains("the evaluation failed"));
            assert!(!failed, "{}: {input}", pack.name());
        }
    }
}

#[test]
fn a_pack_is_shared_by_threads() {
    fn shared<T: Send + Sync + Clone>() {}
    shared::<Pack>();
    shared::<Condition>();
}
