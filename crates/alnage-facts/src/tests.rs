//! Facts of small models, and what contradicts what.

use std::sync::Arc;

use alnage_formats::{Model, analyse};
use alnage_types::{ArtifactPath, Budget, MemorySource};

use super::*;

fn model(files: &[(&str, &[u8])]) -> Model {
    let mut model = Model::default();
    for (path, bytes) in files {
        let source = Arc::new(MemorySource::new(*bytes));
        model.artifacts.extend(analyse(ArtifactPath::file(*path), source, &Budget::default()).artifacts);
    }
    model
}

/// Safetensors with tensors of these names, types and shapes.
fn safetensors(tensors: &[(&str, &str, &[u64])]) -> Vec<u8> {
    let (mut header, mut at) = (String::from(r#"{"__metadata__":{"format":"pt"}"#), 0);
    for (name, dtype, shape) in tensors {
        let width = match *dtype {
            "F32" | "I32" => 4,
            "I64" => 8,
            _ => 2,
        };
        let end = at + shape.iter().product::<u64>() * width;
        header.push_str(&format!(
            r#","{name}":{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[{at},{end}]}}"#
        ));
        at = end;
    }
    header.push('}');
    testkit::tensor::safetensors(&header, &vec![0; at as usize])
}

fn bert(dtype: &str) -> Vec<u8> {
    safetensors(&[
        ("embeddings.position_ids", "I64", &[1, 4]),
        ("embeddings.word_embeddings.weight", dtype, &[104, 8]),
        ("embeddings.position_embeddings.weight", dtype, &[64, 8]),
        ("encoder.layer.0.attention.self.query.weight", dtype, &[8, 8]),
        ("encoder.layer.0.intermediate.dense.weight", dtype, &[32, 8]),
        ("encoder.layer.1.attention.self.query.weight", dtype, &[8, 8]),
    ])
}

fn llama() -> Vec<u8> {
    safetensors(&[
        ("model.embed_tokens.weight", "BF16", &[100, 8]),
        ("model.layers.0.self_attn.q_proj.weight", "BF16", &[8, 8]),
        ("model.layers.0.mlp.gate_proj.weight", "BF16", &[16, 8]),
    ])
}

const BERT: &str = r#"{"model_type": "bert", "architectures": ["BertModel"], "torch_dtype": "float32", "hidden_size": 8,
    "max_position_embeddings": 64, "num_hidden_layers": 2, "vocab_size": 100, "intermediate_size": 32}"#;

fn value(facts: &Facts, field: Field) -> &str {
    facts.best(field).map_or("", |fact| fact.value.as_str())
}

#[test]
fn the_architecture_is_told_by_names_and_shapes() {
    let weights = bert("F32");
    let facts = gather(&model(&[("model.safetensors", &weights)]));
    for (field, expected) in [
        (Field::ArchitectureFamily, "bert"),
        (Field::HiddenSize, "8"),
        (Field::VocabularySize, "104"),
        (Field::ContextLength, "64"),
        (Field::Layers, "2"),
        (Field::IntermediateSize, "32"),
        (Field::Parameters, "1728"),
        (Field::Framework, "torch"),
    ] {
        assert_eq!(value(&facts, field), expected, "{field:?}");
    }
    let header = u64::from_le_bytes(weights[..8].try_into().unwrap());
    let source = &facts.best(Field::HiddenSize).unwrap().source;
    assert_eq!(source.place, Place::Bytes(8, 8 + header));
    assert_eq!(source.technique, Technique::BinaryAnalysis);
}

#[test]
fn an_adapter_is_no_model() {
    let weights = safetensors(&[
        ("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight", "F32", &[4, 16]),
        ("base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight", "F32", &[16, 4]),
    ]);
    let facts = gather(&model(&[("adapter_model.safetensors", &weights)]));
    assert_eq!(value(&facts, Field::AdapterRank), "4");
    assert_eq!(value(&facts, Field::AdapterTarget), "q_proj");
    assert_eq!(value(&facts, Field::BaseModelRelation), "adapter");
    assert_eq!(value(&facts, Field::HiddenSize), "");
}

/// Checks which questions are answered in two ways, gravely or not.
fn check(files: &[(&str, &[u8])], expected: &[(Question, bool)]) {
    let found = contradictions(&model(files));
    let seen: Vec<_> = found.iter().map(|found| (found.question, found.is_grave)).collect();
    let shown: Vec<_> = found.iter().map(Contradiction::shown).collect();
    assert_eq!(seen, expected, "{shown:?}");
}

#[test]
fn a_base_that_the_card_does_not_name() {
    let base = |name: &str| format!(r#"{{"peft_type": "LORA", "base_model_name_or_path": "{name}"}}"#);
    let card: &[u8] = b"---\nbase_model: mistralai/Mistral-7B-v0.1\n---\n";
    for (named, expected) in [
        ("/home/bob/secret-llama-3-8b", &[(Question::BaseModel, true)][..]),
        ("mistralai/Mistral-7B-Instruct-v0.3", &[(Question::BaseModel, false)]),
        ("mistralai/Mistral-7B-v0.1", &[]),
        ("unsloth/mistral-7b-v0.1-bnb-4bit", &[]),
        ("/data/Mistral-7B-v0.1", &[]),
        ("./checkpoint-100", &[]),
    ] {
        check(&[("adapter_config.json", base(named).as_bytes()), ("README.md", card)], expected);
    }
    let several: &[u8] = b"---\nbase_model:\n- a/first-model\n- b/second-model\n---\n";
    check(&[("adapter_config.json", base("b/second-model").as_bytes()), ("README.md", several)], &[]);
    check(&[("adapter_config.json", base("/home/bob/llama").as_bytes())], &[]);
}

#[test]
fn licences_that_exclude_each_other() {
    let mit = testkit_mit();
    for (card, expected) in
        [("apache-2.0", &[(Question::Licence, false)][..]), ("mit", &[]), ("other", &[]), ("llama3", &[])]
    {
        let card = format!("---\nlicense: {card}\n---\n");
        check(&[("README.md", card.as_bytes()), ("LICENSE", mit.as_bytes())], expected);
    }
    let only = b"---\nlicense: gpl-3.0\n---\n";
    let text = b"GNU GENERAL PUBLIC LICENSE\nVersion 3, 29 June 2007\n";
    check(&[("README.md", only), ("COPYING", text)], &[]);
}

fn testkit_mit() -> String {
    "MIT License\n\nPermission is hereby granted, free of charge, to any person obtaining a copy\nof this software, \
     THE SOFTWARE IS PROVIDED \"AS IS\""
        .to_owned()
}

#[test]
fn what_weights_and_configuration_disagree_on() {
    let (f32, f16, llama) = (bert("F32"), bert("F16"), llama());
    let config = |from: &str, to: &str| BERT.replace(from, to);
    type Case<'a> = (&'a [u8], String, &'a [(Question, bool)]);
    let cases: &[Case<'_>] = &[
        (&f32, BERT.to_owned(), &[]),
        (&f16, BERT.to_owned(), &[(Question::ElementType, false)]),
        (&f32, config("\"max_position_embeddings\": 64", "\"max_position_embeddings\": 512"), &[(Question::ContextLength, false)]),
        // RoBERTa has two rows more than positions.
        (&f32, config("\"max_position_embeddings\": 64", "\"max_position_embeddings\": 62"), &[]),
        (&f32, config("\"hidden_size\": 8", "\"hidden_size\": 16"), &[(Question::Architecture, false)]),
        (&f32, config("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 12"), &[(Question::Architecture, false)]),
        (&f32, config("\"model_type\": \"bert\"", "\"model_type\": \"llama\""), &[(Question::Architecture, true)]),
        (&f32, config("\"model_type\": \"bert\"", "\"model_type\": \"roberta\""), &[]),
        (&f32, config("\"model_type\": \"bert\"", "\"model_type\": \"my_own\""), &[]),
        (&llama, r#"{"model_type": "mistral", "torch_dtype": "bfloat16", "vocab_size": 100}"#.into(), &[]),
        (&llama, r#"{"model_type": "llama", "quantization_config": {"quant_method": "gptq"}, "torch_dtype": "float16"}"#.into(), &[]),
    ];
    for (weights, config, expected) in cases {
        check(&[("model.safetensors", weights), ("config.json", config.as_bytes())], expected);
    }
}

#[test]
fn a_label_of_another_size() {
    let weights = bert("F32");
    for (line, expected) in [
        ("- **Parameters:** 7B", &[(Question::Parameters, false)][..]),
        ("- **Parameters:** 8x7B", &[]),
        ("- **Parameters:** see below", &[]),
        ("It has fewer parameters than a model of 7B: try it", &[]),
    ] {
        let card = format!("# A model\n\n{line}\n");
        check(&[("model.safetensors", &weights), ("README.md", card.as_bytes())], expected);
    }
}

#[test]
fn dependencies_of_every_kind_of_file() {
    let lock = "version = 1\n[[package]]\nname = \"Torch_Vision\"\nversion = \"0.16.0\"\n[[package]]\nname = \"mine\"\n";
    let project = "[project]\nname = \"x\"\ndependencies = [\n  \"numpy>=1.26\",\n  \"peft[all]==0.10\",\n]\n[tool.x]\ny = [\"z\"]\n";
    let environment = "name: a\ndependencies:\n- python=3.10\n- pip:\n  - accelerate==0.30.1\n";
    let facts = gather(&model(&[
        (
            "requirements.txt",
            b"torch==2.1.0 ; python_version > '3'\n--hash x\ntransformers[torch]>=4.40,<5  # why\n",
        ),
        ("uv.lock", lock.as_bytes()),
        ("pyproject.toml", project.as_bytes()),
        ("environment.yml", environment.as_bytes()),
        ("modeling_x.py", b"import os\nimport cv2\nfrom . import util\nimport modeling_x\n"),
    ]));
    let mut seen: Vec<_> = facts
        .all(Field::Dependency)
        .into_iter()
        .map(|fact| {
            (fact.value.as_str(), fact.detail("version").unwrap_or(""), fact.detail("range").unwrap_or(""))
        })
        .collect();
    seen.sort_unstable();
    let expected = [
        ("accelerate", "0.30.1", ""),
        ("mine", "", ""),
        ("numpy", "", ">=1.26"),
        ("opencv-python", "", ""),
        ("peft", "0.10", ""),
        ("python", "3.10", ""),
        ("torch", "2.1.0", ""),
        ("torch-vision", "0.16.0", ""),
        ("transformers", "", ">=4.40,<5"),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn the_card_tells_what_only_people_know() {
    let card = "---\nmodel-index:\n- name: x\n  results:\n  - task:\n      type: text-classification\n    dataset:\n      type: glue\n      name: GLUE\n      split: test\n    metrics:\n    - type: accuracy\n      value: 0.91\nco2_eq_emissions:\n  emissions: 12.5\n  hardware_used: 1 TPU v3-8\n---\n# tiny\n\n[![badge](x)](y)\n\nA small [encoder](https://a.b) for sentences.\n\n## Intended uses & limitations\nSearch. It truncates after 256 tokens.\n\n## Training data\n| Dataset | Paper | Number |\n|---|---|---|\n| [S2ORC](https://github.com/allenai/s2orc) pairs | [p](https://x.y) | 116,288,806 |\n| **Total** | | **116** |\n\n## Usage\n```python\n# A comment\nm = Model.load('acme/tiny')\n```\n- **Developed by:** [More Information Needed]\n";
    let facts = gather(&model(&[("README.md", card.as_bytes())]));
    for (field, expected) in [
        (Field::Name, "tiny"),
        (Field::Description, "A small encoder for sentences."),
        (Field::Metric, "0.91"),
        (Field::Emissions, "12.5"),
        (Field::Hardware, "1 TPU v3-8"),
        (Field::Limitation, "Search. It truncates after 256 tokens."),
        (Field::HubName, "acme/tiny"),
        (Field::Producer, "acme"),
        (Field::Dataset, "S2ORC"),
    ] {
        assert_eq!(value(&facts, field), expected, "{field:?}");
    }
    let metric = facts.best(Field::Metric).unwrap();
    assert_eq!((metric.detail("type"), metric.detail("dataset")), (Some("accuracy"), Some("GLUE")));
    let dataset = facts.best(Field::Dataset).unwrap();
    assert_eq!(dataset.detail("size"), Some("116288806"));
    assert_eq!(facts.all(Field::Dataset).len(), 1, "the total is no data set");
}

#[test]
fn text_that_says_nothing() {
    for text in [
        "",
        "N/A",
        "[More Information Needed]",
        "No description available",
        "TBD",
        "<!-- Provide a quick summary of what the model is/does. -->",
    ] {
        assert!(is_placeholder(text), "{text}");
    }
    assert!(!is_placeholder("A sentence encoder."));
}

#[test]
fn a_fasttext_model_tells_its_sizes() {
    let gathered = |model: testkit::framework::FastText| {
        let bytes = model.build();
        gather(&self::model(&[("model.bin", &bytes)]))
    };
    let facts = gathered(testkit::framework::FastText::classifier());
    for (field, expected) in [
        (Field::ArchitectureFamily, "fastText"),
        (Field::Framework, "fasttext"),
        (Field::Parameters, "40"),
        (Field::ElementType, "F32"),
        (Field::HiddenSize, "4"),
        (Field::VocabularySize, "2"),
        (Field::Task, "text-classification"),
        (Field::Output, "one of 2 labels"),
        (Field::Quantization, ""),
    ] {
        assert_eq!(value(&facts, field), expected, "{field:?}");
    }
    let facts = gathered(testkit::framework::FastText::quantised());
    assert_eq!(value(&facts, Field::Quantization), "product quantisation");
    assert_eq!(value(&facts, Field::Parameters), "20");
}
