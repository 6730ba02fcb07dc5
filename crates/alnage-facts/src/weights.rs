//! What weight files say: how many parameters of which type, the architecture by names and shapes, and what their own
//! metadata claims.

use std::collections::{BTreeMap, BTreeSet};

use alnage_formats::{
    Artifact, Facts as ArtifactFacts, Model,
    framework::FrameworkFacts,
    pickle::{PickleFacts, Storage},
    tensor::{
        ElementTotals, TensorFacts, gguf::GgufFacts, onnx::GraphValue, onnx::OnnxFacts,
        safetensors::SafetensorsFacts,
    },
};

use crate::{
    Facts, Field, Origin, Place, Source, fasttext,
    grammar::{self, TensorView},
};

/// Adds what the weight files of `model` say.
pub(crate) fn gather(model: &Model, facts: &mut Facts) {
    let mut sets: BTreeMap<WeightSet, Counted<'_>> = BTreeMap::new();
    for artifact in &model.artifacts {
        let file = artifact.path.outer_file();
        let is_file = !artifact.path.is_member();
        match &artifact.facts {
            ArtifactFacts::Tensor(tensors) if is_file => match tensors.as_ref() {
                TensorFacts::Safetensors(tensors) => {
                    safetensors(tensors, file, facts);
                    sets.entry(WeightSet::of(Loader::Safetensors, file))
                        .or_default()
                        .add_safetensors(file, tensors);
                }
                TensorFacts::Gguf(tensors) => {
                    gguf(tensors, file, facts);
                    sets.entry(WeightSet::of(Loader::Gguf, file))
                        .or_default()
                        .add(file, elements(&tensors.types));
                }
                TensorFacts::Onnx(tensors) => {
                    onnx(tensors, file, facts);
                    sets.entry(WeightSet::of(Loader::Onnx, file))
                        .or_default()
                        .add(file, elements(&tensors.dtypes));
                }
                TensorFacts::Ggml(_) => {}
            },
            ArtifactFacts::Pickle(pickle)
                if !pickle.tensors.storages.is_empty() && !is_training_state(file) =>
            {
                let source = Source::new(Origin::Bytes, file, "storages", Place::Whole);
                facts.add(Field::Framework, "torch", source);
                sets.entry(WeightSet::of(Loader::Torch, file)).or_default().add_pickle(file, pickle);
            }
            ArtifactFacts::Framework(framework) => {
                frameworks(framework, artifact, facts);
                if let FrameworkFacts::FastText(model) = framework.as_ref()
                    && is_file
                {
                    fasttext::tell(model, file, facts);
                    let elements = fasttext::matrices(model);
                    sets.entry(WeightSet::of(Loader::FastText, file)).or_default().add(file, elements);
                }
            }
            _ => {}
        }
    }
    conclude(&sets, facts);
}

/// Loaders look for one kind after the other and take the first that is there.
fn conclude(sets: &BTreeMap<WeightSet, Counted<'_>>, facts: &mut Facts) {
    let at_top = sets.keys().any(WeightSet::is_at_top);
    let candidates = || sets.iter().filter(|(set, _)| set.is_at_top() || !at_top);
    let loader = candidates().map(|(set, _)| set.loader).min();
    let counted: Vec<&Counted<'_>> =
        candidates().filter(|(set, _)| Some(set.loader) == loader).map(|(_, counted)| counted).collect();
    for set in &counted {
        set.give_types(facts);
    }
    let Some((first, others)) = counted.split_first() else {
        facts.gaps.push((Field::Parameters, "no weight file whose parameters Alnage counts".into()));
        return;
    };
    let same = others.iter().all(|other| other.weights == first.weights);
    if same {
        grammar::read(&first.tensors, &first.source("tensor names and shapes"), facts);
    }
    let gap = match (counted.iter().any(|set| set.is_packed()), same) {
        (true, _) => "the weights are packed into integers",
        (false, false) => "several sets of weights of different sizes",
        (false, true) => {
            let mut source = first.source("tensor shapes");
            source.confidence = 99;
            let kind = if first.is_adapter() { "adapter" } else { "model" };
            let details = vec![("of", kind.to_owned()), ("integers", first.integers.to_string())];
            return facts.add_with(Field::Parameters, first.weights.to_string(), details, source);
        }
    };
    facts.gaps.push((Field::Parameters, gap.into()));
}

/// What reads a kind of weights, in the order that `from_pretrained` prefers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Loader {
    Safetensors,
    Torch,
    Gguf,
    Onnx,
    FastText,
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
pub fn element_type(dtype: &str) -> &str {
    match dtype.strip_prefix("torch.").unwrap_or(dtype) {
        "float64" | "double" => "F64",
        "float32" | "float" => "F32",
        "float16" | "half" => "F16",
        "bfloat16" => "BF16",
        "float8_e4m3fn" | "float8e4m3fn" => "F8_E4M3",
        "float8_e5m2" | "float8e5m2" => "F8_E5M2",
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

#[derive(Default)]
struct Counted<'a> {
    files: BTreeSet<String>,
    /// Of the first file: where its header ends, when it has one.
    header: Option<(u64, u64)>,
    weights: u64,
    integers: u64,
    /// Elements by type, integers among them.
    types: BTreeMap<String, u64>,
    tensors: Vec<TensorView<'a>>,
}

impl<'a> Counted<'a> {
    fn add(&mut self, file: &str, totals: BTreeMap<&str, u64>) {
        self.files.insert(file.to_owned());
        for (element, count) in totals {
            let sum = if is_integer(element) { &mut self.integers } else { &mut self.weights };
            *sum = sum.saturating_add(count);
            let of_type = self.types.entry(element.to_owned()).or_default();
            *of_type = of_type.saturating_add(count);
        }
    }

    fn add_safetensors(&mut self, file: &str, facts: &'a SafetensorsFacts) {
        self.header.get_or_insert((8, facts.header_length.saturating_add(8)));
        self.add(file, elements(&facts.dtypes));
        self.tensors
            .extend(facts.all.iter().map(|tensor| TensorView { name: &tensor.name, shape: &tensor.shape }));
    }

    fn add_pickle(&mut self, file: &str, facts: &'a PickleFacts) {
        self.add(file, storages(&facts.tensors.storages));
        let named = facts.tensors.list.iter();
        self.tensors.extend(
            named.filter_map(|tensor| {
                Some(TensorView { name: tensor.name.as_deref()?, shape: &tensor.shape })
            }),
        );
    }

    /// A few integers are buffers such as position ids; many are weights packed several to an integer.
    fn is_packed(&self) -> bool {
        self.integers > self.weights / 100
    }

    fn is_adapter(&self) -> bool {
        grammar::is_adapter(&self.tensors)
    }

    fn give_types(&self, facts: &mut Facts) {
        for (element, count) in &self.types {
            let details = vec![("elements", count.to_string())];
            facts.add_with(Field::ElementType, element, details, self.source("tensor types"));
        }
    }

    fn source(&self, what: &str) -> Source {
        let place = self.header.map_or(Place::Whole, |(start, end)| Place::Bytes(start, end));
        Source::new(Origin::Bytes, &self.shown_files(), what, place)
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
pub(crate) fn is_integer(element: &str) -> bool {
    let width = element.strip_prefix(['I', 'U']);
    element == "BOOL"
        || width.is_some_and(|width| !width.is_empty() && width.bytes().all(|byte| byte.is_ascii_digit()))
}

fn safetensors(tensors: &SafetensorsFacts, file: &str, facts: &mut Facts) {
    let framework = |format: &str| match format {
        "pt" => Some("torch"),
        "tf" => Some("tensorflow"),
        "flax" | "np" => Some("flax"),
        "mlx" => Some("mlx"),
        _ => None,
    };
    for entry in tensors.metadata.iter().filter(|entry| entry.key == "format") {
        if let Some(name) = framework(&entry.value) {
            let place = Place::Bytes(entry.span.0, entry.span.1);
            facts.add(Field::Framework, name, Source::new(Origin::Bytes, file, "__metadata__.format", place));
        }
    }
}

fn onnx(graph: &OnnxFacts, file: &str, facts: &mut Facts) {
    let source = |what| Source::new(Origin::Bytes, file, what, Place::Whole);
    let version = vec![("version", graph.producer_version.clone())];
    facts.add_with(Field::Framework, graph.producer_name.as_str(), version, source("producer_name"));
    for opset in graph.opsets.iter().filter(|opset| opset.domain.is_empty() || opset.domain == "ai.onnx") {
        let version = vec![("opset", opset.version.to_string())];
        facts.add_with(Field::Framework, "onnx", version, source("opset_import"));
    }
    let values = [(Field::Input, &graph.inputs), (Field::Output, &graph.outputs)];
    for (field, values) in values {
        // Files of old versions list every trained value among the inputs.
        if values.len() <= 32 {
            for value in values {
                let what = if field == Field::Input { "graph.input" } else { "graph.output" };
                let place = Place::Bytes(value.span.0, value.span.1);
                facts.add(field, shown_value(value), Source::new(Origin::Bytes, file, what, place));
            }
        }
    }
    for entry in &graph.metadata {
        let field = match entry.key.to_ascii_lowercase().as_str() {
            "author" | "producer" => Field::Producer,
            "license" | "licence" => Field::Licence,
            "description" => Field::Description,
            "task" => Field::Task,
            "version" => Field::Version,
            "date" => Field::Timestamp,
            _ => continue,
        };
        let place = Place::Bytes(entry.span.0, entry.span.1);
        let source = Source::new(Origin::Bytes, file, &entry.key, place);
        facts.add(field, entry.value.as_str(), source);
    }
}

/// `input_ids: int64[batch, sequence]`.
fn shown_value(value: &GraphValue) -> String {
    let shape: Vec<&str> = value.shape.iter().map(String::as_str).collect();
    format!("{}: {}[{}]", value.name, value.element, shape.join(", "))
}

fn frameworks(framework: &FrameworkFacts, artifact: &Artifact, facts: &mut Facts) {
    let source = |what: &str| Source::new(Origin::Bytes, artifact.path.as_str(), what, Place::Whole);
    let mut wrote = |name: &str, version: Option<&str>, what: &str| {
        let details = vec![("version", version.unwrap_or_default().to_owned())];
        facts.add_with(Field::Framework, name, details, source(what));
    };
    match framework {
        FrameworkFacts::TensorFlow(graph) => {
            if let Some(version) = &graph.tensorflow_version {
                wrote("tensorflow", Some(version), "tensorflow_version");
            }
        }
        FrameworkFacts::Tflite(_) => wrote("tensorflow", None, "TensorFlow Lite flatbuffer"),
        FrameworkFacts::Xgboost(model) => wrote("xgboost", model.version.as_deref(), "version"),
        FrameworkFacts::Keras(_) => wrote("keras", None, "Keras configuration"),
        FrameworkFacts::Skops(_) => wrote("scikit-learn", None, "skops schema"),
        FrameworkFacts::Hdf5(file) => {
            if let Some(version) = file.properties.get("keras_version") {
                wrote("keras", Some(version.trim_matches('"')), "keras_version");
            }
        }
        _ => {}
    }
}

/// GGUF carries configuration and card in the file itself.
fn gguf(header: &GgufFacts, file: &str, facts: &mut Facts) {
    let at = |key: &str| {
        let suffix = format!(".{key}");
        let entry = header.metadata.iter().find(|entry| entry.key == key || entry.key.ends_with(&suffix));
        let place = entry.map_or(Place::Whole, |entry| Place::Bytes(entry.span.0, entry.span.1));
        Source::new(Origin::Bytes, file, key, place)
    };
    for (field, key, text) in [
        (Field::ArchitectureFamily, "general.architecture", &header.architecture),
        (Field::Licence, "general.license", &header.license),
        (Field::Quantization, "general.file_type", &header.quantization),
        (Field::TokenizerClass, "tokenizer.ggml.model", &header.tokenizer_model),
    ] {
        facts.add(field, text.as_deref().unwrap_or_default(), at(key));
    }
    for (field, key, number) in [
        (Field::ContextLength, "context_length", header.context_length),
        (Field::Layers, "block_count", header.block_count),
        (Field::HiddenSize, "embedding_length", header.embedding_length),
        (Field::AttentionHeads, "attention.head_count", header.head_count),
        (Field::VocabularySize, "tokenizer.ggml.tokens", header.vocabulary_size),
    ] {
        facts.add(field, number.map(|number| number.to_string()).unwrap_or_default(), at(key));
    }
    facts.add(Field::Framework, "gguf", at("general.quantization_version"));
    // A base model has a name and an address; the address tells more.
    let addresses = header.base_models.iter().filter_map(|base| base.strip_prefix("https://huggingface.co/"));
    let mut bases: Vec<&str> = addresses.collect();
    if bases.is_empty() {
        bases = header.base_models.iter().map(String::as_str).collect();
    }
    for base in bases {
        facts.add(Field::BaseModel, base, at("general.base_model.0.repo_url"));
    }
    for entry in &header.metadata {
        let field = match entry.key.as_str() {
            "general.name" => Field::Name,
            // A label that a person chose, not a count.
            "general.size_label" => {
                let place = Place::Bytes(entry.span.0, entry.span.1);
                let source = Source::new(Origin::Card, file, &entry.key, place);
                facts.add(Field::Parameters, entry.value.as_str(), source);
                continue;
            }
            "general.version" => Field::Version,
            "general.author" | "general.organization" => Field::Producer,
            "general.description" => Field::Description,
            "general.license.link" => Field::LicenceUrl,
            "general.url" | "general.repo_url" | "general.doi" => Field::Link,
            key if key.starts_with("general.dataset.") && key.ends_with(".name") => Field::Dataset,
            key if key.ends_with(".attention.head_count_kv") => Field::KeyValueHeads,
            key if key.ends_with(".feed_forward_length") => Field::IntermediateSize,
            key if key.ends_with(".expert_count") => Field::Experts,
            _ => continue,
        };
        let place = Place::Bytes(entry.span.0, entry.span.1);
        // Lists are shown as `[type; length]`, which is no number.
        if !entry.value.starts_with('[') {
            facts.add(field, entry.value.as_str(), Source::new(Origin::Bytes, file, &entry.key, place));
        }
    }
}
