//! The architecture by the names of the tensors and their shapes.
//!
//! Names are a grammar: libraries name the parts of a family alike, whatever the model. A [`Family`] is told by tensors
//! that only it has; several families that name alike are one row with the name of the first.

use crate::{Facts, Field, Source};

/// A tensor's name and dimensions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TensorView<'a> {
    pub(crate) name: &'a str,
    pub(crate) shape: &'a [u64],
}

/// Families whose tensors are named alike.
pub(crate) struct Family {
    /// What its bytes are called when nothing else says it.
    pub(crate) name: &'static str,
    /// The `model_type`s of configurations whose weights are named so.
    pub(crate) members: &'static [&'static str],
    /// Ends of names that must all be there.
    marks: &'static [&'static str],
    /// What stands before the number of a layer.
    layer: &'static str,
    /// The embedding: rows are the vocabulary, columns the hidden size.
    embedding: &'static str,
    /// The table of positions.
    positions: Option<&'static str>,
    /// The first feed-forward layer of layer 0, and which dimension is its width.
    feed_forward: Option<(&'static str, usize)>,
}

/// The narrower first.
pub(crate) static FAMILIES: &[Family] = &[
    Family {
        name: "mixtral",
        members: &["mixtral", "phimoe"],
        marks: &["layers.0.self_attn.q_proj.weight", "layers.0.block_sparse_moe.experts.0.w1.weight"],
        layer: "layers.",
        embedding: "embed_tokens.weight",
        positions: None,
        feed_forward: Some(("layers.0.block_sparse_moe.experts.0.w1.weight", 0)),
    },
    Family {
        name: "llama",
        members: &[
            "llama",
            "mistral",
            "qwen2",
            "qwen3",
            "gemma",
            "gemma2",
            "gemma3_text",
            "stablelm",
            "cohere",
            "cohere2",
            "olmo",
            "olmo2",
            "olmo3",
            "smollm3",
            "granite",
            "exaone4",
            "seed_oss",
            "helium",
            "ministral",
            "arcee",
            "minicpm",
        ],
        marks: &["layers.0.self_attn.q_proj.weight", "layers.0.mlp.gate_proj.weight", "embed_tokens.weight"],
        layer: "layers.",
        embedding: "embed_tokens.weight",
        positions: None,
        feed_forward: Some(("layers.0.mlp.gate_proj.weight", 0)),
    },
    Family {
        name: "phi3",
        members: &["phi3"],
        marks: &["layers.0.self_attn.qkv_proj.weight", "layers.0.mlp.gate_up_proj.weight"],
        layer: "layers.",
        embedding: "embed_tokens.weight",
        positions: None,
        feed_forward: None,
    },
    Family {
        name: "distilbert",
        members: &["distilbert"],
        marks: &["transformer.layer.0.attention.q_lin.weight"],
        layer: "transformer.layer.",
        embedding: "embeddings.word_embeddings.weight",
        positions: Some("embeddings.position_embeddings.weight"),
        feed_forward: Some(("transformer.layer.0.ffn.lin1.weight", 0)),
    },
    Family {
        name: "bert",
        members: &[
            "bert",
            "roberta",
            "xlm-roberta",
            "camembert",
            "electra",
            "ernie",
            "xmod",
            "megatron-bert",
            "roc_bert",
            "data2vec-text",
            "ibert",
            "luke",
            "splinter",
        ],
        marks: &["encoder.layer.0.attention.self.query.weight", "embeddings.word_embeddings.weight"],
        layer: "encoder.layer.",
        embedding: "embeddings.word_embeddings.weight",
        positions: Some("embeddings.position_embeddings.weight"),
        feed_forward: Some(("encoder.layer.0.intermediate.dense.weight", 0)),
    },
    Family {
        name: "deberta",
        members: &["deberta-v2"],
        marks: &["encoder.layer.0.attention.self.query_proj.weight"],
        layer: "encoder.layer.",
        embedding: "embeddings.word_embeddings.weight",
        positions: None,
        feed_forward: Some(("encoder.layer.0.intermediate.dense.weight", 0)),
    },
    Family {
        name: "vit",
        members: &["vit", "deit", "beit", "vit_mae", "vit_msn", "dinov2", "ijepa", "yolos", "videomae"],
        marks: &["encoder.layer.0.attention.attention.query.weight"],
        layer: "encoder.layer.",
        embedding: "",
        positions: None,
        feed_forward: Some(("encoder.layer.0.intermediate.dense.weight", 0)),
    },
    Family {
        name: "gpt2",
        members: &["gpt2", "gpt_bigcode", "imagegpt", "decision_transformer"],
        marks: &["h.0.attn.c_attn.weight", "wte.weight"],
        layer: "h.",
        embedding: "wte.weight",
        positions: Some("wpe.weight"),
        feed_forward: None,
    },
    Family {
        name: "gpt_neox",
        members: &["gpt_neox"],
        marks: &["layers.0.attention.query_key_value.weight", "embed_in.weight"],
        layer: "layers.",
        embedding: "embed_in.weight",
        positions: None,
        feed_forward: Some(("layers.0.mlp.dense_h_to_4h.weight", 0)),
    },
    Family {
        name: "bloom",
        members: &["bloom", "falcon", "RefinedWeb", "RefinedWebModel"],
        marks: &["h.0.self_attention.query_key_value.weight", "word_embeddings.weight"],
        layer: "h.",
        embedding: "word_embeddings.weight",
        positions: None,
        feed_forward: Some(("h.0.mlp.dense_h_to_4h.weight", 0)),
    },
    Family {
        name: "whisper",
        members: &["whisper"],
        marks: &["encoder.conv1.weight", "decoder.layers.0.encoder_attn.q_proj.weight"],
        layer: "encoder.layers.",
        embedding: "decoder.embed_tokens.weight",
        positions: None,
        feed_forward: Some(("encoder.layers.0.fc1.weight", 0)),
    },
    Family {
        name: "bart",
        members: &[
            "bart",
            "mbart",
            "marian",
            "pegasus",
            "m2m_100",
            "blenderbot",
            "blenderbot-small",
            "plbart",
            "nllb-moe",
            "bigbird_pegasus",
            "speech_to_text",
        ],
        marks: &["encoder.layers.0.self_attn.q_proj.weight", "decoder.layers.0.encoder_attn.q_proj.weight"],
        layer: "encoder.layers.",
        embedding: "shared.weight",
        positions: None,
        feed_forward: None,
    },
    Family {
        name: "opt",
        members: &["opt", "biogpt", "galactica"],
        marks: &["layers.0.self_attn.q_proj.weight", "embed_positions.weight", "layers.0.fc1.weight"],
        layer: "layers.",
        embedding: "embed_tokens.weight",
        positions: None,
        feed_forward: None,
    },
    Family {
        name: "t5",
        members: &["t5", "mt5", "umt5", "longt5", "byt5"],
        marks: &["encoder.block.0.layer.0.SelfAttention.q.weight"],
        layer: "encoder.block.",
        embedding: "shared.weight",
        positions: None,
        feed_forward: None,
    },
    Family {
        name: "clip",
        members: &["clip", "siglip", "siglip2", "clipseg", "clap", "metaclip_2"],
        marks: &["text_model.encoder.layers.0.self_attn.q_proj.weight"],
        layer: "text_model.encoder.layers.",
        embedding: "text_model.embeddings.token_embedding.weight",
        positions: None,
        feed_forward: None,
    },
    Family {
        name: "wav2vec2",
        members: &[
            "wav2vec2",
            "hubert",
            "wavlm",
            "unispeech",
            "unispeech-sat",
            "wav2vec2-conformer",
            "sew",
            "data2vec-audio",
            "wav2vec2-bert",
            "sew-d",
        ],
        marks: &["feature_extractor.conv_layers.0.conv.weight"],
        layer: "encoder.layers.",
        embedding: "",
        positions: None,
        feed_forward: None,
    },
    Family {
        name: "unet",
        members: &[],
        marks: &["down_blocks.0.resnets.0.conv1.weight", "mid_block.resnets.0.conv1.weight"],
        layer: "down_blocks.",
        embedding: "",
        positions: None,
        feed_forward: None,
    },
];

/// Whether the tensors change another model's weights.
pub(crate) fn is_adapter(tensors: &[TensorView<'_>]) -> bool {
    let parts = ["lora_A", "lora_B", "lora_down", "lora_up", "lora_magnitude", "ia3_l", "prompt_embeddings"];
    !tensors.is_empty() && tensors.iter().all(|tensor| parts.iter().any(|part| tensor.name.contains(part)))
}

/// Adds what names and shapes say.
pub(crate) fn read(tensors: &[TensorView<'_>], source: &Source, facts: &mut Facts) {
    if is_adapter(tensors) {
        return adapter(tensors, source, facts);
    }
    let Some(family) = FAMILIES.iter().find(|family| family.is_of(tensors)) else { return };
    let mut by_names = source.clone();
    by_names.confidence = 90;
    facts.add_with(
        Field::ArchitectureFamily,
        family.name,
        vec![("grammar", family.name.to_owned())],
        by_names,
    );
    let mut give = |field, number: Option<u64>| {
        facts.add(field, number.map(|number| number.to_string()).unwrap_or_default(), source.clone());
    };
    let embedding = family.tensor(tensors, family.embedding);
    give(Field::VocabularySize, dimension(embedding, 0));
    give(Field::HiddenSize, dimension(embedding, 1));
    give(Field::Layers, family.layers(tensors));
    let positions = family.positions.and_then(|name| family.tensor(tensors, name));
    give(Field::ContextLength, dimension(positions, 0));
    let width = family.feed_forward.and_then(|(name, at)| dimension(family.tensor(tensors, name), at));
    give(Field::IntermediateSize, width);
}

fn dimension(tensor: Option<&TensorView<'_>>, at: usize) -> Option<u64> {
    tensor.filter(|tensor| tensor.shape.len() == 2).and_then(|tensor| tensor.shape.get(at)).copied()
}

impl Family {
    fn is_of(&self, tensors: &[TensorView<'_>]) -> bool {
        self.marks.iter().all(|mark| self.tensor(tensors, mark).is_some())
    }

    /// The tensor whose name is `end`, or ends with a dot and `end`.
    fn tensor<'a, 'b>(&self, tensors: &'a [TensorView<'b>], end: &str) -> Option<&'a TensorView<'b>> {
        if end.is_empty() {
            return None;
        }
        tensors.iter().find(|tensor| {
            tensor.name.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with('.'))
        })
    }

    /// One more than the greatest number of a layer.
    fn layers(&self, tensors: &[TensorView<'_>]) -> Option<u64> {
        let number = |tensor: &TensorView<'_>| {
            let at = tensor.name.find(self.layer)?;
            let rest = tensor.name.get(at + self.layer.len()..)?;
            rest.split('.').next()?.parse::<u64>().ok()?.checked_add(1)
        };
        tensors.iter().filter_map(number).max()
    }
}

/// The rank of an adapter, and the modules it changes.
fn adapter(tensors: &[TensorView<'_>], source: &Source, facts: &mut Facts) {
    let downs = || {
        tensors.iter().filter(|tensor| tensor.name.contains("lora_A") || tensor.name.contains("lora_down"))
    };
    let rank = downs().filter_map(|tensor| tensor.shape.first()).min();
    facts.add(Field::AdapterRank, rank.map(u64::to_string).unwrap_or_default(), source.clone());
    let mut targets: Vec<&str> =
        downs().filter_map(|tensor| tensor.name.split(".lora_").next()?.rsplit('.').next()).collect();
    targets.sort_unstable();
    targets.dedup();
    for target in targets.into_iter().take(64) {
        facts.add(Field::AdapterTarget, target, source.clone());
    }
    facts.add(Field::BaseModelRelation, "adapter", source.clone());
}
