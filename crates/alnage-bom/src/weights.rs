//! What weight files say: how many parameters of which type, and what their own metadata claims.

use std::collections::{BTreeMap, BTreeSet};

use alnage_formats::{
    Artifact, Facts, Model,
    tensor::{ElementTotals, TensorFacts, gguf::GgufFacts},
};

use crate::claim::{Claims, Field, Origin};

/// Adds what the weight files of `model` say. Gives why the number of parameters is not known, when it is not.
pub(crate) fn gather(model: &Model, claims: &mut Claims) -> Option<&'static str> {
    let mut sets: BTreeMap<WeightSet, Counted> = BTreeMap::new();
    for artifact in model.artifacts.iter().filter(|artifact| artifact.path.container().is_none()) {
        let Facts::Tensor(facts) = &artifact.facts else { continue };
        let path = artifact.path.as_str();
        let totals = match facts.as_ref() {
            TensorFacts::Safetensors(facts) => &facts.dtypes,
            TensorFacts::Gguf(facts) => {
                gguf(facts, path, claims);
                &facts.types
            }
            _ => continue,
        };
        sets.entry(WeightSet::of(artifact)).or_default().add(path, totals);
    }
    let at_top = sets.keys().any(|set| set.is_at_top());
    let counted: Vec<&Counted> =
        sets.iter().filter(|(set, _)| set.is_at_top() || !at_top).map(|(_, counted)| counted).collect();
    for set in &counted {
        set.claim_types(claims);
    }
    let Some((first, others)) = counted.split_first() else {
        return Some("no weight file whose parameters Alnage counts");
    };
    if counted.iter().any(|set| set.is_packed()) {
        return Some("the weights are packed into integers");
    }
    if others.iter().any(|other| other.weights != first.weights) {
        return Some("several sets of weights of different sizes");
    }
    let count = first.weights.to_string();
    claims.add(Field::Parameters, Origin::Bytes, &first.shown_files(), "tensor shapes", count);
    None
}

/// One model's weights: a file, or all shards of it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct WeightSet {
    format: &'static str,
    name: String,
}

impl WeightSet {
    /// `model-00001-of-00003.safetensors` belongs to `model`.
    fn of(artifact: &Artifact) -> Self {
        let path = artifact.path.as_str();
        let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
        let mut parts = stem.rsplitn(4, '-');
        let number =
            |part: Option<&str>| part.is_some_and(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
        let (count, of, index) = (parts.next(), parts.next(), parts.next());
        let name = match parts.next() {
            Some(name) if number(count) && of == Some("of") && number(index) => name,
            _ => stem,
        };
        Self { format: artifact.format, name: name.to_owned() }
    }

    fn is_at_top(&self) -> bool {
        !self.name.contains('/')
    }
}

#[derive(Debug, Default)]
struct Counted {
    files: BTreeSet<String>,
    weights: u64,
    integers: u64,
    types: BTreeSet<String>,
}

impl Counted {
    fn add(&mut self, file: &str, totals: &BTreeMap<String, ElementTotals>) {
        self.files.insert(file.to_owned());
        for (element, totals) in totals {
            let sum = if is_integer(element) { &mut self.integers } else { &mut self.weights };
            *sum = sum.saturating_add(totals.parameters);
            self.types.insert(element.clone());
        }
    }

    /// A few integers are buffers such as position ids; many are weights packed several to an integer.
    fn is_packed(&self) -> bool {
        self.integers > self.weights / 100
    }

    fn claim_types(&self, claims: &mut Claims) {
        for element in &self.types {
            claims.add(Field::ElementType, Origin::Bytes, &self.shown_files(), "tensor types", element);
        }
    }

    fn shown_files(&self) -> String {
        match (self.files.first(), self.files.len()) {
            (Some(file), 1) => file.clone(),
            (Some(file), count) => format!("{file} and {} more", count - 1),
            (None, _) => String::new(),
        }
    }
}

/// `I64`, `U8`, `BOOL`; not `IQ4_XS`, which is a quantised weight.
fn is_integer(element: &str) -> bool {
    let width = element.strip_prefix(['I', 'U']);
    element == "BOOL"
        || width.is_some_and(|width| !width.is_empty() && width.bytes().all(|byte| byte.is_ascii_digit()))
}

/// GGUF carries configuration and card in the file itself.
fn gguf(facts: &GgufFacts, file: &str, claims: &mut Claims) {
    let mut claim = |field, key: &str, value: &str| claims.add(field, Origin::Bytes, file, key, value);
    for (field, key, text) in [
        (Field::ArchitectureFamily, "general.architecture", &facts.architecture),
        (Field::Licence, "general.license", &facts.license),
        (Field::Quantization, "general.file_type", &facts.quantization),
    ] {
        claim(field, key, text.as_deref().unwrap_or_default());
    }
    for (field, key, number) in [
        (Field::ContextLength, "context_length", facts.context_length),
        (Field::Layers, "block_count", facts.block_count),
        (Field::HiddenSize, "embedding_length", facts.embedding_length),
        (Field::AttentionHeads, "attention.head_count", facts.head_count),
        (Field::VocabularySize, "tokenizer.ggml.tokens", facts.vocabulary_size),
    ] {
        claim(field, key, &number.map(|number| number.to_string()).unwrap_or_default());
    }
    // A base model has a name and an address; the address tells more.
    let addresses = facts.base_models.iter().filter_map(|base| base.strip_prefix("https://huggingface.co/"));
    let mut bases: Vec<&str> = addresses.collect();
    if bases.is_empty() {
        bases = facts.base_models.iter().map(String::as_str).collect();
    }
    for base in bases {
        claim(Field::BaseModel, "general.base_model", base);
    }
    for entry in &facts.metadata {
        let dataset = entry.key.strip_prefix("general.dataset.");
        match entry.key.as_str() {
            "general.description" => claim(Field::Description, &entry.key, &entry.value),
            "general.license.link" => claim(Field::LicenceUrl, &entry.key, &entry.value),
            key if dataset.is_some_and(|rest| rest.ends_with(".name")) => {
                claim(Field::Dataset, key, &entry.value);
            }
            _ => {}
        }
    }
}
