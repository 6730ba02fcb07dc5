//! Each rule on a minimal model that sets it off and on ordinary ones that must not.

use std::sync::Arc;

use alnage_formats::{Model, analyse};
use alnage_types::{ArtifactPath, Budget, Level, MemorySource, Severity};

use crate::{Policy, judge};

/// Checks what a model of these files sets off in this family.
fn check(files: &[(&str, &[u8])], expected: &[(&str, Severity)]) {
    let mut model = Model::default();
    for (path, bytes) in files {
        let source = Arc::new(MemorySource::new(*bytes));
        model.artifacts.extend(analyse(ArtifactPath::file(*path), source, &Budget::default()).artifacts);
    }
    let judgement = judge(&model, &Policy::default(), Level::Default, |code| code.starts_with("BOM"));
    let found: Vec<_> =
        judgement.findings.iter().map(|finding| (finding.code.as_ref(), finding.severity)).collect();
    assert_eq!(found, expected, "{:?}", judgement.findings);
}

const WEIGHTS: &str = r#"{"embeddings.word_embeddings.weight":{"dtype":"F32","shape":[10,4],"data_offsets":[0,160]},"embeddings.position_embeddings.weight":{"dtype":"F32","shape":[8,4],"data_offsets":[160,288]},"encoder.layer.0.attention.self.query.weight":{"dtype":"F32","shape":[4,4],"data_offsets":[288,352]}}"#;

#[test]
fn what_cannot_both_be_true() {
    use Severity::{Info, Low, Medium};
    let weights = testkit::tensor::safetensors(WEIGHTS, &[0; 352]);
    let weights: (&str, &[u8]) = ("model.safetensors", &weights);
    let lora = |base: &str| format!(r#"{{"peft_type": "LORA", "base_model_name_or_path": "{base}"}}"#);
    let card: (&str, &[u8]) =
        ("README.md", b"---\nlicense: mit\nbase_model: mistralai/Mistral-7B-v0.1\n---\n");
    let (secret, named) = (lora("/home/bob/secret-llama-3-8b"), lora("mistralai/Mistral-7B-v0.1"));
    check(&[card, ("adapter_config.json", secret.as_bytes())], &[("BOM001", Medium)]);
    check(&[card, ("adapter_config.json", named.as_bytes())], &[]);
    let apache = b"Apache License\nVersion 2.0, January 2004\n";
    check(&[card, ("LICENSE", apache)], &[("BOM002", Low)]);
    check(&[("README.md", b"---\nlicense: other\n---\n"), ("LICENSE", apache)], &[]);
    check(&[weights, ("config.json", br#"{"torch_dtype": "bfloat16"}"#)], &[("BOM003", Info)]);
    check(&[weights, ("README.md", b"# x\n- **Parameters:** 7B\n")], &[("BOM004", Low)]);
    check(&[weights, ("config.json", br#"{"max_position_embeddings": 512}"#)], &[("BOM005", Low)]);
    check(&[weights, ("config.json", br#"{"model_type": "llama"}"#)], &[("BOM006", Medium)]);
    let fits =
        br#"{"model_type": "bert", "torch_dtype": "float32", "max_position_embeddings": 8, "vocab_size": 9}"#;
    check(&[weights, card, ("config.json", fits)], &[]);
}
