//! The statement about the model.

use std::{collections::BTreeSet, num::NonZeroU64};

use alnage_types::{ContentDigest, HashAlgorithm};
use serde_json::Value;

use super::{
    Lint,
    Verifier::{self, Alnage, Go, Python, Specification},
};
use crate::{
    model::{ONLY_FILE, PREDICATE_TYPE, PREDICATE_TYPE_V0_2, root_digest},
    path,
    serialization::{parse_shard, python_shard_algorithm},
    statement::STATEMENT_TYPE,
};

const MODEL_VERIFIERS: &[Verifier] = &[Specification, Python, Go];

/// Looks at the statement.
pub(super) fn check(payload: &[u8], lint: &mut Lint) {
    let Ok(statement) = serde_json::from_slice::<Value>(payload) else {
        return lint.object(MODEL_VERIFIERS, "the payload is not JSON");
    };
    if text(&statement, "_type") != STATEMENT_TYPE {
        lint.object(MODEL_VERIFIERS, format!("the statement type is not `{STATEMENT_TYPE}`"));
    }
    match text(&statement, "predicateType") {
        PREDICATE_TYPE => {}
        PREDICATE_TYPE_V0_2 => {
            lint.note("model_signing 0.2 made it; Alnage verifies it with `--legacy`");
            return;
        }
        other => {
            let reason = format!("the predicate type is `{}`", path::shown(other));
            return lint.object(MODEL_VERIFIERS, reason);
        }
    }
    unknown(&statement, &["_type", "subject", "predicateType", "predicate"], "the statement", lint);
    let predicate = statement.get("predicate").unwrap_or(&Value::Null);
    unknown(predicate, &["serialization", "resources"], "the predicate", lint);
    let serialization = predicate.get("serialization").unwrap_or(&Value::Null);
    let fields = ["method", "hash_type", "allow_symlinks", "ignore_paths", "shard_size"];
    unknown(serialization, &fields, "`serialization`", lint);
    check_serialization(serialization, lint);
    let resources = predicate.get("resources").and_then(Value::as_array);
    let resources = resources.map(Vec::as_slice).unwrap_or_default();
    check_names(resources, lint);
    match text(serialization, "method") {
        "shards" => check_shards(serialization, resources, lint),
        _ => check_labels(text(serialization, "hash_type"), resources, lint),
    }
    check_root(&statement, serialization, resources, lint);
}

fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Only the JSON Schemas are so strict.
fn unknown(object: &Value, known: &[&str], what: &str, lint: &mut Lint) {
    for name in object.as_object().into_iter().flat_map(|fields| fields.keys()) {
        if !known.contains(&name.as_str()) {
            lint.object(&[Specification], format!("{what} has the unknown field `{}`", path::shown(name)));
        }
    }
}

fn check_serialization(serialization: &Value, lint: &mut Lint) {
    let hash = text(serialization, "hash_type");
    match (hash, text(serialization, "method")) {
        ("sha256", "files" | "shards") => {}
        ("blake2b", "files" | "shards") => {
            lint.object(&[Python], "model_signing 1.1.1 writes `blake2b` and does not read it");
            lint.note("BLAKE2b is optional in the specification");
        }
        ("blake3", method @ ("files" | "shards")) => {
            lint.object(&[Go], "the implementation in Go knows no BLAKE3");
            lint.note("BLAKE3 is optional in the specification");
            if method == "shards" {
                lint.object(
                    &[Python],
                    "model_signing hashes whole files with BLAKE3 whatever the method says",
                );
            }
        }
        (hash, "files" | "shards") => {
            lint.object(MODEL_VERIFIERS, format!("the hash type is `{}`", path::shown(hash)));
        }
        (_, method) => lint.object(MODEL_VERIFIERS, format!("the method is `{}`", path::shown(method))),
    }
    if serialization.get("allow_symlinks") == Some(&Value::Bool(true)) {
        lint.note("it allows for symbolic links: model_signing needs `--allow_symlinks` to verify it, and the specification means to drop them");
    }
    match serialization.get("ignore_paths").and_then(Value::as_array) {
        None => lint.note("it does not say what it leaves out, so whoever verifies must know"),
        Some(paths) => {
            for ignored in paths.iter().filter_map(Value::as_str) {
                if let Some(flaw) = path::flaw(ignored) {
                    let reason = format!("the ignored path `{}` {flaw}", path::shown(ignored));
                    lint.object(&[Specification], reason);
                }
            }
        }
    }
}

fn check_names(resources: &[Value], lint: &mut Lint) {
    if resources.is_empty() {
        return lint.object(&[Specification, Go], "it covers no file; model_signing takes it all the same");
    }
    let names: Vec<&str> = resources.iter().map(|resource| text(resource, "name")).collect();
    let mut seen = BTreeSet::new();
    for name in &names {
        let shown = path::shown(name);
        if !seen.insert(*name) {
            let reason = format!("`{shown}` is named twice; model_signing goes by the last of them");
            lint.object(&[Specification], reason);
        }
        match path::flaw(name) {
            Some(_) if *name == ONLY_FILE && names.len() == 1 => {
                lint.note("it is over a single file, which is named `.` as model_signing wants it; the specification would have its own name");
            }
            Some(flaw) => {
                let reason = format!("the file name `{shown}` {flaw}; model_signing would look there");
                lint.object(&[Specification], reason);
            }
            None => {}
        }
    }
    let unordered = names.iter().zip(names.iter().skip(1)).find(|(before, after)| before > after);
    if let Some((before, after)) = unordered {
        let (before, after) = (path::shown(before), path::shown(after));
        let reason = format!("files are not in the order of code points: `{before}` stands before `{after}`");
        lint.object(&[Specification, Go], reason);
    }
}

fn check_labels(hash: &str, resources: &[Value], lint: &mut Lint) {
    if let Some(other) = resources.iter().find(|resource| text(resource, "algorithm") != hash) {
        let (name, label) = (path::shown(text(other, "name")), path::shown(text(other, "algorithm")));
        let reason =
            format!("`{name}` is labelled `{label}`, the files are hashed by `{}`", path::shown(hash));
        lint.object(MODEL_VERIFIERS, reason);
    }
}

fn check_shards(serialization: &Value, resources: &[Value], lint: &mut Lint) {
    let size = serialization.get("shard_size");
    if size.is_some_and(|size| size.as_u64().is_none() && size.as_f64().is_some()) {
        let reason =
            "the shard size is written with a fraction: model_signing writes it so and cannot read it";
        lint.object(&[Specification, Python], reason);
    } else if size.and_then(Value::as_u64).is_none_or(|size| size == 0) {
        return lint.object(MODEL_VERIFIERS, "it does not say how long a shard is");
    }
    let Some(size) = size.and_then(|size| size.as_u64().or(size.as_f64().map(|size| size as u64))) else {
        return;
    };
    let Some(size) = NonZeroU64::new(size) else { return };
    let hash: Option<HashAlgorithm> = text(serialization, "hash_type").parse().ok();
    let python = hash.map(|hash| python_shard_algorithm(hash, size)).unwrap_or_default();
    if resources.iter().any(|resource| text(resource, "algorithm") == python) {
        let reason = format!("shards are labelled `{python}`, which model_signing alone understands");
        lint.object(&[Specification, Go], reason);
    } else if !resources.is_empty() {
        let reason = format!("shards are not labelled `{python}`, which model_signing expects");
        lint.object(&[Python], reason);
    }
    let names = resources.iter().map(|resource| text(resource, "name"));
    for name in names {
        match parse_shard(name) {
            None => {
                let reason = format!("`{}` does not say which part of a file it is", path::shown(name));
                lint.object(MODEL_VERIFIERS, reason);
            }
            Some((file, _)) if file.contains(':') => {
                let reason = format!("`{}` has a colon in the name of its file", path::shown(name));
                lint.object(&[Python], reason);
            }
            Some(_) => {}
        }
    }
    lint.note("empty files are not covered by a signature over shards");
}

fn check_root(statement: &Value, serialization: &Value, resources: &[Value], lint: &mut Lint) {
    let subjects = statement.get("subject").and_then(Value::as_array).map(Vec::as_slice);
    let [subject] = subjects.unwrap_or_default() else {
        return lint.object(MODEL_VERIFIERS, "it does not have exactly one subject");
    };
    let Ok(hash) = text(serialization, "hash_type").parse::<HashAlgorithm>() else { return };
    let digest = |resource: &Value| ContentDigest::from_hex(hash, text(resource, "digest")).ok();
    let Some(digests) = resources.iter().map(digest).collect::<Option<Vec<_>>>() else {
        return lint.object(&[Specification, Alnage], "a digest has another length than its algorithm gives");
    };
    let root = root_digest(digests.iter()).to_string();
    if subject.get("digest").map(|digest| text(digest, "sha256")) != Some(root.as_str()) {
        lint.object(MODEL_VERIFIERS, format!("its subject is not the root digest {root} of its files"));
    }
}
