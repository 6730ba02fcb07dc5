//! What a configuration document says.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::repository::Entry;

/// Facts of a JSON or YAML document, whatever it configures.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConfigFacts {
    /// What loaders take a document of this name for.
    pub role: ConfigRole,
    /// How many documents the file holds; more than one in JSON lines and YAML streams.
    #[serde(skip_serializing_if = "is_one")]
    pub documents: u64,
    /// Class names of the model (`architectures`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub architectures: Vec<String>,
    /// The model family (`model_type`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_type: Option<String>,
    /// Element type of the weights (`torch_dtype`, `dtype`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub torch_dtype: Option<String>,
    /// The transformers or diffusers release that wrote the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transformers_version: Option<String>,
    /// Where the configuration was loaded from (`_name_or_path`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_or_path: Option<String>,
    /// The model an adapter belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_model_name_or_path: Option<String>,
    /// The kind of adapter (`LORA`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peft_type: Option<String>,
    /// The task of an adapter (`CAUSAL_LM`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_type: Option<String>,
    /// The tokenizer's class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokenizer_class: Option<String>,
    /// The processor's class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processor_class: Option<String>,
    /// The pipeline's class (`_class_name` of diffusers).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pipeline_class: Option<String>,
    /// The quantisation method (`gptq`, `bitsandbytes`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantization_method: Option<String>,
    /// Bits a weight after quantisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantization_bits: Option<u64>,
    /// Sizes by their common name: `vocab_size`, `hidden_size`, `num_hidden_layers`, `num_attention_heads`,
    /// `num_key_value_heads`, `intermediate_size`, `max_position_embeddings`, `num_experts`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub sizes: BTreeMap<&'static str, u64>,
    /// Classes that transformers imports from Python files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub auto_map: Vec<AutoMapEntry>,
    /// Objects that a loader makes by the dotted name written here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub instantiations: Vec<Instantiation>,
    /// Settings that change what is trusted, fetched or opened.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<Setting>,
    /// Parts of a pipeline by module and class (`model_index.json`, `modules.json`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<Component>,
    /// YAML tags that make Python objects (`!!python/object/apply:os.system`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub python_tags: Vec<PythonTag>,
    /// Keys that an object has twice, as JSON pointers: readers differ in which value they take.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub duplicate_keys: Vec<String>,
    /// The first values of the document, each with its place: bills of materials say where a fact stands.
    #[serde(skip)]
    pub entries: Vec<Entry>,
    /// The shard index, if this is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shards: Option<ShardIndex>,
}

fn is_one(count: &u64) -> bool {
    *count <= 1
}

/// What loaders take a document for, by its name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ConfigRole {
    /// `config.json`.
    Model,
    /// `tokenizer_config.json`.
    Tokenizer,
    /// `preprocessor_config.json`, `processor_config.json` and the like.
    Processor,
    /// `generation_config.json`.
    Generation,
    /// `adapter_config.json`.
    Adapter,
    /// `model_index.json` of diffusers.
    Pipeline,
    /// `*.index.json`: which tensor lies in which shard.
    ShardIndex,
    /// `modules.json` of sentence-transformers.
    Modules,
    /// `chat_template.json`.
    ChatTemplate,
    /// `tokenizer.json`.
    FastTokenizer,
    /// Any other document.
    #[default]
    Other,
}

impl ConfigRole {
    /// The role a loader gives to a file of this name.
    pub fn of(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "config.json" => Self::Model,
            "tokenizer_config.json" => Self::Tokenizer,
            "preprocessor_config.json"
            | "processor_config.json"
            | "image_processor_config.json"
            | "video_preprocessor_config.json"
            | "feature_extractor_config.json" => Self::Processor,
            "generation_config.json" => Self::Generation,
            "adapter_config.json" => Self::Adapter,
            "model_index.json" => Self::Pipeline,
            "modules.json" => Self::Modules,
            "chat_template.json" => Self::ChatTemplate,
            "tokenizer.json" => Self::FastTokenizer,
            name if name.ends_with(".index.json") => Self::ShardIndex,
            _ => Self::Other,
        }
    }
}

/// A class that transformers imports from a Python file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AutoMapEntry {
    /// The automatic class (`AutoModelForCausalLM`).
    pub auto_class: String,
    /// As written: `modeling_x.XModel`, or `owner/repository--modeling_x.XModel`.
    pub target: String,
    /// The other repository the code comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// The Python module, a file of the repository without `.py`.
    pub module: String,
}

/// An object that a loader makes by its dotted name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Instantiation {
    /// Where, as a JSON pointer.
    pub pointer: String,
    /// The key that asks for it: `_target_`.
    pub key: String,
    /// The dotted name.
    pub target: String,
    /// Scalars given along, as `key=value`; the first few.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// Byte offset of the name.
    pub offset: u64,
}

/// A setting worth judging.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Setting {
    /// Where, as a JSON pointer.
    pub pointer: String,
    /// The last key of the pointer.
    pub key: String,
    /// Its value.
    pub value: String,
    /// Byte offset of the value.
    pub offset: u64,
}

/// A part of a pipeline that a loader imports by module and class.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Component {
    /// Its name in the pipeline.
    pub name: String,
    /// The module, or with `modules.json` the whole dotted class.
    pub module: String,
    /// The class.
    pub class: String,
}

/// A YAML tag that makes a Python object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PythonTag {
    /// Where, as a JSON pointer.
    pub pointer: String,
    /// The tag without its prefix: `object/apply:os.system`.
    pub tag: String,
    /// The first scalars it is applied to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// Byte offset of the node.
    pub offset: u64,
}

/// Which tensor lies in which file.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ShardIndex {
    /// The files, as written, each once.
    pub files: Vec<String>,
    /// How many tensors are listed.
    pub tensors: u64,
    /// Bytes of all tensors, as the index claims.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_size: Option<u64>,
    /// Each tensor's name and the index of its file in `files`; the first hundreds of thousands.
    #[serde(skip)]
    pub weight_map: Vec<(String, u32)>,
}
