//! Keras configuration: JSON objects of `class_name` and `config`, wherever they occur, v3 and legacy alike.

use std::{collections::HashMap, sync::Arc};

use alnage_types::{MemorySource, Source};
use serde::Serialize;

use super::{
    FrameworkFacts,
    json::{self, Document, Value},
    text::{decode_base64, looks_like_base64, short},
};
use crate::{Context, Facts, Format, LoadEffect};

pub(super) static FORMAT: Format = Format {
    id: "keras-config",
    title: "Keras configuration",
    extensions: &[],
    load_effect: LoadEffect::MayExecute,
    reads: "every serialised object: module, class, function, registered name; Lambda code, wrapped PyTorch modules, file and URL fields",
    cannot: "what classes of other packages do when they are built from their configuration",
    identify: |probe| json::mentions(probe, &["class_name", "config"]) && has_object(probe.source),
    parse,
};

/// What a Keras configuration refers to.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KerasFacts {
    /// How many serialised objects there are.
    pub objects: u64,
    /// What they name, each combination once, in order of first appearance; at most [`KerasFacts::MAX_LISTED`].
    pub references: Vec<KerasReference>,
    /// Marshalled Python code, handed on as members.
    pub code: Vec<KerasCode>,
    /// Fields that make a layer read a file, a URL or another model when it is built.
    pub paths: Vec<KerasField>,
}

impl KerasFacts {
    /// Functions of Keras that no layer takes; a field of a layer that names one is a reference to it.
    pub const CALLED_BY_NAME: &[&str] = &["get_file", "enable_unsafe_deserialization"];
    /// How many entries of each list are kept.
    pub const MAX_LISTED: usize = 1024;
}

/// An object or function that loading resolves by name.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KerasReference {
    /// JSON pointer of the first object that names it.
    pub pointer: String,
    /// Byte offset of that object.
    pub offset: u64,
    /// The `module` key; absent in legacy configurations.
    pub module: Option<String>,
    /// The class, or for a function the function's name.
    pub name: String,
    /// How the object is written.
    pub kind: KerasKind,
    /// The `registered_name` key.
    pub registered_name: Option<String>,
    /// How many objects name it.
    pub count: u64,
}

/// How a serialised object is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum KerasKind {
    /// A class, built from its configuration.
    Class,
    /// `"class_name": "function"`: a function, taken by name.
    Function,
    /// `"class_name": "__typespec__"`: a class called with the configuration as arguments.
    TypeSpec,
    /// A TensorFlow function that an operation layer calls: `TFOpLambda`.
    TensorFlowFunction,
}

/// Python code inside a configuration.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KerasCode {
    /// JSON pointer of the text.
    pub pointer: String,
    /// Byte offset of the text.
    pub offset: u64,
    /// How loading takes it.
    pub kind: KerasCodeKind,
    /// The member it is handed on as.
    pub member: String,
    /// Bytes after decoding.
    pub bytes: u64,
}

/// How loading takes code of a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum KerasCodeKind {
    /// Marshalled code of a `Lambda` layer or another `__lambda__` object.
    Lambda,
    /// Marshalled code somewhere else.
    Marshal,
    /// A PyTorch module, which is a pickle, of a `TorchModuleWrapper`.
    TorchModule,
    /// A pickle somewhere else.
    Pickle,
}

/// A field with a file name, a URL or a directory.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KerasField {
    /// JSON pointer of the field.
    pub pointer: String,
    /// Byte offset of the value.
    pub offset: u64,
    /// The class that takes it.
    pub class_name: String,
    /// The field's name.
    pub field: String,
    /// Its value.
    pub value: String,
}

/// Fields that Keras layers and functions open, fetch or load from.
const PATH_FIELDS: &[&str] = &[
    "vocabulary",
    "filepath",
    "origin",
    "path",
    "url",
    "filename",
    "model_path",
    "directory",
    "idf_weights",
    "cache_dir",
];

/// Whether some object has both keys as Keras writes them.
fn has_object(source: &dyn Source) -> bool {
    // The two words may stand in different objects of some other JSON; only a parse tells.
    json::quiet(source).is_none_or(|document| !Objects::of(&document).config.is_empty())
}

/// The serialised objects of a document, found in one pass.
struct Objects {
    /// Index of the `class_name` text, by index of the object.
    class: HashMap<usize, usize>,
    /// Index of the last `config`, `items` or `spec_name` value, by index of an object that has a class.
    config: HashMap<usize, usize>,
}

impl Objects {
    fn of(document: &Document) -> Self {
        let (mut class, mut config) = (HashMap::new(), HashMap::new());
        for (index, node) in document.nodes() {
            let (Some(key), Some(parent)) = (node.key.as_deref(), document.parent(index)) else { continue };
            match key {
                "class_name" if matches!(node.value, Value::Text(_)) => _ = class.insert(parent, index),
                "config" => _ = config.insert(parent, index),
                "items" | "spec_name" => _ = config.entry(parent).or_insert(index),
                _ => {}
            }
        }
        config.retain(|object, _| class.contains_key(object));
        Self { class, config }
    }

    /// The class of an object.
    fn class<'a>(&self, document: &'a Document, object: usize) -> Option<&'a str> {
        document.text(*self.class.get(&object)?)
    }
}

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    let document = Document::read(source, context);
    let mut facts = KerasFacts::default();
    let objects = Objects::of(&document);
    let mut seen = HashMap::new();
    for (index, node) in document.nodes() {
        match &node.value {
            Value::Object => object(&document, &objects, index, &mut seen, &mut facts),
            Value::Text(text) if facts.code.len() < KerasFacts::MAX_LISTED => {
                code(&document, &objects, index, text, &mut facts, context);
            }
            _ => {}
        }
    }
    Facts::Framework(Box::new(FrameworkFacts::Keras(facts)))
}

type Seen = HashMap<(Option<String>, String, KerasKind, Option<String>), usize>;

fn object(document: &Document, objects: &Objects, index: usize, seen: &mut Seen, facts: &mut KerasFacts) {
    let Some(class) = objects.class(document, index) else { return };
    let Some(config) = objects.config.get(&index).copied() else { return };
    facts.objects += 1;
    let text_at = |key| document.text_at(index, key).map(|text| short(text, 256));
    let named = |kind, name: &str| (text_at("module"), short(name, 256), kind, text_at("registered_name"));
    let reference = match class {
        "function" => {
            // Keras takes the name from `config`; older releases from `registered_name`.
            let name = document.text(config).unwrap_or(class);
            named(KerasKind::Function, name)
        }
        "__typespec__" => named(KerasKind::TypeSpec, document.text_at(index, "spec_name").unwrap_or(class)),
        _ => named(KerasKind::Class, class),
    };
    refer(document, index, reference, seen, facts);
    if matches!(class, "TFOpLambda" | "SlicingOpLambda" | "OpLambda" | "TensorFlowOpLayer")
        && let Some(function) = document.text_at(config, "function")
    {
        let name = short(function, 256);
        refer(document, index, (None, name, KerasKind::TensorFlowFunction, None), seen, facts);
    }
    if is_lambda(class) {
        lambda_by_name(document, config, seen, facts);
    }
    called_by_name(document, config, seen, facts);
    for field in document.children(config) {
        path_field(document, field, class, facts);
    }
    // Lambda keeps the arguments of its function one level down.
    if let Some(arguments) = document.get(config, "arguments") {
        document.children(arguments).for_each(|field| path_field(document, field, class, facts));
    }
}

/// The functions that a legacy `Lambda` layer takes by name from a module: `"function": "system", "module": "os"`.
fn lambda_by_name(document: &Document, config: usize, seen: &mut Seen, facts: &mut KerasFacts) {
    let text_at = |key| document.text_at(config, key);
    let module = text_at("module").or_else(|| text_at("fn_module"));
    for (function, module) in
        [("function", module), ("function_name", module), ("output_shape", text_at("output_shape_module"))]
    {
        let module = module.map(|module| short(module, 256));
        if let Some(name) = document.text_at(config, function).filter(|name| is_name(name)) {
            let reference = (module, short(name, 256), KerasKind::Function, None);
            refer(document, config, reference, seen, facts);
        }
    }
}

/// Functions that no layer takes, named by a key of some kind: older loaders and wrappers around them call them.
fn called_by_name(document: &Document, config: usize, seen: &mut Seen, facts: &mut KerasFacts) {
    for field in document.children(config) {
        let name = document.text(field).filter(|name| is_name(name));
        let is_called =
            |name: &&str| KerasFacts::CALLED_BY_NAME.contains(&name.rsplit('.').next().unwrap_or(name));
        if let Some(name) = name.filter(is_called) {
            refer(document, config, (None, short(name, 256), KerasKind::Function, None), seen, facts);
        }
    }
}

/// Whether a class is Keras' `Lambda`, under whatever path: `tf_keras.src.layers.core.lambda_layer.Lambda`.
fn is_lambda(class: &str) -> bool {
    class.rsplit(['.', '>']).next() == Some("Lambda")
}

/// Whether a text is the name of a function, not code.
fn is_name(text: &str) -> bool {
    let word = |word: &str| {
        !word.starts_with(|c: char| c.is_ascii_digit())
            && word.chars().all(|c| c.is_alphanumeric() || c == '_')
            && !word.is_empty()
    };
    text.len() < 256 && text.split('.').all(word)
}

fn refer(
    document: &Document,
    index: usize,
    reference: (Option<String>, String, KerasKind, Option<String>),
    seen: &mut Seen,
    facts: &mut KerasFacts,
) {
    if let Some(&at) = seen.get(&reference) {
        facts.references[at].count += 1;
    } else if facts.references.len() < KerasFacts::MAX_LISTED {
        let (module, name, kind, registered_name) = reference.clone();
        seen.insert(reference, facts.references.len());
        let offset = document.node(index).map_or(0, |node| node.offset);
        let pointer = document.pointer(index);
        facts.references.push(KerasReference {
            pointer,
            offset,
            module,
            name,
            kind,
            registered_name,
            count: 1,
        });
    }
}

fn path_field(document: &Document, field: usize, class: &str, facts: &mut KerasFacts) {
    let (Some(key), Some(value)) = (document.key(field), document.text(field)) else { return };
    let opens_any =
        matches!(class, "TFSMLayer" | "StringLookup" | "IntegerLookup" | "IndexLookup" | "TextVectorization");
    let is_path = PATH_FIELDS.contains(&key) && (opens_any || is_far(value));
    if is_path && !value.is_empty() && facts.paths.len() < KerasFacts::MAX_LISTED {
        facts.paths.push(KerasField {
            pointer: document.pointer(field),
            offset: document.node(field).map_or(0, |node| node.offset),
            class_name: short(class, 128),
            field: key.to_owned(),
            value: short(value, 512),
        });
    }
}

/// Whether a path leads out of the model: a URL, an absolute path, a path with `..`.
fn is_far(value: &str) -> bool {
    value.contains("://")
        || value.starts_with(['/', '\\', '~'])
        || value.split(['/', '\\']).any(|part| part == "..")
}

fn code(
    document: &Document,
    objects: &Objects,
    index: usize,
    text: &str,
    facts: &mut KerasFacts,
    context: &mut Context<'_>,
) {
    let Some(kind) = code_kind(document, objects, index, text) else { return };
    // What is no base64 fails when it is loaded; what it means to run shows as it stands.
    let bytes = if is_base64(text) { decode_base64(text) } else { text.as_bytes().to_vec() };
    if bytes.is_empty() {
        return;
    }
    let member = match kind {
        KerasCodeKind::Lambda | KerasCodeKind::Marshal => format!("@code/{}", facts.code.len()),
        KerasCodeKind::TorchModule | KerasCodeKind::Pickle => format!("@pickle/{}", facts.code.len()),
    };
    facts.code.push(KerasCode {
        pointer: document.pointer(index),
        offset: document.node(index).map_or(0, |node| node.offset),
        kind,
        member: member.clone(),
        bytes: bytes.len() as u64,
    });
    context.member(member, Arc::new(MemorySource::new(bytes)));
}

fn code_kind(document: &Document, objects: &Objects, index: usize, text: &str) -> Option<KerasCodeKind> {
    let holder = document.parent(index)?;
    let holder_class = || objects.class(document, document.parent(holder)?);
    match document.key(index) {
        // v3: {"class_name": "__lambda__", "config": {"code"|"value": TEXT, …}}
        Some("code" | "value") if holder_class() == Some("__lambda__") => return Some(KerasCodeKind::Lambda),
        Some("module") if holder_class() == Some("TorchModuleWrapper") => {
            return Some(KerasCodeKind::TorchModule);
        }
        Some(field) if is_lambda_field(field) && holder_class().is_some_and(is_lambda) && !is_name(text) => {
            return Some(KerasCodeKind::Lambda);
        }
        // Legacy: `"function": [CODE, DEFAULTS, CLOSURE]`.
        None if document.key(holder).is_some_and(is_lambda_field) => {
            let first = document.children(holder).next() == Some(index);
            let config = document.parent(holder)?;
            if first && objects.class(document, document.parent(config)?).is_some_and(is_lambda) {
                return Some(KerasCodeKind::Lambda);
            }
        }
        _ => {}
    }
    if !looks_like_base64(text) {
        return None;
    }
    let prefix: String = text.chars().filter(|c| !c.is_whitespace()).take(32).collect();
    match decode_base64(&prefix).as_slice() {
        // marshal: TYPE_CODE, with or without the reference flag, then a small argument count.
        [0xe3 | 0x63, count, 0, 0, 0, ..] if *count < 128 => Some(if in_lambda(document, objects, index) {
            KerasCodeKind::Lambda
        } else {
            KerasCodeKind::Marshal
        }),
        [0x80, 2..=5, ..] => Some(KerasCodeKind::Pickle),
        // A zip: what `torch.save` writes.
        [b'P', b'K', 3, 4, ..] => Some(KerasCodeKind::Pickle),
        _ => None,
    }
}

/// Fields of a `Lambda` layer that hold functions.
fn is_lambda_field(field: &str) -> bool {
    matches!(field, "function" | "output_shape" | "mask")
}

fn is_base64(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=-_ \r\n".contains(&byte))
}

/// Whether the node lies in the configuration of a `Lambda` layer.
fn in_lambda(document: &Document, objects: &Objects, index: usize) -> bool {
    std::iter::successors(document.parent(index), |&at| document.parent(at))
        .take(6)
        .any(|at| objects.class(document, at).is_some_and(is_lambda))
}

#[cfg(test)]
mod tests;
