//! Picks out of a document's events what rules and the bill of materials need.

use std::{collections::HashMap, sync::Arc};

use alnage_types::{ArtifactPath, MemorySource};

use super::{
    AutoMapEntry, Component, ConfigFacts, ConfigRole, Instantiation, PythonTag, Setting, ShardIndex,
};
use crate::{
    Context,
    repository::Entry,
    repository::document::{Path, Receiver, Scalar},
};

/// Lists of facts are cut here.
const MAX_ITEMS: usize = 512;
const MAX_ARGUMENTS: usize = 8;
const MAX_TEXT: usize = 512;
const MAX_TENSORS: usize = 300_000;
const MAX_TEMPLATES: usize = 256;

pub(super) struct Collector {
    facts: ConfigFacts,
    /// Names and texts of templates, handed on when the document is read.
    templates: Vec<(String, String)>,
    /// The `name` beside a `template` of a list of templates.
    template_name: Option<String>,
    shard_numbers: HashMap<String, u32>,
}

impl Collector {
    pub(super) fn new(path: &ArtifactPath) -> Self {
        let role = ConfigRole::of(path.name());
        let shards = (role == ConfigRole::ShardIndex).then(ShardIndex::default);
        Self {
            facts: ConfigFacts { role, shards, documents: 1, ..ConfigFacts::default() },
            templates: Vec::new(),
            template_name: None,
            shard_numbers: HashMap::new(),
        }
    }

    /// The facts; templates become members.
    pub(super) fn finish(self, documents: u64, context: &mut Context<'_>) -> ConfigFacts {
        for (name, text) in self.templates {
            context.member(name, Arc::new(MemorySource::new(text.into_bytes())));
        }
        ConfigFacts { documents, ..self.facts }
    }

    fn top_level(&mut self, key: &str, value: Scalar<'_>) {
        let facts = &mut self.facts;
        if let Some(size) = size_name(key)
            && let Some(value) = value.as_u64()
        {
            facts.sizes.entry(size).or_insert(value);
        }
        let Some(text) = value.as_str().map(cut) else { return };
        match key {
            "model_type" => facts.model_type = Some(text),
            "torch_dtype" | "dtype" => facts.torch_dtype = Some(text),
            "transformers_version" | "_diffusers_version" => facts.transformers_version = Some(text),
            "_name_or_path" | "name_or_path" => facts.name_or_path = Some(text),
            "base_model_name_or_path" => facts.base_model_name_or_path = Some(text),
            "peft_type" => facts.peft_type = Some(text),
            "task_type" => facts.task_type = Some(text),
            "tokenizer_class" => facts.tokenizer_class = Some(text),
            "processor_class" | "feature_extractor_type" | "image_processor_type" => {
                facts.processor_class = Some(text);
            }
            "_class_name" => facts.pipeline_class = Some(text),
            _ => {}
        }
    }

    fn auto_map(&mut self, path: &Path, value: Scalar<'_>) {
        let Some(place) = (0..path.depth()).find(|&depth| path.key(depth) == Some("auto_map")) else {
            return;
        };
        let (Some(auto_class), Some(target)) = (path.key(place + 1), value.as_str()) else { return };
        if self.facts.auto_map.len() == MAX_ITEMS || target.is_empty() {
            return;
        }
        let (repository, local) = match target.split_once("--") {
            Some((repository, local)) => (Some(cut(repository)), local),
            None => (None, target),
        };
        let module = local.rsplit_once('.').map_or(local, |(module, _)| module);
        let (auto_class, target, module) = (cut(auto_class), cut(target), cut(module));
        self.facts.auto_map.push(AutoMapEntry { auto_class, target, repository, module });
    }

    /// Objects by dotted name, and the scalars that stand beside such a name.
    fn instantiation(&mut self, path: &Path, key: &str, value: Scalar<'_>, offset: u64) {
        let named = match key {
            "_target_" => value.as_str().is_some(),
            "target" | "class_path" | "_cls_" | "py/object" | "py/function" | "py/type" | "py/reduce" => {
                value.as_str().is_some_and(is_dotted_name)
            }
            _ => false,
        };
        if named {
            if self.facts.instantiations.len() < MAX_ITEMS {
                self.facts.instantiations.push(Instantiation {
                    pointer: path.pointer(),
                    key: key.to_owned(),
                    target: cut(value.as_str().unwrap_or_default()),
                    arguments: Vec::new(),
                    offset,
                });
            }
            return;
        }
        let Some(last) = self.facts.instantiations.last_mut() else { return };
        if last.arguments.len() == MAX_ARGUMENTS {
            return;
        }
        let parent = last.pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
        let pointer = path.pointer();
        let beside = pointer.strip_prefix(parent).and_then(|rest| rest.strip_prefix('/'));
        if let Some(name) = beside {
            last.arguments.push(format!("{name}={}", cut(&value.shown())));
        }
    }

    fn setting(&mut self, path: &Path, key: &str, value: Scalar<'_>, offset: u64) {
        let custom_pipeline = key == "impl" && path.key(0) == Some("custom_pipelines");
        if self.facts.settings.len() < MAX_ITEMS && (custom_pipeline || is_setting(key, value)) {
            self.facts.settings.push(Setting {
                pointer: path.pointer(),
                key: key.to_owned(),
                value: cut(&value.shown()),
                offset,
            });
        }
    }

    fn template(&mut self, path: &Path, key: &str, value: Scalar<'_>) {
        let Some(text) = value.as_str() else { return };
        let inside =
            (0..path.depth()).filter_map(|depth| path.key(depth)).any(|key| key.contains("template"));
        // Elsewhere a text is hardly a template, unless it reaches for what templates are not given.
        let is_template = text.contains("{%") || text.contains("{{");
        let is_sought = inside || (is_template && text.contains("__"));
        if !is_sought {
            return;
        }
        if inside && key == "name" {
            self.template_name = Some(text.chars().filter(|c| *c != '/').take(64).collect());
        } else if self.templates.len() < MAX_TEMPLATES && is_template {
            let name = match self.template_name.take() {
                Some(name) => format!("chat_template/{name}.jinja"),
                None if path.depth() == 1 => format!("{}.jinja", cut(key)),
                None => format!("chat_template/{}.jinja", self.templates.len()),
            };
            self.templates.push((name, text.to_owned()));
        }
    }

    fn component(&mut self, path: &Path, value: Scalar<'_>) {
        let Some(text) = value.as_str() else { return };
        let (name, place) = match self.facts.role {
            ConfigRole::Pipeline if path.depth() == 2 => match (path.key(0), path.index(1)) {
                (Some(name), Some(place)) => (name.to_owned(), place),
                _ => return,
            },
            ConfigRole::Modules if path.depth() == 2 && path.key(1) == Some("type") => {
                (path.index(0).unwrap_or_default().to_string(), 0)
            }
            _ => return,
        };
        match place {
            0 if self.facts.components.len() < MAX_ITEMS => {
                let (name, module) = (cut(&name), cut(text));
                self.facts.components.push(Component { name, module, class: String::new() });
            }
            1 => {
                if let Some(last) = self.facts.components.last_mut()
                    && last.name == name
                {
                    last.class = cut(text);
                }
            }
            _ => {}
        }
    }

    fn shard(&mut self, path: &Path, value: Scalar<'_>) {
        let Some(shards) = &mut self.facts.shards else { return };
        match (path.depth(), path.key(0), path.key(1)) {
            (2, Some("weight_map"), Some(tensor)) => {
                let Some(file) = value.as_str() else { return };
                shards.tensors += 1;
                let number = match self.shard_numbers.get(file) {
                    Some(number) => *number,
                    None if shards.files.len() < MAX_ITEMS * 8 => {
                        let number = u32::try_from(shards.files.len()).unwrap_or(u32::MAX);
                        self.shard_numbers.insert(file.to_owned(), number);
                        shards.files.push(cut(file));
                        number
                    }
                    None => return,
                };
                if shards.weight_map.len() < MAX_TENSORS {
                    shards.weight_map.push((tensor.to_owned(), number));
                }
            }
            (2, Some("metadata"), Some("total_size")) => shards.total_size = value.as_u64(),
            _ => {}
        }
    }
}

impl Receiver for Collector {
    fn open(&mut self, path: &Path) {
        if path.depth() == 2 {
            self.template_name = None;
        }
    }

    fn scalar(&mut self, path: &Path, value: Scalar<'_>, offset: u64) {
        let key = path.nearest_key().unwrap_or_default();
        if !matches!(self.facts.role, ConfigRole::FastTokenizer | ConfigRole::ShardIndex) {
            Entry::keep(&mut self.facts.entries, path, value, offset);
        }
        if self.facts.role == ConfigRole::ShardIndex {
            self.shard(path, value);
        }
        if path.depth() == 1 {
            self.top_level(key, value);
        }
        match (path.depth(), path.key(0), path.key(1)) {
            (2, Some("architectures"), None) if self.facts.architectures.len() < 64 => {
                self.facts.architectures.extend(value.as_str().map(cut));
            }
            (2, Some("quantization_config"), Some("quant_method")) => {
                self.facts.quantization_method = value.as_str().map(cut);
            }
            (2, Some("quantization_config"), Some("bits")) => self.facts.quantization_bits = value.as_u64(),
            (2, Some("quantization_config"), Some("load_in_4bit")) if value == Scalar::Bool(true) => {
                self.facts.quantization_bits = Some(4);
            }
            (2, Some("quantization_config"), Some("load_in_8bit")) if value == Scalar::Bool(true) => {
                self.facts.quantization_bits = Some(8);
            }
            _ => {}
        }
        if let Some(last) = self.facts.python_tags.last_mut()
            && last.arguments.len() < MAX_ARGUMENTS
            && path.pointer().starts_with(&last.pointer)
        {
            last.arguments.push(cut(&value.shown()));
        }
        self.auto_map(path, value);
        self.component(path, value);
        self.instantiation(path, key, value, offset);
        self.setting(path, key, value, offset);
        self.template(path, key, value);
    }

    fn duplicate(&mut self, path: &Path, _offset: u64) {
        if self.facts.duplicate_keys.len() < 64 {
            self.facts.duplicate_keys.push(path.pointer());
        }
    }

    fn tag(&mut self, path: &Path, tag: &str, offset: u64) {
        let python = tag
            .split_once("python/")
            .filter(|(before, _)| matches!(*before, "!!" | "!" | "tag:yaml.org,2002:" | ""));
        let Some((_, python)) = python else { return };
        if self.facts.python_tags.len() < MAX_ITEMS {
            let (pointer, tag) = (path.pointer(), cut(python));
            self.facts.python_tags.push(PythonTag { pointer, tag, arguments: Vec::new(), offset });
        }
    }
}

/// The common name of a size that families spell differently.
fn size_name(key: &str) -> Option<&'static str> {
    Some(match key {
        "vocab_size" | "n_vocab" => "vocab_size",
        "hidden_size" | "n_embd" | "d_model" | "dim" | "hidden_dim" => "hidden_size",
        "num_hidden_layers" | "n_layer" | "n_layers" | "num_layers" => "num_hidden_layers",
        "num_attention_heads" | "n_head" | "n_heads" | "num_heads" => "num_attention_heads",
        "num_key_value_heads" | "n_kv_heads" => "num_key_value_heads",
        "intermediate_size" | "n_inner" | "ffn_dim" | "d_ff" => "intermediate_size",
        "max_position_embeddings" | "n_positions" | "n_ctx" | "max_seq_len" | "model_max_length" => {
            "max_position_embeddings"
        }
        "num_local_experts" | "num_experts" | "n_routed_experts" => "num_experts",
        _ => return None,
    })
}

/// Whether a key with this value changes what is trusted, fetched or opened.
fn is_setting(key: &str, value: Scalar<'_>) -> bool {
    match value {
        Scalar::Bool(true) => matches!(
            key,
            "trust_remote_code"
                | "allow_pickle"
                | "enable_unsafe_deserialization"
                | "unsafe"
                | "safe_mode_off"
        ),
        Scalar::String(text) => match key {
            "trust_remote_code" => matches!(text, "true" | "True" | "1"),
            "_attn_implementation_internal"
            | "_attn_implementation"
            | "attn_implementation"
            | "_experts_implementation_internal"
            | "_experts_implementation"
            | "experts_implementation" => text.contains('/'),
            "custom_pipeline" | "custom_pipelines" | "custom_generate" | "custom_revision" => true,
            "parent_library" | "base_model_class" | "custom_module" => true,
            _ if key.ends_with("_file")
                || key.ends_with("_path")
                || key == "path"
                || key.ends_with("_url") =>
            {
                leads_out(text)
            }
            _ => false,
        },
        Scalar::Number(text) => key == "trust_remote_code" && text == "1",
        _ => false,
    }
}

/// Whether a local name leads elsewhere: a scheme, a parent folder, a share.
fn leads_out(text: &str) -> bool {
    text.contains("://") || text.starts_with("\\\\") || text.split(['/', '\\']).any(|part| part == "..")
}

/// `module.Class`: identifiers with dots between.
fn is_dotted_name(text: &str) -> bool {
    text.len() <= MAX_TEXT
        && text.contains('.')
        && text.split('.').all(|part| {
            part.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && part.chars().all(|c| c.is_alphanumeric() || c == '_')
        })
}

/// At most [`MAX_TEXT`] bytes of `text`.
fn cut(text: &str) -> String {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}
