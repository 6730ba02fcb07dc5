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
    testkit::tensor::safetensors(header, &vec![0; data])
}

const CONFIG: &[u8] =
    br#"{"model_type": "llama", "architectures": ["LlamaForCausalLM"], "torch_dtype": "bfloat16",
    "max_position_embeddings": 2048, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "intermediate_size": 128, "vocab_size": 1000, "transformers_version": "4.44.2",
    "quantization_config": {"quant_method": "gptq", "bits": 4}, "_name_or_path": "/home/somebody/secret"}"#;

fn gguf() -> Vec<u8> {
    let gguf = testkit::tensor::Gguf::model("{{ messages }}")
        .text("general.license", "llama3.1")
        .text("general.license.link", "https://example.com/LICENSE v1")
        .text("general.description", "a small model")
        .text("general.base_model.0.name", "Base")
        .text("general.base_model.0.repo_url", "https://huggingface.co/owner/Base-1B")
        .text("general.dataset.0.name", "snli");
    gguf.build(128)
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

/// What the document says about where the value at `pointer` comes from.
fn note<'a>(bom: &'a Value, pointer: &str) -> &'a str {
    let citations = bom["citations"].as_array().unwrap();
    let citation = citations.iter().find(|citation| citation["pointers"][0] == pointer);
    citation.unwrap_or_else(|| panic!("nothing cites {pointer}"))["note"].as_str().unwrap()
}

#[test]
fn configuration_describes_the_model() {
    let part: (&str, &[u8]) = ("vae/config.json", br#"{"model_type": "other", "vocab_size": 7}"#);
    let bom = bom(&[("config.json", CONFIG), part], &OPTIONS);
    let parameters = &bom["components"][0]["modelCard"]["modelParameters"];
    assert_eq!(parameters["architectureFamily"], "llama");
    assert_eq!(parameters["modelArchitecture"], "LlamaForCausalLM");
    assert_eq!(parameters["task"], "text-generation");
    for (name, value) in [
        ("alnage:model:elementType", "BF16"),
        ("cdx:ai-ml:model:hyperparameter:quantization", "gptq, 4 bits"),
        ("cdx:ai-ml:model:hyperparameter:context_length", "2048"),
        ("cdx:ai-ml:model:hyperparameter:vocab_size", "1000"),
    ] {
        assert_eq!(property(&bom, CARD, name), [value], "{name}");
    }
    let family = "/components/0/modelCard/modelParameters/architectureFamily";
    assert_eq!(note(&bom, family), "`model_type` of `config.json`; confidence 0.8");
    assert_eq!(bom["components"][1]["purl"], "pkg:pypi/transformers@4.44.2");
    assert!(!bom.to_string().contains("secret"), "where somebody kept a model is nobody's business");
    assert!(property(&bom, MODEL, "alnage:disagreement").is_empty());
}

const README: &[u8] = b"---\nlicense: apache-2.0\npipeline_tag: text-generation\nlibrary_name: transformers\n\
    datasets:\n- snli\n- owner/corpus\nbase_model: owner/Base-1B\nlanguage: [en, fr]\ntags: [a]\n---\n# A model\n";

#[test]
fn the_card_says_what_files_do_not() {
    let part: (&str, &[u8]) = ("vae/README.md", b"---\nlicense: mit\n---\n");
    let from_card = bom(&[("README.md", README), part], &OPTIONS);
    let model = &from_card["components"][0];
    assert_eq!(model["licenses"][0]["license"]["id"], "Apache-2.0");
    assert_eq!(model["pedigree"]["ancestors"][0]["purl"], "pkg:huggingface/owner/Base-1B");
    let parameters = &model["modelCard"]["modelParameters"];
    assert_eq!(parameters["task"], "text-generation");
    let datasets: Vec<_> = (0..2).map(|at| parameters["datasets"][at]["ref"].as_str().unwrap()).collect();
    assert_eq!(datasets, ["dataset:snli", "dataset:owner/corpus"]);
    assert_eq!(property(&from_card, CARD, "cdx:ai-ml:model:language"), ["en", "fr"]);
    let license = note(&from_card, "/components/0/licenses/0");
    assert_eq!(license, "`license` of `README.md`; confidence 0.5");
    let names: Vec<_> =
        from_card["components"].as_array().unwrap().iter().map(|part| &part["name"]).collect();
    assert_eq!(names[1..], ["snli", "owner/corpus", "transformers"]);
    assert!(property(&from_card, MODEL, "alnage:disagreement").is_empty());

    let with_weights = bom(&[("README.md", README), ("model.gguf", &gguf())], &OPTIONS);
    assert_eq!(with_weights["components"][0]["licenses"][0]["license"]["name"], "llama3.1");
    let stated = property(&with_weights, MODEL, "alnage:disagreement");
    assert!(
        stated.iter().any(|said| said.contains("`apache-2.0` in `license` of `README.md`")),
        "{stated:?}"
    );
}

#[test]
fn licences_of_a_card() {
    for (card, expected) in [
        ("license: other\nlicense_name: llama3", "llama3"),
        ("license: other", "other"),
        ("license: [mit, apache-2.0]", "mit, apache-2.0"),
    ] {
        let card = format!("---\n{card}\n---\n");
        let bom = bom(&[("README.md", card.as_bytes())], &OPTIONS);
        assert_eq!(bom["components"][0]["licenses"][0]["license"]["name"], expected);
        assert!(property(&bom, MODEL, "alnage:disagreement").is_empty());
    }
}

#[test]
fn gguf_metadata_describes_the_model() {
    let bom = bom(&[("model.gguf", &gguf())], &OPTIONS);
    let model = &bom["components"][0];
    assert_eq!(model["modelCard"]["modelParameters"]["architectureFamily"], "llama");
    assert_eq!(model["description"], "a small model");
    assert_eq!(model["licenses"][0]["license"]["name"], "llama3.1");
    assert_eq!(model["licenses"][0]["license"]["url"], "https://example.com/LICENSE%20v1");
    assert_eq!(model["pedigree"]["ancestors"][0]["purl"], "pkg:huggingface/owner/Base-1B");
    assert_eq!(model["modelCard"]["modelParameters"]["datasets"][0]["ref"], "dataset:snli");
    assert_eq!(property(&bom, CARD, "alnage:model:parameterCount"), ["48"]);
    assert_eq!(property(&bom, CARD, "alnage:model:elementType"), ["F32", "Q4_0"]);
}

#[test]
fn bytes_count_more_than_configuration_and_the_difference_is_stated() {
    let bom = bom(&[("config.json", CONFIG), ("model.gguf", &gguf())], &OPTIONS);
    assert_eq!(property(&bom, CARD, "cdx:ai-ml:model:hyperparameter:context_length"), ["4096"]);
    let stated = property(&bom, MODEL, "alnage:disagreement");
    let context = "context length: `4096` in `context_length` of `model.gguf`, `2048` in `max_position_embeddings` of `config.json`";
    assert!(stated.contains(&context), "{stated:?}");
    assert_eq!(
        property(&bom, CARD, "alnage:model:elementType"),
        ["F32", "Q4_0"],
        "not the configuration's BF16"
    );
}

#[test]
fn an_adapter_names_its_base() {
    let adapter: &[u8] = br#"{"peft_type": "LORA", "task_type": "CAUSAL_LM",
        "base_model_name_or_path": "mistralai/Mistral-7B-v0.1"}"#;
    let bom = bom(&[("adapter_config.json", adapter)], &OPTIONS);
    let pedigree = &bom["components"][0]["pedigree"];
    assert_eq!(pedigree["ancestors"][0]["purl"], "pkg:huggingface/mistralai/Mistral-7B-v0.1");
    assert_eq!(pedigree["notes"], "relation=adapter");
    assert_eq!(bom["components"][1]["name"], "peft");
}

#[test]
fn a_base_that_the_card_does_not_name_is_stated() {
    let check = |named: &[&str], card: &[&str], wanted: usize| {
        let mut claims = claim::Claims::default();
        for base in named {
            claims.add(
                claim::Field::BaseModel,
                claim::Origin::Configuration,
                "adapter_config.json",
                "k",
                *base,
            );
        }
        for base in card {
            claims.add(claim::Field::BaseModel, claim::Origin::Card, "README.md", "base_model", *base);
        }
        assert_eq!(disagreement::properties(&claims).len(), wanted, "{named:?} {card:?}");
    };
    check(&["/home/bob/secret-llama"], &["mistralai/Mistral-7B-v0.1"], 1);
    check(&["a/b"], &["A/B", "c/d"], 0);
    check(&["a/b"], &[], 0);
    check(&[], &["a/b", "c/d"], 0);
}

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
    assert_eq!(note(&bom, &format!("{CARD}/0")), "`tensor shapes` of `model.safetensors`; confidence 0.95");
}

/// What `torch.save` writes for a storage of `count` floats, twice.
fn torch_pickle(count: u8) -> Vec<u8> {
    let mut bytes = b"\x80\x02(".to_vec();
    for _ in 0..2 {
        bytes.extend_from_slice(
            b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK",
        );
        bytes.extend_from_slice(&[count, b't', b'Q']);
    }
    bytes.extend_from_slice(b"t.");
    bytes
}

#[test]
fn onnx_tells_its_size_and_its_producer() {
    use testkit::tensor::{onnx_graph, onnx_model, onnx_node, onnx_tensor};
    let graph = onnx_graph(&[onnx_node("", "Relu")], &[onnx_tensor("w", &[3, 2], 1, &[0; 24])]);
    let bom = bom(&[("model.onnx", &onnx_model(&graph).0)], &OPTIONS);
    assert_eq!(property(&bom, CARD, "alnage:model:parameterCount"), ["6"]);
    assert_eq!(property(&bom, CARD, "alnage:model:elementType"), ["F32"]);
    assert_eq!(bom["components"][1]["name"], "test");
}

#[test]
fn parameters_of_a_shared_storage_are_counted_once() {
    let (pickle, optimizer) = (torch_pickle(30), torch_pickle(60));
    let bom = bom(&[("model.pt", &pickle), ("optimizer.pt", &optimizer)], &OPTIONS);
    assert_eq!(property(&bom, CARD, "alnage:model:parameterCount"), ["30"]);
    assert_eq!(property(&bom, CARD, "alnage:model:elementType"), ["F32"]);
    assert_eq!(bom["components"][1]["name"], "torch");
}

#[test]
fn the_weights_that_loaders_prefer_are_counted() {
    let files: [(&str, &[u8]); 2] =
        [("model.safetensors", &weights()), ("pytorch_model.bin", &torch_pickle(30))];
    assert_eq!(property(&bom(&files, &OPTIONS), CARD, "alnage:model:parameterCount"), ["300"]);
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
    let small = safetensors(r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 4);
    type Files<'a> = &'a [(&'a str, &'a [u8])];
    let cases: &[(Files<'_>, &str)] = &[
        (&[("notes.txt", b"x")], "no weight file"),
        (&[("model.safetensors", &packed)], "packed into integers"),
        (&[("a.safetensors", &both), ("b.safetensors", &small)], "several sets of weights"),
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
        bom(&[("config.json", CONFIG), ("model.gguf", &gguf()), ("model.safetensors", &weights)], &full),
        bom(&[("README.md", README), ("config.json", CONFIG), ("model.gguf", &gguf())], &full),
        bom(&[("README.md", README)], &OPTIONS),
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
