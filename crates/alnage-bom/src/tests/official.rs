//! Documents in the validators that the projects behind the formats publish.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use serde_json::json;

use super::*;

/// Documents that say much, little and nothing, with names that need escaping.
fn documents() -> Vec<Bom> {
    let (weights, encoder_weights, gguf) = (weights(), encoder_weights(), gguf());
    let full = Options {
        version: Some("c9745ed1d9f207416be6d2e6f8de32d1f16199bf"),
        author: Some("Example Ltd"),
        signature: Some("model.sig"),
        attestation: Some("verdict intoto.json"),
        ..OPTIONS
    };
    let mut ordinary = Vec::new();
    encoder(&encoder_weights, &mut ordinary);
    let adapter: &[u8] = br#"{"peft_type": "LORA", "base_model_name_or_path": "/home/bob/secret llama"}"#;
    let mut documents = vec![
        composed(&ordinary, &full),
        composed(&[("config.json", CONFIG), ("model.gguf", &gguf), ("model.safetensors", &weights)], &full),
        composed(&[("adapter_config.json", adapter), ("README.md", README)], &OPTIONS),
        composed(&[("model.safetensors", &weights), ("odd\n\"name\" <ä>.txt", b"x")], &OPTIONS),
        composed(&[("requirements.txt", b"torch==2.1\nodd name==1\n")], &OPTIONS),
        composed(&[], &OPTIONS),
    ];
    let (model, mut manifest) = model(&[("model.bin", b"x")]);
    manifest.files[0].sha256 = None;
    manifest.digest = None;
    let findings = [finding("model.bin"), finding("gone.bin")];
    let mut declared = Declared::default();
    for (key, _) in DECLARED {
        let value = if *key == "released" { "2026-01-02T03:04:05Z" } else { "stated by somebody" };
        assert!(declared.set(key, value));
    }
    documents.push(compose(&model, &manifest, Verdict::Block, &findings, &OPTIONS, &declared));
    documents
}

/// Runs `script` with `given` as JSON on its standard input; gives what it prints as JSON.
fn python(script: &str, given: &Value) -> Value {
    let mut python = Command::new(testkit::peers::python())
        .args(["-c", script])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(given.to_string().as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Gives for each document whether the official schema takes it.
const SCHEMAS: &str = r##"
import json, sys, jsonschema
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
given = json.load(sys.stdin)
schema = json.load(open("schemas/spdx-3.0.1.schema.json"))
# Against all of its ninety classes an element takes a second; its type says which one is meant.
def of_class(name):
    part = {"$schema": schema["$schema"], "$defs": schema["$defs"], "$ref": f"#/$defs/{name}", "unevaluatedProperties": False}
    return jsonschema.validators.validator_for(part)(part)
classes = {part["$ref"].rsplit("/", 1)[1] for part in schema["$defs"]["AnyClass"]["anyOf"]}
checkers = {}
def wrong_spdx(document):
    if document.get("@context") != schema["properties"]["@context"]["const"] or set(document) != {"@context", "@graph"}:
        return "not the form of a document"
    if not isinstance(document["@graph"], list):
        return "no list"
    for element in document["@graph"]:
        name = element.get("type") if isinstance(element, dict) else None
        if not isinstance(name, str) or name not in classes:
            return f"no class: {name}"
        if name not in checkers:
            checkers[name] = of_class(name)
        error = next(checkers[name].iter_errors(element), None)
        if error is not None:
            return f"{error.json_path}: {error.message[:300]}"
validators = {v: JsonStrictValidator(s) for v, s in (("1.6", SchemaVersion.V1_6), ("1.7", SchemaVersion.V1_7))}
def wrong(document):
    validator = validators.get(document.get("specVersion"))
    if validator is None:
        return wrong_spdx(document)
    error = validator.validate_str(json.dumps(document))
    return error and str(error)[:600]
print(json.dumps([wrong(document) for document in given]))
"##;

#[test]
fn documents_follow_the_official_schemas() {
    let mut written = Vec::new();
    for (at, bom) in documents().into_iter().enumerate() {
        for format in [Format::CycloneDx17, Format::CycloneDx16, Format::Spdx] {
            let text = write(&bom, format);
            let validation = validate(text.as_bytes()).unwrap();
            assert!(validation.is_valid(), "{format:?} {:?}\n{text}", validation.advice);
            // The Python checkers take a second a document and more; their agreement with ours is tested below.
            let is_told = match format {
                Format::CycloneDx17 => true,
                Format::CycloneDx16 => matches!(at, 1 | 6),
                Format::Spdx => at == 5,
            };
            if is_told {
                written.push(serde_json::from_str::<Value>(&text).unwrap());
            }
        }
    }
    let wrong = python(SCHEMAS, &json!(written));
    for (document, wrong) in written.iter().zip(wrong.as_array().unwrap()) {
        assert!(wrong.is_null(), "{wrong}\n{document:#}");
    }
}

/// Breaks documents in many places, and compares what our checker and the official ones say to each.
#[test]
fn our_checker_agrees_with_the_official_ones() {
    assert_eq!(schema::patterns_not_understood(), Vec::<&str>::new());
    // The Python checkers take long for long documents.
    let mut bom = composed(&[("README.md", b"---\nlicense: mit\nbase_model: a/b\n---\n# x\n")], &OPTIONS);
    bom.conformity.truncate(1);
    bom.components.iter_mut().for_each(|component| component.properties.truncate(2));
    let mut broken: Vec<(String, Value)> = Vec::new();
    for format in [Format::CycloneDx17, Format::CycloneDx16, Format::Spdx] {
        let document: Value = serde_json::from_str(&write(&bom, format)).unwrap();
        let pointers = pointers(&document);
        // What a document is must stay readable.
        let all =
            pointers.iter().filter(|pointer| !matches!(pointer.as_str(), "" | "/specVersion" | "/bomFormat"));
        for pointer in all.step_by(if format == Format::Spdx { 97 } else { 31 }) {
            for change in [json!(7), json!("odd"), json!({"odd": 1}), Value::Null] {
                let mut changed = document.clone();
                if let Some(value) = changed.pointer_mut(pointer) {
                    *value = change;
                    broken.push((format!("{format:?} {pointer}"), changed));
                }
            }
        }
    }
    let documents: Vec<&Value> = broken.iter().map(|(_, document)| document).collect();
    let wrong = python(SCHEMAS, &json!(documents));
    let mut agreed = [0, 0];
    for ((place, document), wrong) in broken.iter().zip(wrong.as_array().unwrap()) {
        // A document that no longer says what it is has no schema.
        let name = match (document["specVersion"].as_str(), document.get("@graph")) {
            (Some("1.6"), _) => "bom-1.6.schema.json",
            (Some("1.7"), _) => "bom-1.7.schema.json",
            (None, Some(_)) => "spdx-3.0.1.schema.json",
            _ => continue,
        };
        let ours = schema::check(name, document);
        assert_eq!(ours.is_empty(), wrong.is_null(), "{place}: ours {ours:?}, theirs {wrong}");
        agreed[usize::from(ours.is_empty())] += 1;
    }
    assert!(agreed[0] > 20 && agreed[1] > 3, "both kinds: {agreed:?}");
}

/// The place of every value.
fn pointers(document: &Value) -> Vec<String> {
    let mut pointers = Vec::new();
    let mut open = vec![(String::new(), document)];
    while let Some((pointer, value)) = open.pop() {
        match value {
            Value::Object(map) => open.extend(map.iter().map(|(key, value)| {
                (format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")), value)
            })),
            Value::Array(list) => {
                open.extend(list.iter().enumerate().map(|(at, value)| (format!("{pointer}/{at}"), value)));
            }
            _ => {}
        }
        pointers.push(pointer);
    }
    pointers.sort();
    pointers
}

/// The shapes are slow: the fullest and the oddest document.
#[test]
fn spdx_documents_fit_the_official_shapes() {
    let script = r#"
import gzip, json, sys, rdflib, pyshacl
given = json.load(sys.stdin)
context = json.load(gzip.open("tests/spdx-3.0.1/spdx-context.jsonld.gz"))["@context"]
shapes = rdflib.Graph().parse(data=gzip.open("tests/spdx-3.0.1/spdx-model.ttl.gz").read(), format="turtle")
graph = rdflib.Graph()
for document in given:
    document["@context"] = context
    graph += rdflib.Graph().parse(data=json.dumps(document), format="json-ld")
fits, _, text = pyshacl.validate(graph, shacl_graph=shapes, ont_graph=shapes, inference="none")
print(json.dumps([fits, text[:4000]]))
"#;
    let documents = documents();
    let chosen: Vec<Value> = [0, 6]
        .iter()
        .map(|at: &usize| serde_json::from_str(&write(&documents[*at], Format::Spdx)).unwrap())
        .collect();
    let result = python(script, &json!(chosen));
    assert_eq!(result[0], true, "{}", result[1].as_str().unwrap());
}

#[test]
fn licences_are_on_the_official_list() {
    for id in alnage_facts::spdx_ids() {
        assert!(schema::is_listed_licence(id), "{id}");
    }
}
