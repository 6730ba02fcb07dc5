//! Names of models: on the Hugging Face hub, as local paths, and whether two of them mean the same model.

/// A name on the hub, with its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubName {
    /// Whose it is.
    pub owner: String,
    /// The model.
    pub name: String,
}

/// The hub's name in `text`; `None` for a local path or a name without owner that the hub has not renamed.
pub fn hub_name(text: &str) -> Option<HubName> {
    let text = text.trim().trim_start_matches("https://huggingface.co/").trim_end_matches('/');
    let (owner, name) = match text.split_once('/') {
        Some(parts) => parts,
        None => (RENAMED.iter().find(|(_, names)| names.contains(&text))?.0, text),
    };
    (is_name(owner) && is_name(name)).then(|| HubName { owner: owner.to_owned(), name: name.to_owned() })
}

/// The hub's rule for names.
pub(crate) fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !name.is_empty() && name.len() <= 96 && !name.starts_with(['.', '-']) && name.bytes().all(fits)
}

/// The owners that models from before owners were moved to.
static RENAMED: &[(&str, &[&str])] = &[
    (
        "google-bert",
        &[
            "bert-base-uncased",
            "bert-base-cased",
            "bert-large-uncased",
            "bert-large-cased",
            "bert-base-multilingual-cased",
            "bert-base-multilingual-uncased",
            "bert-base-chinese",
            "bert-base-german-cased",
        ],
    ),
    (
        "FacebookAI",
        &["roberta-base", "roberta-large", "roberta-large-mnli", "xlm-roberta-base", "xlm-roberta-large"],
    ),
    (
        "distilbert",
        &[
            "distilbert-base-uncased",
            "distilbert-base-cased",
            "distilbert-base-multilingual-cased",
            "distilbert-base-uncased-finetuned-sst-2-english",
            "distilgpt2",
            "distilroberta-base",
        ],
    ),
    ("openai-community", &["gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl", "openai-gpt"]),
    ("google-t5", &["t5-small", "t5-base", "t5-large", "t5-3b", "t5-11b"]),
    (
        "albert",
        &["albert-base-v1", "albert-base-v2", "albert-large-v2", "albert-xlarge-v2", "albert-xxlarge-v2"],
    ),
    ("xlnet", &["xlnet-base-cased", "xlnet-large-cased"]),
    ("almanach", &["camembert-base"]),
];

/// How two names of a base model relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Likeness {
    /// They mean the same model, or a form of it.
    Same,
    /// They name models of different families.
    OtherFamily,
    /// They are different names.
    OtherName,
    /// One is a local path that says nothing about the model.
    Untold,
}

/// Compares the name that a program wrote down with the one a card gives.
pub(crate) fn likeness(named: &str, card: &str) -> Likeness {
    let card_key = key(card.rsplit('/').next().unwrap_or(card));
    let parts: Vec<String> = named
        .split(['/', '\\'])
        .map(|part| part.rsplit("--").next().unwrap_or(part))
        .map(key)
        .filter(|part| !part.is_empty())
        .collect();
    let alike = |part: &String| {
        let (short, long) = if part.len() < card_key.len() { (part, &card_key) } else { (&card_key, part) };
        // A short name is part of many others: `gpt2` of `gpt2-xl`, which is another model.
        part == &card_key || short.len() >= 8 && long.contains(short.as_str())
    };
    // The owner is no name of the model.
    let is_hub = hub_name(named).is_some();
    let names = if is_hub { parts.get(parts.len().saturating_sub(1)..).unwrap_or_default() } else { &parts };
    if names.iter().any(alike) {
        return Likeness::Same;
    }
    let last = card.rsplit('/').next().unwrap_or(card);
    let named_parts: Vec<&str> = named.split(['/', '\\']).collect();
    let from = if is_hub { named_parts.len().saturating_sub(1) } else { 0 };
    let named_family = named_parts.get(from..).unwrap_or_default().iter().rev().find_map(|part| family(part));
    let card_family = family(last);
    match (named_family, card_family) {
        (Some(named), Some(card)) if named != card => Likeness::OtherFamily,
        (Some(_), _) => Likeness::OtherName,
        _ if is_hub => Likeness::OtherName,
        _ => Likeness::Untold,
    }
}

/// The family that a word of `name`, or the whole name, begins with.
fn family(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let joined: String = lower.chars().filter(char::is_ascii_alphanumeric).collect();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).chain([joined.as_str()]);
    words.into_iter().find_map(|word| {
        FAMILIES.iter().copied().find(|family| {
            // `llama`, `llama3`; not `optimum` for `opt`.
            word.strip_prefix(family).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphabetic()))
        })
    })
}

/// Names of families, the longer before those they contain.
static FAMILIES: &[&str] = &[
    "codellama",
    "tinyllama",
    "llama",
    "mixtral",
    "ministral",
    "mistral",
    "qwen",
    "gemma",
    "phi",
    "falcon",
    "bloom",
    "gptneox",
    "gptneo",
    "gptj",
    "gptoss",
    "gpt2",
    "opt",
    "flant5",
    "t5",
    "xlmroberta",
    "distilbert",
    "roberta",
    "deberta",
    "modernbert",
    "bert",
    "whisper",
    "deepseek",
    "starcoder",
    "olmo",
    "smollm",
    "granite",
    "pythia",
    "mamba",
    "stablediffusion",
    "sdxl",
    "flux",
    "clip",
    "vit",
    "wav2vec2",
    "hubert",
    "nemotron",
    "internlm",
    "baichuan",
    "chatglm",
    "glm",
    "minicpm",
    "yi",
    "command",
    "stablelm",
    "vicuna",
    "zephyr",
];

/// The name without case, punctuation and what only says in which form the weights are.
fn key(name: &str) -> String {
    const FORMS: [&str; 16] = [
        "bnb", "4bit", "8bit", "unsloth", "gguf", "gptq", "awq", "hf", "fp16", "bf16", "int4", "int8",
        "exl2", "mlx", "dynamic", "meta",
    ];
    let lower = name.to_ascii_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !FORMS.contains(word));
    words.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_same_model() {
        for (named, card, expected) in [
            ("/home/bob/secret-llama-3-8b", "mistralai/Mistral-7B-v0.1", Likeness::OtherFamily),
            ("meta-llama/Llama-2-7b-hf", "mistralai/Mistral-7B-v0.1", Likeness::OtherFamily),
            ("/data/models/Mistral-7B-v0.1", "mistralai/Mistral-7B-v0.1", Likeness::Same),
            ("unsloth/mistral-7b-v0.1-bnb-4bit", "mistralai/Mistral-7B-v0.1", Likeness::Same),
            (
                "/root/.cache/models--mistralai--Mistral-7B-v0.1/snapshots/26bc",
                "mistralai/Mistral-7B-v0.1",
                Likeness::Same,
            ),
            ("meta-llama/Meta-Llama-3-8B", "meta-llama/Llama-3-8B", Likeness::Same),
            ("./output/checkpoint-500", "mistralai/Mistral-7B-v0.1", Likeness::Untold),
            ("acme/thing", "acme/other", Likeness::OtherName),
            ("mistralai/Mistral-7B-Instruct-v0.2", "mistralai/Mistral-7B-v0.1", Likeness::OtherName),
            ("C:\\models\\gemma-2b", "google/gemma-2b", Likeness::Same),
            ("gpt2", "openai-community/gpt2", Likeness::Same),
        ] {
            assert_eq!(likeness(named, card), expected, "{named} {card}");
        }
    }

    #[test]
    fn hub_names_have_owners() {
        let shown = |text| hub_name(text).map(|hub| format!("{}/{}", hub.owner, hub.name));
        assert_eq!(shown("mistralai/Mistral-7B-v0.1").as_deref(), Some("mistralai/Mistral-7B-v0.1"));
        assert_eq!(shown("bert-base-uncased").as_deref(), Some("google-bert/bert-base-uncased"));
        assert_eq!(shown("https://huggingface.co/a/b").as_deref(), Some("a/b"));
        for text in ["some-model", "/home/bob/llama", "./x/y", "a/b/c", "../a", "a b/c", ""] {
            assert_eq!(shown(text), None, "{text}");
        }
    }
}
