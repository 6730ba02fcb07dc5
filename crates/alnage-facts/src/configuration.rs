//! What programs wrote beside the weights: configuration, adapters, pipelines, the descriptions of MLflow.

use alnage_formats::{
    Artifact, Facts as ArtifactFacts, Model,
    repository::{
        Entry, RepositoryFacts,
        config::{ConfigFacts, ConfigRole},
    },
};

use crate::{Facts, Field, Origin, Place, Source, conversion, prose, weights};

/// Adds what the configuration files of `model` say.
///
/// Only files at the top speak for the whole model: the configuration of a part describes that part.
pub(crate) fn gather(model: &Model, facts: &mut Facts) {
    for (artifact, config) in configs(model) {
        let path = artifact.path.as_str();
        let reading = Reading { file: path, config };
        match path.rsplit_once('/') {
            None => reading.give(facts),
            Some((folder, "config.json")) if folder.ends_with("_Pooling") => reading.pooling(facts),
            Some(_) => {}
        }
    }
    flow(model, facts);
}

/// Every document with keys and values that is a file of its own.
pub(crate) fn configs(model: &Model) -> impl Iterator<Item = (&Artifact, &ConfigFacts)> {
    model.artifacts.iter().filter(|artifact| !artifact.path.is_member()).filter_map(|artifact| {
        let ArtifactFacts::Repository(facts) = &artifact.facts else { return None };
        match facts.as_ref() {
            RepositoryFacts::Config(config) => Some((artifact, config.as_ref())),
            _ => None,
        }
    })
}

/// The value at `pointer`.
pub(crate) fn at<'a>(entries: &'a [Entry], pointer: &str) -> Option<&'a Entry> {
    entries.iter().find(|entry| entry.pointer == pointer)
}

struct Reading<'a> {
    file: &'a str,
    config: &'a ConfigFacts,
}

impl Reading<'_> {
    /// The source of a key at the top of the document.
    fn source(&self, key: &str) -> Source {
        let place = Place::Pointer(format!("/{}", key.replace('~', "~0").replace('/', "~1")));
        Source::new(Origin::Configuration, self.file, key, place)
    }

    /// Adds the value at `pointer`, when there is one.
    fn copy(&self, facts: &mut Facts, field: Field, pointer: &str) {
        if let Some(entry) = at(&self.config.entries, pointer) {
            let place = Place::Pointer(pointer.to_owned());
            let key = pointer.trim_start_matches('/');
            facts.add(field, entry.value.as_str(), Source::new(Origin::Configuration, self.file, key, place));
        }
    }

    fn give(&self, facts: &mut Facts) {
        let name = self.file;
        match self.config.role {
            ConfigRole::Model => self.model(facts),
            ConfigRole::Adapter => self.adapter(facts),
            ConfigRole::Pipeline => {
                self.add(
                    facts,
                    Field::ArchitectureClass,
                    "_class_name",
                    self.config.pipeline_class.as_deref(),
                );
                self.framework(facts, "diffusers", "_diffusers_version");
            }
            ConfigRole::Tokenizer => {
                self.add(
                    facts,
                    Field::TokenizerClass,
                    "tokenizer_class",
                    self.config.tokenizer_class.as_deref(),
                );
            }
            ConfigRole::Generation => self.framework(facts, "transformers", "transformers_version"),
            _ if name == "config_sentence_transformers.json" => {
                for (package, key) in [
                    ("sentence-transformers", "sentence_transformers"),
                    ("transformers", "transformers"),
                    ("torch", "pytorch"),
                ] {
                    let pointer = format!("/__version__/{key}");
                    if let Some(entry) = at(&self.config.entries, &pointer) {
                        let source =
                            Source::new(Origin::Configuration, name, "__version__", Place::Pointer(pointer));
                        facts.add_with(
                            Field::Framework,
                            package,
                            vec![("version", entry.value.clone())],
                            source,
                        );
                    }
                }
            }
            _ if name.ends_with(".conversion.intoto.json") => conversion::gather(name, self.config, facts),
            _ if name == "MLmodel" => self.mlmodel(facts),
            _ => {}
        }
    }

    fn add(&self, facts: &mut Facts, field: Field, key: &str, value: Option<&str>) {
        facts.add(field, value.unwrap_or_default(), self.source(key));
    }

    fn framework(&self, facts: &mut Facts, name: &str, key: &str) {
        if let Some(version) = &self.config.transformers_version {
            facts.add_with(Field::Framework, name, vec![("version", version.clone())], self.source(key));
        }
    }

    fn model(&self, facts: &mut Facts) {
        let config = self.config;
        let class = config.architectures.first().map(String::as_str);
        self.add(facts, Field::ArchitectureFamily, "model_type", config.model_type.as_deref());
        self.add(facts, Field::ArchitectureClass, "architectures", class);
        self.add(facts, Field::Task, "architectures", class.and_then(prose::task_of_class));
        let dtype = config.torch_dtype.as_deref().map(weights::element_type);
        self.add(facts, Field::ElementType, "torch_dtype", dtype);
        for (field, key) in SIZES {
            if let Some(size) = config.sizes.get(key) {
                facts.add(*field, size.to_string(), self.source(key));
            }
        }
        if let Some(method) = &config.quantization_method {
            let bits = config.quantization_bits.map(|bits| format!(", {bits} bits")).unwrap_or_default();
            facts.add(Field::Quantization, format!("{method}{bits}"), self.source("quantization_config"));
        }
        self.framework(facts, "transformers", "transformers_version");
    }

    fn adapter(&self, facts: &mut Facts) {
        let config = self.config;
        let kind = config.peft_type.as_deref();
        self.add(
            facts,
            Field::BaseModel,
            "base_model_name_or_path",
            config.base_model_name_or_path.as_deref(),
        );
        self.add(facts, Field::BaseModelRelation, "peft_type", kind.map(|_| "adapter"));
        self.add(facts, Field::ArchitectureClass, "peft_type", kind);
        self.add(
            facts,
            Field::Task,
            "task_type",
            config.task_type.as_deref().and_then(prose::task_of_adapter),
        );
        self.add(facts, Field::Framework, "peft_type", kind.map(|_| "peft"));
        self.copy(facts, Field::AdapterRank, "/r");
        for entry in config.entries.iter().filter(|entry| entry.pointer.starts_with("/target_modules/")) {
            facts.add(Field::AdapterTarget, entry.value.as_str(), self.source("target_modules"));
        }
    }

    /// The width of what sentence-transformers gives.
    fn pooling(&self, facts: &mut Facts) {
        if let Some(width) = at(&self.config.entries, "/word_embedding_dimension") {
            let source = self.source("word_embedding_dimension");
            facts.add(Field::Output, format!("embedding: float32[{}]", width.value), source);
        }
    }

    fn mlmodel(&self, facts: &mut Facts) {
        self.copy(facts, Field::Timestamp, "/utc_time_created");
        self.copy(facts, Field::Version, "/model_uuid");
        self.copy(facts, Field::Input, "/signature/inputs");
        self.copy(facts, Field::Output, "/signature/outputs");
        if let Some(version) = at(&self.config.entries, "/mlflow_version") {
            let details = vec![("version", version.value.clone())];
            facts.add_with(Field::Framework, "mlflow", details, self.source("mlflow_version"));
        }
        for entry in &self.config.entries {
            // `/flavors/sklearn/sklearn_version`; the flavour `python_function` names the loader only.
            let Some(rest) = entry.pointer.strip_prefix("/flavors/") else { continue };
            let Some((flavour, key)) = rest.split_once('/') else { continue };
            let Some(package) = key.strip_suffix("_version").filter(|package| !package.contains('/')) else {
                continue;
            };
            let package = match package {
                "sklearn" => "scikit-learn",
                "pytorch" => "torch",
                "xgb" => "xgboost",
                other => other,
            };
            let place = Place::Pointer(entry.pointer.clone());
            let source = Source::new(Origin::Configuration, self.file, flavour, place);
            facts.add_with(Field::Framework, package, vec![("version", entry.value.clone())], source);
        }
    }
}

static SIZES: &[(Field, &str)] = &[
    (Field::ContextLength, "max_position_embeddings"),
    (Field::HiddenSize, "hidden_size"),
    (Field::Layers, "num_hidden_layers"),
    (Field::AttentionHeads, "num_attention_heads"),
    (Field::KeyValueHeads, "num_key_value_heads"),
    (Field::IntermediateSize, "intermediate_size"),
    (Field::VocabularySize, "vocab_size"),
    (Field::Experts, "num_experts"),
];

/// The way of the data: through the modules of a pipeline, or tokenizer and model.
fn flow(model: &Model, facts: &mut Facts) {
    let mut steps: Vec<String> = Vec::new();
    let mut file = "";
    for (artifact, config) in configs(model).filter(|(artifact, _)| !artifact.path.as_str().contains('/')) {
        if matches!(config.role, ConfigRole::Modules | ConfigRole::Pipeline) && !config.components.is_empty()
        {
            file = artifact.path.as_str();
            let last = |dotted: &str| dotted.rsplit('.').next().unwrap_or(dotted).to_owned();
            steps = config
                .components
                .iter()
                .take(32)
                .map(|part| if part.class.is_empty() { last(&part.module) } else { part.class.clone() })
                .collect();
        }
    }
    let tokenizer = facts.best(Field::TokenizerClass).map(|fact| fact.value.clone());
    let class = facts.best(Field::ArchitectureClass).map(|fact| (fact.value.clone(), fact.source.clone()));
    let source = match (file, &class) {
        ("", None) => return,
        ("", Some((_, source))) => source.clone(),
        (file, _) => Source::new(Origin::Configuration, file, "modules", Place::Whole),
    };
    let mut parts: Vec<String> = tokenizer.into_iter().collect();
    match class {
        // The first module of sentence-transformers is the model of transformers.
        Some((class, _)) if steps.first().is_some_and(|first| first == "Transformer") => {
            parts.push(class);
            parts.extend(steps.into_iter().skip(1));
        }
        Some((class, _)) if steps.is_empty() => parts.push(class),
        _ => parts.extend(steps),
    }
    if !parts.is_empty() {
        facts.add(Field::DataFlow, parts.join(" → "), source);
    }
}
