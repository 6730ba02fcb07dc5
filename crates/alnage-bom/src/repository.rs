//! What configuration and card say beside the weights.

use alnage_formats::{
    Artifact, Facts, Model,
    repository::{
        RepositoryFacts,
        card::CardFacts,
        config::{ConfigFacts, ConfigRole},
    },
};

use crate::{
    claim::{Claims, Field, Origin},
    weights,
};

/// Adds what the configuration files and the card of `model` say.
///
/// Only files at the top speak for the whole model: the configuration of a part describes that part.
pub(crate) fn gather(model: &Model, claims: &mut Claims) {
    let top = |artifact: &&Artifact| !artifact.path.as_str().contains('/');
    for artifact in model.artifacts.iter().filter(top) {
        let Facts::Repository(facts) = &artifact.facts else { continue };
        match facts.as_ref() {
            RepositoryFacts::Config(config) => configuration(config, artifact.path.as_str(), claims),
            RepositoryFacts::Card(facts) if artifact.path.as_str().eq_ignore_ascii_case("README.md") => {
                card(facts, artifact.path.as_str(), claims);
            }
            _ => {}
        }
    }
}

fn card(card: &CardFacts, file: &str, claims: &mut Claims) {
    // `other` stands for a licence without identifier, whose name follows; several licences are one statement.
    let named: Vec<&str> = card.license.iter().map(String::as_str).filter(|id| *id != "other").collect();
    let unnamed = if card.license.is_empty() { "" } else { "other" };
    let licence = if named.is_empty() { unnamed.to_owned() } else { named.join(", ") };
    claims.add(Field::Licence, Origin::Card, file, "license", licence);
    for (field, key, value) in [
        (Field::Task, "pipeline_tag", &card.pipeline_tag),
        (Field::Framework, "library_name", &card.library_name),
    ] {
        claims.add(field, Origin::Card, file, key, value.as_deref().unwrap_or_default());
    }
    for (field, key, values) in [
        (Field::Dataset, "datasets", &card.datasets),
        (Field::BaseModel, "base_model", &card.base_model),
        (Field::Language, "language", &card.language),
    ] {
        for value in values {
            claims.add(field, Origin::Card, file, key, value.as_str());
        }
    }
}

fn configuration(config: &ConfigFacts, file: &str, claims: &mut Claims) {
    let mut claim = |field, key: &str, value: Option<&str>| {
        claims.add(field, Origin::Configuration, file, key, value.unwrap_or_default());
    };
    let framework = match config.role {
        ConfigRole::Model => {
            claim(Field::ArchitectureFamily, "model_type", config.model_type.as_deref());
            let class = config.architectures.first().map(String::as_str);
            claim(Field::ArchitectureClass, "architectures", class);
            claim(Field::Task, "architectures", class.and_then(task_of_class));
            claim(
                Field::ElementType,
                "torch_dtype",
                config.torch_dtype.as_deref().map(weights::element_type),
            );
            for (field, key) in SIZES {
                claim(*field, key, config.sizes.get(key).map(u64::to_string).as_deref());
            }
            let bits = config.quantization_bits.map(|bits| format!(", {bits} bits")).unwrap_or_default();
            let quantization = config.quantization_method.as_ref().map(|method| format!("{method}{bits}"));
            claim(Field::Quantization, "quantization_config", quantization.as_deref());
            "transformers"
        }
        ConfigRole::Adapter => {
            claim(Field::BaseModel, "base_model_name_or_path", config.base_model_name_or_path.as_deref());
            claim(Field::BaseModelRelation, "peft_type", config.peft_type.as_ref().map(|_| "adapter"));
            claim(Field::ArchitectureClass, "peft_type", config.peft_type.as_deref());
            claim(Field::Task, "task_type", config.task_type.as_deref().and_then(task_of_adapter));
            claim(Field::Framework, "peft_type", config.peft_type.as_ref().map(|_| "peft"));
            "transformers"
        }
        ConfigRole::Pipeline => {
            claim(Field::ArchitectureClass, "_class_name", config.pipeline_class.as_deref());
            "diffusers"
        }
        ConfigRole::Tokenizer => {
            claim(Field::TokenizerClass, "tokenizer_class", config.tokenizer_class.as_deref());
            return;
        }
        ConfigRole::Generation => "transformers",
        _ => return,
    };
    let version = config.transformers_version.as_ref().map(|version| format!("{framework}=={version}"));
    claim(Field::Framework, &format!("{framework}_version"), version.as_deref());
}

static SIZES: &[(Field, &str)] = &[
    (Field::ContextLength, "max_position_embeddings"),
    (Field::HiddenSize, "hidden_size"),
    (Field::Layers, "num_hidden_layers"),
    (Field::AttentionHeads, "num_attention_heads"),
    (Field::KeyValueHeads, "num_key_value_heads"),
    (Field::IntermediateSize, "intermediate_size"),
    (Field::VocabularySize, "vocab_size"),
];

/// The hub's name of the task that a model class is made for, where the class tells.
fn task_of_class(class: &str) -> Option<&'static str> {
    static HEADS: &[(&str, &str)] = &[
        ("ForCausalLM", "text-generation"),
        ("LMHeadModel", "text-generation"),
        ("ForMaskedLM", "fill-mask"),
        ("ForSequenceClassification", "text-classification"),
        ("ForTokenClassification", "token-classification"),
        ("ForQuestionAnswering", "question-answering"),
        ("ForImageClassification", "image-classification"),
        ("ForObjectDetection", "object-detection"),
        ("ForSemanticSegmentation", "image-segmentation"),
        ("ForAudioClassification", "audio-classification"),
        ("ForVideoClassification", "video-classification"),
        ("ForDepthEstimation", "depth-estimation"),
        ("ForCTC", "automatic-speech-recognition"),
    ];
    HEADS.iter().find(|(head, _)| class.ends_with(head)).map(|(_, task)| *task)
}

fn task_of_adapter(task: &str) -> Option<&'static str> {
    Some(match task {
        "CAUSAL_LM" => "text-generation",
        "SEQ_2_SEQ_LM" => "text2text-generation",
        "SEQ_CLS" => "text-classification",
        "TOKEN_CLS" => "token-classification",
        "QUESTION_ANS" => "question-answering",
        "FEATURE_EXTRACTION" => "feature-extraction",
        _ => return None,
    })
}
