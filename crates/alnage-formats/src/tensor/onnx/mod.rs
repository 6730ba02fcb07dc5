//! ONNX: a graph of operators as one protobuf message, and the OrtM form of it.

mod identify;
mod strings;
mod tensor;
mod walk;

use std::{collections::BTreeMap, sync::Arc};

use alnage_types::Source;
use serde::Serialize;

use super::{Carried, ElementTotals, LayoutFault, MetadataEntry, TensorFacts};
use crate::{Context, Facts, Format, LoadEffect};

/// The row.
pub(crate) static FORMAT: Format = Format {
    id: "onnx",
    title: "ONNX",
    extensions: &["onnx"],
    load_effect: LoadEffect::MayExecute,
    reads: "Every operator and domain, in subgraphs and functions too; every tensor's arithmetic and external file; \
            strings of attributes, tensors and metadata.",
    cannot: "What a custom operator's library does, and whether the graph was trained or rewired to misbehave.",
    identify: identify::identify,
    parse,
};

/// What an ONNX model says about itself.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OnnxFacts {
    /// Version of the representation.
    pub ir_version: u64,
    /// The tool that wrote it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub producer_name: String,
    /// That tool's version.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub producer_version: String,
    /// The model's own name space.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub domain: String,
    /// The graph's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub graph_name: String,
    /// The operator sets it asks for.
    pub opsets: Vec<Opset>,
    /// `metadata_props`, shortened.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metadata: Vec<MetadataEntry>,
    /// How many nodes, those of subgraphs and functions included.
    pub nodes: u64,
    /// How many graphs stand inside attributes and training information.
    pub subgraphs: u64,
    /// The functions the model brings along.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<OperatorName>,
    /// How often each operator is used; the first ones by name.
    pub operators: Vec<OperatorUse>,
    /// Whether it holds a training graph.
    pub training: bool,
    /// How many tensors it holds.
    pub tensors: u64,
    /// How many elements in all tensors.
    pub parameters: u64,
    /// Totals by element type.
    pub dtypes: BTreeMap<String, ElementTotals>,
    /// How many tensors lie in other files.
    pub external_tensors: u64,
    /// The files that tensors lie in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub external_files: Vec<String>,
    /// Tensors whose bytes do not fit their shape.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tensor_faults: Vec<LayoutFault>,
    /// Metadata and tensors that carry something else.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub carried: Vec<Carried>,
    /// Attributes that carry something else.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub carried_by_nodes: Vec<NodeCarried>,
    /// What the graph takes; trained values among them in files of old versions.
    #[serde(skip)]
    pub inputs: Vec<GraphValue>,
    /// What the graph gives.
    #[serde(skip)]
    pub outputs: Vec<GraphValue>,
    /// Every operator.
    #[serde(skip)]
    pub all_operators: Arc<[OperatorUse]>,
    /// Every external tensor.
    #[serde(skip)]
    pub external: Arc<[ExternalTensor]>,
}

/// An input or output of the graph.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GraphValue {
    /// Its name.
    pub name: String,
    /// Its element type; empty for what is no tensor.
    pub element: &'static str,
    /// Its dimensions: numbers, or names of what varies.
    pub shape: Vec<String>,
    /// Where it is declared.
    pub span: (u64, u64),
}

/// An operator set and its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Opset {
    /// Its name space; empty for ONNX itself.
    pub domain: String,
    /// Its version.
    pub version: u64,
}

/// The name of an operator or function.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OperatorName {
    /// Its name space; empty for ONNX itself.
    pub domain: String,
    /// Its name.
    pub name: String,
}

/// How an operator is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OperatorUse {
    /// Which operator.
    #[serde(flatten)]
    pub operator: OperatorName,
    /// How many nodes use it.
    pub count: u64,
    /// Offset of the first such node.
    pub offset: u64,
    /// Whether a function of the model itself defines it.
    pub defined_in_model: bool,
}

/// An attribute that carries something, and the operator it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NodeCarried {
    /// The operator.
    pub operator: OperatorName,
    /// What its attribute carries.
    pub carried: Carried,
}

/// A tensor whose bytes lie in another file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExternalTensor {
    /// Its name.
    pub tensor: String,
    /// The file, relative to the model's folder if all is well.
    pub location: String,
    /// First byte in that file.
    pub offset: Option<String>,
    /// How many bytes of that file.
    pub length: Option<String>,
    /// Keys of the reference that no writer writes.
    pub unknown_keys: Vec<String>,
    /// Bytes its shape and type need.
    pub needed: Option<u64>,
    /// Where the tensor is declared.
    pub span: (u64, u64),
}

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    Facts::Tensor(Box::new(TensorFacts::Onnx(Box::new(walk::walk(source, context)))))
}

#[cfg(test)]
mod tests;
