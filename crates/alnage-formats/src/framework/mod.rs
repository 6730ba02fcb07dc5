//! Keras, HDF5, TensorFlow and the other frameworks' files.

mod fasttext;
mod flat;
mod graph;
mod hdf5;
mod json;
mod keras;
mod magic;
mod msgpack;
mod paddle_parameters;
mod proto;
mod r;
mod sentencepiece;
mod skops;
mod tensorflow;
mod text;
mod tflite;
mod torch7;
mod xgboost;
mod xml;

#[cfg(test)]
mod mutation;

use serde::Serialize;

use crate::Format;

pub use fasttext::{FastTextContradiction, FastTextFacts, FastTextMatrix};
pub use graph::GraphFacts;
pub use hdf5::{Hdf5Array, Hdf5Facts, Hdf5Reference, Hdf5ReferenceKind, Hdf5Values, hdf5_arrays};
pub use keras::{KerasCode, KerasCodeKind, KerasFacts, KerasField, KerasKind, KerasReference};

pub use msgpack::MsgpackFacts;
pub use r::{RArgument, RCall, RFacts, RFunction, RPromise};
pub use skops::{SkopsFacts, SkopsNode};
pub use tensorflow::{TensorFlowFacts, TensorFlowNode};
pub use tflite::{TfliteFacts, TfliteMismatch};
pub use torch7::Torch7Facts;
pub use xgboost::XgboostFacts;
pub use xml::{XmlFacts, XmlReference};

/// The formats of this family.
pub(crate) static FORMATS: &[&Format] = &[
    &hdf5::FORMAT,
    &keras::FORMAT,
    &skops::FORMAT,
    &tensorflow::FORMAT,
    &tensorflow::TEXT_GRAPH,
    &tensorflow::KERAS_METADATA,
    &tensorflow::FINGERPRINT,
    &tensorflow::CHECKPOINT_INDEX,
    &xgboost::FORMAT,
    &xgboost::UBJSON,
    &xgboost::BINARY,
    &xml::PMML,
    &xml::OPENVINO,
    &xml::XML,
    &msgpack::FORMAT,
    &torch7::FORMAT,
    &tflite::FORMAT,
    &r::FORMAT,
    &graph::CORE_ML,
    &graph::PADDLE,
    &sentencepiece::FORMAT,
    &paddle_parameters::FORMAT,
    &fasttext::FORMAT,
];

/// The formats of this family that are recognised and not read.
pub(crate) static RECOGNISED: &[&Format] = magic::RECOGNISED;

/// Facts of this family, by format.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum FrameworkFacts {
    /// fastText models.
    FastText(FastTextFacts),
    /// Core ML and Paddle.
    Graph(GraphFacts),
    /// HDF5.
    Hdf5(Hdf5Facts),
    /// Keras configuration.
    Keras(KerasFacts),
    /// MessagePack of Flax.
    Msgpack(MsgpackFacts),
    /// Objects and workspaces of R.
    R(RFacts),
    /// Skops schemas.
    Skops(SkopsFacts),
    /// TensorFlow graphs.
    TensorFlow(TensorFlowFacts),
    /// TensorFlow Lite.
    Tflite(TfliteFacts),
    /// Torch7.
    Torch7(Torch7Facts),
    /// XGBoost models.
    Xgboost(XgboostFacts),
    /// XML of every kind.
    Xml(XmlFacts),
}
