//! TensorFlow graphs: SavedModel, MetaGraph, frozen GraphDef, in protobuf and in protobuf text.

mod checkpoint;
mod keras_metadata;
mod text_format;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use alnage_types::{Reader, Source};
use serde::Serialize;

use super::{
    FrameworkFacts,
    proto::{Allowed::*, Shape},
    text::short,
};
use crate::{
    Context, Facts, Format, LoadEffect,
    wire::{Field, Message},
};

pub(super) use checkpoint::FORMAT as CHECKPOINT_INDEX;
pub(super) use keras_metadata::{FINGERPRINT, FORMAT as KERAS_METADATA};
pub(super) use text_format::FORMAT as TEXT_GRAPH;

pub(super) static FORMAT: Format = Format {
    id: "tensorflow-graph",
    title: "TensorFlow graph",
    extensions: &["pb"],
    load_effect: LoadEffect::MayExecute,
    reads: "every operation of the graph and its function library, constant paths, assets, Keras metadata",
    cannot: "what the native code of custom operations does",
    identify: |probe| kind(probe.source).is_some(),
    parse,
};

/// What a TensorFlow graph does.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TensorFlowFacts {
    /// `saved_model`, `meta_graph`, `graph` or `text`.
    pub kind: &'static str,
    /// Version of TensorFlow that wrote it.
    pub tensorflow_version: Option<String>,
    /// Tags of the meta graphs: `serve`.
    pub tags: Vec<String>,
    /// How many nodes there are, functions included.
    pub nodes: u64,
    /// How many functions the library has.
    pub functions: u64,
    /// How many nodes each operation has; at most [`TensorFlowFacts::MAX_OPERATIONS`] operations.
    pub operations: BTreeMap<String, u64>,
    /// Nodes that reach out of the graph, at most [`TensorFlowFacts::MAX_NODES`].
    pub effects: Vec<TensorFlowNode>,
    /// Files that belong to the model.
    pub assets: Vec<String>,
}

impl TensorFlowFacts {
    /// How many operations are counted by name.
    pub const MAX_OPERATIONS: usize = 4096;
    /// How many nodes are kept.
    pub const MAX_NODES: usize = 1024;
}

/// A node whose operation reaches out of the graph.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TensorFlowNode {
    /// Its name.
    pub name: String,
    /// Its operation.
    pub operation: String,
    /// Text constants among its inputs and attributes.
    pub arguments: Vec<String>,
    /// Byte offset of the node.
    pub offset: u64,
}

/// Operations whose nodes are kept: they touch files, network, Python or the machine. The rules weigh them.
const EFFECTS: &[&str] = &[
    "ReadFile",
    "WriteFile",
    "MatchingFiles",
    "PyFunc",
    "PyFuncStateless",
    "EagerPyFunc",
    "ImmutableConst",
    "PrintV2",
    "InitializeTableFromTextFile",
    "InitializeTableFromTextFileV2",
    "TFRecordDataset",
    "TFRecordDatasetV2",
    "TextLineDataset",
    "FixedLengthRecordDataset",
    "FixedLengthRecordDatasetV2",
    "CSVDataset",
    "CSVDatasetV2",
    "ExperimentalCSVDataset",
    "SqlDataset",
    "ExperimentalSqlDataset",
    "LMDBDataset",
    "ExperimentalLMDBDataset",
    "LoadDataset",
    "SaveDataset",
    "SaveDatasetV2",
    "SnapshotDataset",
    "SnapshotDatasetV2",
    "SnapshotDatasetReader",
    "MatchingFilesDataset",
    "ExperimentalMatchingFilesDataset",
    "DatasetToTFRecord",
    "ExperimentalDatasetToTFRecord",
    "WholeFileReader",
    "WholeFileReaderV2",
    "TextLineReader",
    "TextLineReaderV2",
    "TFRecordReader",
    "TFRecordReaderV2",
    "FixedLengthRecordReader",
    "FixedLengthRecordReaderV2",
    "LMDBReader",
    "DataServiceDataset",
    "DataServiceDatasetV2",
    "DataServiceDatasetV3",
    "DataServiceDatasetV4",
    "RegisterDataset",
    "RegisterDatasetV2",
    "RpcClient",
    "RpcCall",
    "RpcServer",
    "RemoteFusedGraphExecute",
    "LoadAndRemapMatrix",
    "GenerateVocabRemapping",
    "CreateSummaryFileWriter",
    "CreateSummaryDbWriter",
    "FileSystemSetConfiguration",
    "ConfigureDistributedTPU",
    "DebugIdentity",
    "DebugIdentityV2",
    "DebugIdentityV3",
    "KafkaDataset",
    "GRPCDataset",
    "AvroDataset",
    "BigtableClient",
    "LoadLibrary",
    "DynamicLibrary",
    "CustomPyFunc",
];

/// What kind of message the bytes are.
fn kind(source: &dyn Source) -> Option<&'static str> {
    const LOOK: usize = 4096;
    let saved_model = Shape::whole(source, LOOK, &[Number(1..=1), Bytes(2..=2)]);
    if saved_model.is_some_and(|top| top.bytes(2).any(|range| is_meta_graph(source, range))) {
        Some("saved_model")
    } else if is_meta_graph(source, 0..source.len()) {
        Some("meta_graph")
    } else if is_graph(source, 0..source.len()) {
        Some("graph")
    } else {
        None
    }
}

fn is_meta_graph(source: &dyn Source, range: std::ops::Range<u64>) -> bool {
    let Some(shape) = Shape::of(source, range, 4096, &[Bytes(1..=7)]) else { return false };
    shape.bytes(2).next().is_some_and(|graph| is_graph(source, graph))
}

fn is_graph(source: &dyn Source, range: std::ops::Range<u64>) -> bool {
    let allowed = [Bytes(1..=2), Number(3..=3), Bytes(4..=5)];
    let Some(shape) = Shape::of(source, range, 256, &allowed) else { return false };
    let node = |node| {
        Shape::of(source, node, 256, &[Bytes(1..=7)]).is_some_and(|node| {
            node.name(source, 1).is_some() && node.name(source, 2).is_some_and(|name| is_operation(&name))
        })
    };
    shape.bytes(1).next().map_or_else(|| shape.has(2) && shape.has(4), node)
}

/// An operation's name starts with a capital letter or an underscore: `MatMul`, `_Retval`, `Addons>Gelu`; calls of
/// library functions may bear any identifier.
fn is_operation(name: &str) -> bool {
    name.len() > 1
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'>' | b'.' | b'-' | b'/'))
}

/// A message still to be walked.
enum Level {
    SavedModel,
    MetaGraph,
    MetaInfo,
    Graph { scope: u64 },
    Library,
    Function { scope: u64 },
    Asset,
    ObjectGraph,
    Object,
    UserObject,
}

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    let mut facts =
        TensorFlowFacts { kind: kind(source.as_ref()).unwrap_or("graph"), ..TensorFlowFacts::default() };
    let mut walk = Walk {
        reader: Reader::new(source.as_ref()),
        constants: HashMap::new(),
        inputs: Vec::new(),
        scopes: 0,
        metadata: Vec::new(),
    };
    let level = match facts.kind {
        "saved_model" => Level::SavedModel,
        "meta_graph" => Level::MetaGraph,
        _ => Level::Graph { scope: 0 },
    };
    let mut stack = vec![(Message::new(0..source.len()), level)];
    while let Some((message, level)) = stack.last_mut() {
        match message.next(&mut walk.reader, context.meter()) {
            Ok(Some(field)) => {
                let next = walk.field(level, &field, &mut facts, context);
                stack.extend(next);
            }
            Ok(None) => _ = stack.pop(),
            Err(end) => {
                end.report(context, "a TensorFlow graph");
                stack.pop();
            }
        }
    }
    walk.resolve(&mut facts);
    keras_metadata::hand_on(walk.metadata, context);
    context.claim(0..source.len());
    Facts::Framework(Box::new(FrameworkFacts::TensorFlow(facts)))
}

struct Walk<'a> {
    reader: Reader<'a>,
    /// Text constants by scope and node name.
    constants: HashMap<(u64, String), String>,
    /// Scope and inputs of the kept nodes.
    inputs: Vec<(u64, Vec<String>)>,
    scopes: u64,
    metadata: Vec<String>,
}

impl Walk<'_> {
    fn field(
        &mut self,
        level: &Level,
        field: &Field,
        facts: &mut TensorFlowFacts,
        context: &mut Context<'_>,
    ) -> Option<(Message, Level)> {
        let inner = |level| Some((field.message()?, level));
        match (level, field.number) {
            (Level::SavedModel, 2) => inner(Level::MetaGraph),
            (Level::MetaGraph, 1) => inner(Level::MetaInfo),
            (Level::MetaGraph, 2) => {
                self.scopes += 1;
                inner(Level::Graph { scope: self.scopes })
            }
            (Level::MetaGraph, 6) => inner(Level::Asset),
            (Level::MetaGraph, 7) => inner(Level::ObjectGraph),
            (Level::Graph { .. }, 2) => inner(Level::Library),
            (Level::Library, 1) => {
                facts.functions += 1;
                self.scopes += 1;
                inner(Level::Function { scope: self.scopes })
            }
            (Level::ObjectGraph, 1) => inner(Level::Object),
            (Level::Object, 4) => inner(Level::UserObject),
            (Level::Graph { scope }, 1) | (Level::Function { scope }, 3) => {
                self.node(*scope, field, field.message()?, facts, context);
                None
            }
            (Level::MetaInfo, 4) => {
                let tag = field.text(&mut self.reader, 256)?;
                if facts.tags.len() < 64 {
                    facts.tags.push(tag);
                }
                None
            }
            (Level::MetaInfo, 5) => {
                facts.tensorflow_version = field.text(&mut self.reader, 64);
                None
            }
            (Level::Asset, 2) => {
                let asset = field.text(&mut self.reader, 1024)?;
                if facts.assets.len() < 1024 {
                    facts.assets.push(asset);
                }
                None
            }
            (Level::UserObject, 3) => {
                self.metadata.extend(field.text(&mut self.reader, keras_metadata::MAX_METADATA));
                None
            }
            _ => None,
        }
    }

    fn node(
        &mut self,
        scope: u64,
        at: &Field,
        message: Message,
        facts: &mut TensorFlowFacts,
        context: &mut Context<'_>,
    ) {
        let (mut name, mut operation, mut inputs, mut attributes) =
            (String::new(), String::new(), Vec::new(), Vec::new());
        super::proto::each_field(
            &mut self.reader,
            context,
            message,
            "a TensorFlow node",
            |field, reader, _| match field.number {
                1 => name = field.text(reader, 512).unwrap_or_default(),
                2 => operation = field.text(reader, 256).unwrap_or_default(),
                3 if inputs.len() < 64 => inputs.extend(field.text(reader, 512)),
                5 if attributes.len() < 256 => attributes.extend(field.message()),
                _ => {}
            },
        );
        facts.nodes += 1;
        let operation = short(&operation, 128);
        if facts.operations.len() < TensorFlowFacts::MAX_OPERATIONS
            || facts.operations.contains_key(&operation)
        {
            *facts.operations.entry(operation.clone()).or_insert(0) += 1;
        }
        let is_effect = EFFECTS.contains(&operation.as_str()) || operation.starts_with("IO>");
        if !is_effect && operation != "Const" {
            return;
        }
        let mut texts = Vec::new();
        for attribute in attributes {
            self.attribute(attribute, &mut texts, context);
        }
        if operation == "Const" {
            if let (Some(text), true) = (texts.into_iter().next(), self.constants.len() < 100_000) {
                self.constants.insert((scope, name), text);
            }
        } else if facts.effects.len() < TensorFlowFacts::MAX_NODES {
            self.inputs.push((scope, inputs));
            facts.effects.push(TensorFlowNode {
                name: short(&name, 256),
                operation,
                arguments: texts,
                offset: at.start,
            });
        }
    }

    /// Keeps the texts of an attribute: `s`, and `string_val` of `tensor`.
    fn attribute(&mut self, entry: Message, texts: &mut Vec<String>, context: &mut Context<'_>) {
        let mut value = None;
        let mut key = String::new();
        super::proto::each_field(&mut self.reader, context, entry, "an attribute", |field, reader, _| {
            match field.number {
                1 => key = field.text(reader, 128).unwrap_or_default(),
                2 => value = field.message(),
                _ => {}
            }
        });
        // Names that every node has and that say nothing about effects.
        if matches!(key.as_str(), "container" | "shared_name" | "_output_shapes" | "dtype" | "T") {
            return;
        }
        let (Some(value), mut tensor) = (value, None) else { return };
        let mut found = Vec::new();
        super::proto::each_field(&mut self.reader, context, value, "an attribute", |field, reader, _| {
            match field.number {
                2 => found.extend(field.text(reader, 512)),
                8 => tensor = field.message(),
                _ => {}
            }
        });
        if let Some(tensor) = tensor {
            super::proto::each_field(&mut self.reader, context, tensor, "a tensor", |field, reader, _| {
                if field.number == 8 && found.len() < 16 {
                    found.extend(field.text(reader, 512));
                }
            });
        }
        texts.extend(found.into_iter().filter(|text| !text.is_empty()).take(16));
    }

    /// Puts the constants that feed a kept node among its arguments.
    fn resolve(&mut self, facts: &mut TensorFlowFacts) {
        for (node, (scope, inputs)) in facts.effects.iter_mut().zip(&self.inputs) {
            for input in inputs {
                // `name:output:0` in functions, `name:0` and `^name` in graphs.
                let name = input.trim_start_matches('^').split(':').next().unwrap_or_default();
                node.arguments.extend(self.constants.get(&(*scope, name.to_owned())).cloned());
            }
        }
    }
}

#[cfg(test)]
mod tests;
