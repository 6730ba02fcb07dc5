//! Documents against the official schema, and each field against the file it came from.

use std::{
    collections::BTreeSet,
    io::Write as _,
    process::{Command, Stdio},
    sync::Arc,
};

use alnage_formats::{Model, analyse};
use alnage_types::{
    ArtifactPath, Budget, Confidence, Digest, Finding, Level, Manifest, ManifestFile, MemorySource, Severity,
    Verdict,
};
use serde_json::Value;

use super::*;

const OPTIONS: Options<'static> = Options {
    name: "tiny",
    version: None,
    tool_version: "0.1.0",
    timestamp: "2026-11-22T03:00:00Z",
    author: None,
    signature: None,
    attestation: None,
};

fn model(files: &[(&str, &[u8])]) -> (Model, Manifest) {
    let mut model = Model::default();
    let mut listed = Vec::new();
    for (path, bytes) in files {
        let source = Arc::new(MemorySource::new(*bytes));
        model.artifacts.extend(analyse(ArtifactPath::file(*path), source, &Budget::default()).artifacts);
        let sha256 = Some(Digest::of(bytes));
        listed.push(ManifestFile { path: (*path).into(), size: bytes.len() as u64, sha256 });
    }
    (model, Manifest::new(listed))
}

fn bom(files: &[(&str, &[u8])], options: &Options<'_>) -> Value {
    let (model, manifest) = model(files);
    let text = cyclonedx(&model, &manifest, Verdict::Pass, &[], options);
    assert_eq!(text, cyclonedx(&model, &manifest, Verdict::Pass, &[], options), "reproducible");
    let bom: Value = serde_json::from_str(&text).unwrap();
    check(&bom);
    bom
}

/// What the schema cannot say: every reference leads somewhere, every citation points at something.
fn check(bom: &Value) {
    let mut defined = BTreeSet::new();
    let mut queue = vec![bom];
    while let Some(value) = queue.pop() {
        match value {
            Value::Object(map) => {
                if let Some(reference) = map.get("bom-ref").and_then(Value::as_str) {
                    assert!(defined.insert(reference), "`{reference}` is defined twice");
                }
                queue.extend(map.values());
            }
            Value::Array(values) => queue.extend(values),
            _ => {}
        }
    }
    let mut used = Vec::new();
    for dependency in bom["dependencies"].as_array().unwrap() {
        used.push(&dependency["ref"]);
        used.extend(dependency["dependsOn"].as_array().into_iter().flatten());
    }
    for composition in bom["compositions"].as_array().unwrap() {
        used.extend(composition["assemblies"].as_array().into_iter().flatten());
        used.extend(composition["dependencies"].as_array().into_iter().flatten());
    }
    for vulnerability in bom["vulnerabilities"].as_array().into_iter().flatten() {
        used.extend(vulnerability["affects"].as_array().unwrap().iter().map(|affected| &affected["ref"]));
    }
    let datasets = bom["components"][0]["modelCard"]["modelParameters"]["datasets"].as_array();
    used.extend(datasets.into_iter().flatten().map(|dataset| &dataset["ref"]));
    for citation in bom["citations"].as_array().into_iter().flatten() {
        used.push(&citation["attributedTo"]);
        for pointer in citation["pointers"].as_array().unwrap() {
            assert!(bom.pointer(pointer.as_str().unwrap()).is_some(), "{citation}");
        }
    }
    for reference in used {
        assert!(defined.contains(reference.as_str().unwrap()), "{reference} leads nowhere");
    }
}

fn safetensors(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

fn weights() -> Vec<u8> {
    let header = r#"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[150,2],"data_offsets":[0,1200]},"position_ids":{"dtype":"I64","shape":[2],"data_offsets":[1200,1216]}}"#;
    safetensors(header, 1216)
}

fn finding(artifact: &str) -> Finding {
    Finding {
        code: "PKL004".into(),
        name: "pickle-dangerous-call".into(),
        severity: Severity::Critical,
        confidence: Confidence::High,
        level: Level::Default,
        artifact: ArtifactPath::file(artifact).member("data.pkl"),
        span: None,
        message: "calls `os.system`".into(),
        evidence: None,
        remediation: "use safetensors".into(),
        references: vec!["CWE-502".into(), "AML.T0011".into()],
    }
}

fn property<'a>(bom: &'a Value, pointer: &str, name: &str) -> Vec<&'a str> {
    let properties = bom.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
    properties
        .filter(|property| property["name"] == name)
        .filter_map(|property| property["value"].as_str())
        .collect()
}

const MODEL: &str = "/components/0/properties";
const CARD: &str = "/components/0/modelCard/properties";

#[test]
fn every_file_is_listed_with_its_digest() {
    let weights = weights();
    let bom = bom(&[("model.safetensors", &weights), ("sub/notes.txt", b"x")], &OPTIONS);
    let files = bom.pointer("/components/0/components").unwrap().as_array().unwrap();
    let seen: Vec<_> = files.iter().map(|file| (&file["name"], &file["hashes"][0]["content"])).collect();
    let expected = [
        (Value::from("model.safetensors"), Value::from(Digest::of(&weights).to_string())),
        (Value::from("sub/notes.txt"), Value::from(Digest::of(b"x").to_string())),
    ];
    assert_eq!(seen, expected.iter().map(|(name, digest)| (name, digest)).collect::<Vec<_>>());
    let properties = "/components/0/components/0/properties";
    assert_eq!(property(&bom, properties, "alnage:file:format"), ["safetensors"]);
    assert_eq!(property(&bom, MODEL, "alnage:verdict"), ["pass"]);
}

#[test]
fn parameters_are_counted_without_integer_buffers() {
    let bom = bom(&[("model.safetensors", &weights())], &OPTIONS);
    assert_eq!(property(&bom, CARD, "alnage:model:parameterCount"), ["300"]);
    let note = bom["citations"][0]["note"].as_str().unwrap();
    assert_eq!(note, "`header` of `model.safetensors`; confidence 0.95");
}

#[test]
fn shards_are_one_set_of_weights() {
    let shard = weights();
    let files: [(&str, &[u8]); 2] =
        [("model-00001-of-00002.safetensors", &shard), ("model-00002-of-00002.safetensors", &shard)];
    assert_eq!(property(&bom(&files, &OPTIONS), CARD, "alnage:model:parameterCount"), ["600"]);
}

#[test]
fn an_unknown_number_of_parameters_is_stated_with_its_reason() {
    let packed = safetensors(r#"{"qweight":{"dtype":"I32","shape":[100],"data_offsets":[0,400]}}"#, 400);
    let both = weights();
    let cases: &[(&[(&str, &[u8])], &str)] = &[
        (&[("notes.txt", b"x")], "no weight file"),
        (&[("model.safetensors", &packed)], "packed into integers"),
        (&[("a.safetensors", &both), ("b.safetensors", &both)], "several sets of weights"),
    ];
    for (files, wanted) in cases {
        let bom = bom(files, &OPTIONS);
        assert!(property(&bom, CARD, "alnage:model:parameterCount").is_empty(), "{wanted}");
        let unknown = property(&bom, MODEL, "alnage:unknown");
        assert!(unknown.iter().any(|unknown| unknown.contains(wanted)), "{unknown:?}");
    }
}

#[test]
fn the_serial_number_depends_on_content_and_time() {
    let serial = |bytes: &[u8], options: &Options<'_>| {
        bom(&[("a", bytes)], options)["serialNumber"].as_str().unwrap().to_owned()
    };
    assert_eq!(serial(b"1", &OPTIONS), serial(b"1", &OPTIONS));
    assert_ne!(serial(b"1", &OPTIONS), serial(b"2", &OPTIONS));
    assert_ne!(
        serial(b"1", &OPTIONS),
        serial(b"1", &Options { timestamp: "2026-11-23T03:00:00Z", ..OPTIONS })
    );
}

#[test]
fn links_are_references_or_nothing() {
    let cases = [
        ("https://example.com/LICENSE?a=b#c", Some("https://example.com/LICENSE?a=b#c")),
        ("LICENSE.md", Some("LICENSE.md")),
        ("my licence – v2%20.md", Some("my%20licence%20%E2%80%93%20v2%20.md")),
        ("https://example.com/100%#a#b", Some("https://example.com/100%25#a%23b")),
        ("https://", None),
        ("https://exa mple.com", None),
        ("javascript:alert(1)", None),
        ("see: LICENSE", None),
        ("ftp://example.com", None),
        ("", None),
    ];
    for (text, expected) in cases {
        assert_eq!(link::reference(text).as_deref(), expected, "{text}");
    }
}

#[test]
fn hub_names() {
    let purl = |name| hub::model_purl(name);
    assert_eq!(
        purl("mistralai/Mistral-7B-v0.1").as_deref(),
        Some("pkg:huggingface/mistralai/Mistral-7B-v0.1")
    );
    for name in ["bert-base-uncased", "/home/bob/llama", "./x/y", "a/b/c", "../a", "a b/c", ""] {
        assert_eq!(purl(name), None, "{name}");
    }
    assert_eq!(hub::dataset_url("snli").as_deref(), Some("https://huggingface.co/datasets/snli"));
    assert_eq!(hub::dataset_url("my private data"), None);
}

#[test]
fn licences_that_spdx_does_not_list_are_names() {
    assert_eq!(licence::spdx("apache-2.0"), Some("Apache-2.0"));
    assert_eq!(licence::spdx("odbl"), Some("ODbL-1.0"));
    for name in ["llama3.1", "openrail", "other", "gemma", "cc", ""] {
        assert_eq!(licence::spdx(name), None, "{name}");
    }
}

/// Validates documents with the official schema in the validator that CycloneDX publishes, and the licence table
/// with the SPDX list that comes with it.
#[test]
fn documents_follow_the_official_schema() {
    let weights = weights();
    let full = Options {
        version: Some("c9745ed1d9f207416be6d2e6f8de32d1f16199bf"),
        author: Some("Example Ltd"),
        signature: Some("model.sig"),
        attestation: Some("verdict intoto.json"),
        ..OPTIONS
    };
    let mut documents = vec![
        bom(&[("model.safetensors", &weights), ("odd\n\"name\".txt", b"x")], &OPTIONS),
        bom(&[("model.safetensors", &weights)], &full),
        bom(&[], &OPTIONS),
    ];
    let (model, mut manifest) = model(&[("model.bin", b"x")]);
    manifest.files[0].sha256 = None;
    manifest.digest = None;
    let findings = [finding("model.bin"), finding("gone.bin")];
    let text = cyclonedx(&model, &manifest, Verdict::Block, &findings, &OPTIONS);
    documents.push(serde_json::from_str(&text).unwrap());
    documents.iter().for_each(check);
    let script = r#"
import json, sys, pathlib, cyclonedx.schema
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
given = json.load(sys.stdin)
for document in given["documents"]:
    error = JsonStrictValidator(SchemaVersion.V1_7).validate_str(json.dumps(document))
    assert error is None, f"{error}\n{json.dumps(document, indent=1)}"
listed = pathlib.Path(cyclonedx.schema.__file__).parent / "_res" / "spdx.SNAPSHOT.schema.json"
unlisted = set(given["licences"]) - set(json.loads(listed.read_text())["enum"])
assert not unlisted, unlisted
"#;
    let mut python = Command::new(testkit::peers::python())
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let given = serde_json::json!({"documents": documents, "licences": licence::SPDX});
    python.stdin.take().unwrap().write_all(given.to_string().as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
