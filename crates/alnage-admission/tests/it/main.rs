//! Whole objects, as the projects that Kubernetes runs models with document them.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod shelf;
mod spellings;

use std::{fs, path::Path};

use alnage_admission::{Loads, Origin, Rules, Table, decide, documents, read};
use serde_json::Value;

use shelf::{COMMIT, Shelf};

const ENDPOINT: &str = "https://alnage.models.svc";

/// What is not as expected.
fn check(table: &Table, object: &Value, expect: &Value, place: &str) -> Vec<String> {
    let loads = read(table, object);
    let rules = Rules { endpoint: Some(ENDPOINT.to_owned()), ..Rules::enforcing() };
    let decision = decide(&loads, &Shelf, &rules);
    let told = format!("{place}\n{}", serde_json::to_string_pretty(&decision).unwrap_or_default());
    let models = |certain: bool| {
        let named = loads.references.iter().filter(|known| known.certain == certain);
        let named = named.filter(|known| !matches!(known.origin, Origin::Unresolved { .. }));
        let mut names: Vec<String> = named.map(|known| known.origin.to_string()).collect();
        names.sort();
        names.dedup();
        names
    };
    let wanted = |key: &str| {
        let names = expect[key].as_array().into_iter().flatten().filter_map(Value::as_str);
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort();
        names
    };
    let mut wrong = Vec::new();
    let mut compare = |what: &str, got: Value, wanted: Value| {
        if got != wanted {
            wrong.push(format!("{what}: {got}, not {wanted}: {told}"));
        }
    };
    compare("models", models(true).into(), wanted("models").into());
    compare("possible", models(false).into(), wanted("possible").into());
    compare("unresolved", unresolved(&loads).into(), expect["unresolved"].as_u64().unwrap_or(0).into());
    if expect.get("findings").is_some() {
        compare("findings", findings(&loads).into(), wanted("findings").into());
    }
    compare("allowed", decision.allowed.into(), expect["allowed"].clone());
    wrong
}

fn unresolved(loads: &Loads) -> u64 {
    let all = loads.references.iter();
    all.filter(|known| matches!(known.origin, Origin::Unresolved { .. })).count() as u64
}

fn findings(loads: &Loads) -> Vec<String> {
    let codes = loads.findings.iter().map(|finding| serde_json::json!(finding.code));
    let mut codes: Vec<String> = codes.map(|code| code.as_str().unwrap_or_default().to_owned()).collect();
    codes.sort();
    codes.dedup();
    codes
}

/// The objects in the corpus, each with what is expected of it and where it stands.
fn corpus() -> Vec<(Value, Value, String)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut objects = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap().replace("COMMIT", COMMIT).replace("ENDPOINT", ENDPOINT);
        // The name of the variable is not its value.
        let text = text.replace(&format!("HF_{ENDPOINT}"), "HF_ENDPOINT");
        let read = documents(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(read.len().is_multiple_of(2), "{}", path.display());
        for pair in read.chunks(2) {
            let place = format!("{}:{}", path.display(), pair[1].line);
            objects.push((pair[1].value.clone(), pair[0].value["expect"].clone(), place));
        }
    }
    objects
}

#[test]
fn every_object_of_the_corpus_gets_the_right_answer() {
    let table = Table::shipped().unwrap();
    let corpus = corpus();
    assert!(corpus.len() >= 60, "{} objects", corpus.len());
    let wrong = corpus.iter().flat_map(|(object, expect, place)| check(&table, object, expect, place));
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
