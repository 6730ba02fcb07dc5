//! What weight files say: how many parameters of which type, and what their own metadata claims.

use std::collections::{BTreeMap, BTreeSet};

use alnage_formats::{
    Facts, Model,
    framework::FrameworkFacts,
    pickle::Storage,
    tensor::{ElementTotals, TensorFacts, gguf::GgufFacts},
};

use crate::claim::{Claims, Field, Origin};

/// Adds what the weight files of `model` say. Gives why the number of parameters is not known, when it is not.
pub(crate) fn gather(model: &Model, claims: &mut Claims) -> Option<&'static str> {
    let mut sets: BTreeMap<WeightSet, Counted> = BTreeMap::new();
    for artifact in &model.artifacts {
        let file = artifact.path.outer_file();
        let mut counted = |loader, totals: BTreeMap<&str, u64>| {
            sets.entry(WeightSet::of(loader, file)).or_default().add(file, totals);
        };
        let is_file = artifact.path.container().is_none();
        match &artifact.facts {
            Facts::Tensor(facts) if is_file => match facts.as_ref() {
                TensorFacts::Safetensors(facts) => counted(Loader::Safetensors, elements(&facts.dtypes)),
                TensorFacts::Gguf(facts) => {
                    gguf(facts, file, claims);
                    counted(Loader::Gguf, elements(&facts.types));
                }
                TensorFacts::Onnx(facts) => {
                    let (name, version) = (facts.producer_name.as_str(), facts.producer_version.as_str());
                    let separator = if version.is_empty() { "" } else { "==" };
                    let producer =
                        if name.is_empty() { String::new() } else { format!("{name}{separator}{version}") };
                    claims.add(Field::Framework, Origin::Bytes, file, "producer_name", producer);
                    counted(Loader::Onnx, elements(&facts.dtypes));
                }
                _ => {}
            },
            Facts::Pickle(facts) if !facts.tensors.storages.is_empty() && !is_training_state(file) => {
                claims.add(Field::Framework, Origin::Bytes, file, "storages", "torch");
                counted(Loader::Torch, storages(&facts.tensors.storages));
            }
            Facts::Framework(facts) => {
                if let FrameworkFacts::TensorFlow(facts) = facts.as_ref()
                    && let Some(version) = &facts.tensorflow_version
                {
                    let framework = format!("tensorflow=={version}");
                    claims.add(Field::Framework, Origin::Bytes, file, "tensorflow_version", framework);
                }
            }
            _ => {}
        }
    }
    // Loaders look for one kind after the other and take the first that is there.
    let at_top = sets.keys().any(WeightSet::is_at_top);
    let candidates = || sets.iter().filter(|(set, _)| set.is_at_top() || !at_top);
    let loader = candidates().map(|(set, _)| set.loader).min();
    let counted: Vec<&Counted> =
        candidates().filter(|(set, _)| Some(set.loader) == loader).map(|(_, counted)| counted).collect();
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

/// What reads a kind of weights, in the order that `from_pretrained` prefers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Loader {
    Safetensors,
    Torch,
    Gguf,
    Onnx,
}

fn elements(totals: &BTreeMap<String, ElementTotals>) -> BTreeMap<&str, u64> {
    let mut elements = BTreeMap::new();
    for (element, totals) in totals {
        let total: &mut u64 = elements.entry(element_type(element)).or_default();
        *total = total.saturating_add(totals.parameters);
    }
    elements
}

/// Tensors that share a storage share their parameters.
fn storages(storages: &[Storage]) -> BTreeMap<&str, u64> {
    let distinct: BTreeMap<&str, &Storage> =
        storages.iter().map(|storage| (storage.key.as_str(), storage)).collect();
    let mut totals = BTreeMap::new();
    for storage in distinct.values() {
        let total: &mut u64 = totals.entry(element_type(storage.dtype)).or_default();
        *total = total.saturating_add(storage.elements);
    }
    totals
}

/// Whether a file of this name holds the state of a training run, whose tensors are no parameters.
fn is_training_state(file: &str) -> bool {
    const STATES: [&str; 5] = ["optimizer", "scheduler", "scaler", "rng_state", "training_args"];
    let name = file.rsplit('/').next().unwrap_or(file);
    STATES.iter().any(|state| name.starts_with(state))
}

/// The element type as safetensors names it.
pub(crate) fn element_type(dtype: &str) -> &str {
    match dtype.strip_prefix("torch.").unwrap_or(dtype) {
        "float64" | "double" => "F64",
        "float32" | "float" => "F32",
        "float16" | "half" => "F16",
        "bfloat16" => "BF16",
        "float8_e4m3fn" => "F8_E4M3",
        "float8_e5m2" => "F8_E5M2",
        "int64" | "long" => "I64",
        "int32" | "int" => "I32",
        "int16" | "short" => "I16",
        "int8" => "I8",
        "uint8" => "U8",
        "bool" => "BOOL",
        other => other,
    }
}

/// One model's weights: a file, or all shards of it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct WeightSet {
    loader: Loader,
    name: String,
}

impl WeightSet {
    /// `model-00001-of-00003.safetensors` belongs to `model`.
    fn of(loader: Loader, path: &str) -> Self {
        let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
        let mut parts = stem.rsplitn(4, '-');
        let number =
            |part: Option<&str>| part.is_some_and(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
        let (count, of, index) = (parts.next(), parts.next(), parts.next());
        let name = match parts.next() {
            Some(name) if number(count) && of == Some("of") && number(index) => name,
            _ => stem,
        };
        Self { loader, name: name.to_owned() }
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
    fn add(&mut self, file: &str, totals: BTreeMap<&str, u64>) {
        self.files.insert(file.to_owned());
        for (element, count) in totals {
            let sum = if is_integer(element) { &mut self.integers } else { &mut self.weights };
            *sum = sum.saturating_add(count);
            self.types.insert(element.to_owned());
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
