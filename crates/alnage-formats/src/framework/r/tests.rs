use std::sync::Arc;

use alnage_types::{ArtifactPath, Budget, MemorySource};
use testkit::framework::{
    R_NULL, R_UNBOUND, r_call, r_environment, r_integers, r_list, r_object, r_pair, r_promise, r_symbol,
    r_text, r_workspace,
};

use crate::{Analysis, Facts, analyse, framework::FrameworkFacts};

fn read(bytes: &[u8]) -> Analysis {
    analyse(ArtifactPath::file("m.rds"), Arc::new(MemorySource::new(bytes)), &Budget::default())
}

/// The calls and the promises (planted ones with `!`) of a file that is read without an issue.
#[track_caller]
fn check(bytes: &[u8], calls: &[&str], promises: &[&str]) {
    let analysis = read(bytes);
    assert!(analysis.issues.is_empty(), "{:?}", analysis.issues);
    let Some(facts) = analysis.artifacts.iter().find_map(|artifact| match &artifact.facts {
        Facts::Framework(facts) => match facts.as_ref() {
            FrameworkFacts::R(facts) => Some(facts),
            _ => None,
        },
        _ => None,
    }) else {
        panic!("{:?}", analysis.artifacts);
    };
    let found: Vec<_> = facts.calls.iter().map(|call| call.text.as_str()).collect();
    assert_eq!(found, calls);
    let found: Vec<_> = facts
        .promises
        .iter()
        .map(|promise| format!("{}{}", if promise.planted { "!" } else { "" }, promise.call))
        .collect();
    assert_eq!(found, promises);
}

#[test]
fn calls_are_put_together_again() {
    let call = r_call(&r_symbol("system"), &[r_text("id")]);
    check(&r_object(&call), &["system(\"id\")"], &[]);
    let function = r_call(&r_symbol("::"), &[r_symbol("base"), r_symbol("system")]);
    let call = r_call(&function, &[r_text("id")]);
    check(&r_object(&r_list(&[call])), &["base::system(\"id\")", "::(base, system)"], &[]);
}

#[test]
fn promises_are_planted_or_arguments() {
    let call = r_call(&r_symbol("system"), &[r_text("id")]);
    let promise = r_promise(R_UNBOUND, &call);
    let text = "system(\"id\")";
    check(&r_object(&promise), &[text], &["!system(\"id\")"]);
    check(&r_object(&r_list(std::slice::from_ref(&promise))), &[text], &["!system(\"id\")"]);
    check(&r_workspace(&[("x", promise.clone())]), &[text], &["!system(\"id\")"]);
    check(&r_object(&r_environment(&[("x", promise)])), &[text], &[text]);
    check(&r_object(&r_promise(&r_integers(&[1]), &call)), &[text], &[]);
    check(&r_object(&r_promise(R_UNBOUND, &r_symbol("x"))), &[], &[]);
}

#[test]
fn text_files_are_read() {
    check(
        b"A\n3\n262913\n197888\n5\nUTF-8\n6\n1\n262153\n6\nsystem\n2\n16\n1\n262153\n3\ni\\144\\n\n254\n",
        &["system(\"id\\n\")"],
        &[],
    );
}

#[test]
fn a_cut_file_is_an_issue_and_shows_its_promise() {
    let call = r_call(&r_symbol("system"), &[r_text("id")]);
    let whole = r_object(&r_promise(R_UNBOUND, &call));
    let analysis = read(&whole[..whole.len() - 4]);
    assert_eq!(analysis.issues.len(), 1);
    assert!(serde_json::to_string(&analysis.artifacts).unwrap().contains("system(\\\"id"));
}

#[test]
fn damaged_files_are_survived() {
    let call = r_call(&r_symbol("system"), &[r_text("id")]);
    let sample = r_workspace(&[
        ("x", r_promise(R_UNBOUND, &call)),
        ("e", r_environment(&[("y", r_list(&[r_integers(&[1, 2]), r_text("a")]))])),
        ("p", r_pair(R_NULL, &r_text("v"), R_NULL)),
    ]);
    super::super::mutation::survive("m.rda", &sample, 4000);
    super::super::mutation::survive("m.rds", b"A\n2\n262913\n197888\n6\n1\n262153\n6\nsystem\n254\n", 2000);
}
