//! Facts of configuration documents.

use std::sync::Arc;

use alnage_types::{ArtifactPath, Budget, MemorySource};

use super::ConfigFacts;
use crate::{Facts, analyse, repository::RepositoryFacts};

fn read(name: &str, text: &str) -> (ConfigFacts, Vec<String>) {
    let analysis =
        analyse(ArtifactPath::file(name), Arc::new(MemorySource::new(text.as_bytes())), &Budget::default());
    assert_eq!(analysis.issues, []);
    let paths = analysis.artifacts.iter().map(|artifact| artifact.path.as_str().to_owned()).collect();
    let facts = analysis.artifacts.into_iter().find_map(|artifact| match artifact.facts {
        Facts::Repository(facts) => match *facts {
            RepositoryFacts::Config(facts) => Some(*facts),
            _ => None,
        },
        _ => None,
    });
    (facts.unwrap_or_default(), paths)
}

#[test]
fn a_model_configuration() {
    let (facts, _) = read(
        "config.json",
        r#"{"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_embd": 768, "n_layer": 12,
        "vocab_size": 50257, "torch_dtype": "float16", "quantization_config": {"quant_method": "gptq", "bits": 4}}"#,
    );
    assert_eq!(facts.architectures, ["GPT2LMHeadModel"]);
    assert_eq!(facts.sizes.get("hidden_size"), Some(&768));
    assert_eq!(facts.sizes.get("num_hidden_layers"), Some(&12));
    assert_eq!((facts.quantization_method.as_deref(), facts.quantization_bits), (Some("gptq"), Some(4)));
}

#[test]
fn templates_become_members() {
    let (_, paths) =
        read("settings.json", r#"{"any": "{{ x.__globals__ }}", "other": "{{ x }}", "__a__": "b"}"#);
    assert_eq!(paths, ["settings.json", "settings.json!/any.jinja"]);
    let (_, paths) = read("tokenizer_config.json", r#"{"chat_template": "{{ messages }}"}"#);
    assert_eq!(paths, ["tokenizer_config.json", "tokenizer_config.json!/chat_template.jinja"]);
    let (_, paths) = read(
        "tokenizer_config.json",
        r#"{"chat_template": [{"name": "rag", "template": "{{ a }}"}, {"template": "{{ b }}", "name": "x"}]}"#,
    );
    assert_eq!(paths.len(), 3);
    assert_eq!(paths[1], "tokenizer_config.json!/chat_template/rag.jinja");
}

#[test]
fn a_shard_index() {
    let text = r#"{"metadata": {"total_size": 12}, "weight_map": {"a": "m-1.safetensors", "b": "m-1.safetensors", "c": "m-2.safetensors"}}"#;
    let shards = read("model.safetensors.index.json", text).0.shards.unwrap_or_default();
    assert_eq!(shards.files, ["m-1.safetensors", "m-2.safetensors"]);
    assert_eq!((shards.tensors, shards.total_size), (3, Some(12)));
    assert_eq!(shards.weight_map[2], ("c".to_owned(), 1));
}

#[test]
fn what_is_no_json_is_not_taken_for_it() {
    for (name, text) in
        [("x.txt", "[1] a reference"), ("x", "[section]\na = 1"), ("x.j2", "{{ a }}"), ("y", "{x}")]
    {
        let analysis = analyse(
            ArtifactPath::file(name),
            Arc::new(MemorySource::new(text.as_bytes())),
            &Budget::default(),
        );
        assert!(analysis.artifacts.iter().all(|artifact| artifact.format != "json"), "{text}");
    }
}
