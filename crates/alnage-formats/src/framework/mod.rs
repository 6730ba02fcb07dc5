//! Keras, HDF5, TensorFlow and the other frameworks' files.

mod hdf5;
mod json;
mod keras;
mod proto;
mod tensorflow;
mod text;

#[cfg(test)]
mod mutation;

use schemars::JsonSchema;
use serde::Serialize;

use crate::Format;

pub use hdf5::{Hdf5Facts, Hdf5Reference, Hdf5ReferenceKind};
pub use keras::{KerasCode, KerasCodeKind, KerasFacts, KerasField, KerasKind, KerasReference};

pub use tensorflow::{TensorFlowFacts, TensorFlowNode};

/// The formats of this family.
pub(crate) static FORMATS: &[&Format] = &[
    &hdf5::FORMAT,
    &keras::FORMAT,
    &tensorflow::FORMAT,
    &tensorflow::TEXT_GRAPH,
    &tensorflow::KERAS_METADATA,
    &tensorflow::FINGERPRINT,
    &tensorflow::CHECKPOINT_INDEX,
];

/// Facts of this family, by format.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum FrameworkFacts {
    /// HDF5.
    Hdf5(Hdf5Facts),
    /// Keras configuration.
    Keras(KerasFacts),
    /// TensorFlow graphs.
    TensorFlow(TensorFlowFacts),
}
