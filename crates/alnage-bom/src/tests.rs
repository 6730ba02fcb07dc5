//! Documents against official validators, and each field against the file it came from.

mod content;
mod formats;
mod official;
mod signature;
mod system;

use std::sync::Arc;

use alnage_formats::{EntryKind, Model, TreeEntry, analyse};
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

type Files<'a> = &'a [(&'a str, &'a [u8])];

fn model(files: Files<'_>) -> (Model, Manifest) {
    let mut model = Model::default();
    let mut listed = Vec::new();
    for (path, bytes) in files {
        let source = Arc::new(MemorySource::new(*bytes));
        let analysis = analyse(ArtifactPath::file(*path), source, &Budget::default());
        model.artifacts.extend(analysis.artifacts);
        model.issues.extend(analysis.issues);
        let (path, size) = (ArtifactPath::file(*path), bytes.len() as u64);
        let sha256 = Some(Digest::of(bytes));
        listed.push(ManifestFile { path: path.as_str().into(), size, sha256 });
        model.tree.push(TreeEntry { path, kind: EntryKind::File, size, executable: false });
    }
    (model, Manifest::new(listed))
}

fn composed(files: Files<'_>, options: &Options<'_>) -> Bom {
    let (model, manifest) = model(files);
    compose(&model, &manifest, Verdict::Pass, &[], options, &Declared::default())
}

/// The document as CycloneDX 1.7, checked and made twice alike.
fn document(files: Files<'_>, options: &Options<'_>) -> Value {
    let text = write(&composed(files, options), Format::CycloneDx17);
    assert_eq!(text, write(&composed(files, options), Format::CycloneDx17), "reproducible");
    let validation = validate(text.as_bytes()).unwrap();
    assert!(validation.is_valid(), "{:?}\n{text}", validation.advice);
    serde_json::from_str(&text).unwrap()
}

fn safetensors(header: &str, data: usize) -> Vec<u8> {
    testkit::tensor::safetensors(header, &vec![0; data])
}

const CONFIG: &[u8] =
    br#"{"model_type": "llama", "architectures": ["LlamaForCausalLM"], "torch_dtype": "bfloat16",
    "max_position_embeddings": 2048, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "intermediate_size": 128, "vocab_size": 1000, "transformers_version": "4.44.2",
    "quantization_config": {"quant_method": "gptq", "bits": 4}, "_name_or_path": "/home/somebody/secret"}"#;

const README: &[u8] = b"---\nlicense: apache-2.0\npipeline_tag: text-generation\nlibrary_name: transformers\n\
    datasets:\n- snli\n- owner/corpus\nbase_model: owner/Base-1B\nlanguage: [en, fr]\ntags: [a]\n---\n# A model\n";

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

/// The tensors of a small sentence encoder.
fn encoder_weights() -> Vec<u8> {
    let header = r#"{"__metadata__":{"format":"pt"},"embeddings.position_ids":{"dtype":"I64","shape":[1,4],"data_offsets":[0,32]},"embeddings.word_embeddings.weight":{"dtype":"F32","shape":[100,8],"data_offsets":[32,3232]},"embeddings.position_embeddings.weight":{"dtype":"F32","shape":[512,8],"data_offsets":[3232,19616]},"encoder.layer.0.attention.self.query.weight":{"dtype":"F32","shape":[8,8],"data_offsets":[19616,19872]}}"#;
    safetensors(header, 19872)
}

/// An ordinary repository of the hub: a sentence encoder with a full card, as sentence-transformers writes them.
fn encoder<'a>(weights: &'a [u8], files: &mut Vec<(&'a str, &'a [u8])>) {
    files.extend([
        ("model.safetensors", weights),
        ("config.json", br#"{"_name_or_path": "acme/base", "architectures": ["BertModel"], "hidden_size": 8,
            "model_type": "bert", "max_position_embeddings": 512, "num_hidden_layers": 1, "vocab_size": 100,
            "transformers_version": "4.8.2"}"#.as_slice()),
        ("tokenizer_config.json", br#"{"tokenizer_class": "BertTokenizer", "model_max_length": 512}"#),
        ("config_sentence_transformers.json", br#"{"__version__": {"sentence_transformers": "2.0.0", "transformers": "4.6.1", "pytorch": "1.8.1"}}"#),
        ("modules.json", br#"[{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}, {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]"#),
        ("1_Pooling/config.json", br#"{"word_embedding_dimension": 8, "pooling_mode_mean_tokens": true}"#),
        ("README.md", ENCODER_CARD.as_bytes()),
    ]);
}

const ENCODER_CARD: &str = "---
language: en
license: apache-2.0
library_name: sentence-transformers
pipeline_tag: sentence-similarity
base_model: nreimers/MiniLM-L6-H384-uncased
base_model_relation: finetune
datasets:
- s2orc
- snli
model-index:
- name: tiny-encoder
  results:
  - task:
      type: STS
    dataset:
      type: mteb/stsbenchmark-sts
      name: STS benchmark
      split: test
    metrics:
    - type: cos_sim_spearman
      value: 82.03
co2_eq_emissions:
  emissions: 12.5
  source: codecarbon
  training_type: fine-tuning
  hardware_used: 1 TPU v3-8
---
# tiny-encoder
This is a sentence encoder: it maps sentences to a dense vector space for clustering or semantic search.

## Usage
```python
model = SentenceTransformer('acme/tiny-encoder')
```

## Intended uses
It is meant as an encoder of sentences and short paragraphs.

By default, input text longer than 256 word pieces is truncated.

## Training procedure
We fine-tune the model with a contrastive objective, 100k steps, batch size 1024.

#### Training data
| Dataset | Paper | Number of training tuples |
|---|:---:|---:|
| [S2ORC](https://github.com/allenai/s2orc) Citation pairs | [paper](https://aclanthology.org/2020.acl-main.447/) | 116,288,806 |
| **Total** | | **116,288,806** |
";

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
