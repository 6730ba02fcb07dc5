//! Keras, HDF5, TensorFlow and the other frameworks' files.

mod hdf5;
mod json;
mod keras;
mod text;

#[cfg(test)]
mod mutation;

use schemars::JsonSchema;
use serde::Serialize;

use crate::Format;

pub use hdf5::{Hdf5Facts, Hdf5Reference, Hdf5ReferenceKind};
pub use keras::{KerasCode, KerasCodeKind, KerasFacts, KerasField, KerasKind, KerasReference};

/// The formats of this family.
pub(crate) static FORMATS: &[&Format] = &[&hdf5::FORMAT, &keras::FORMAT];

/// Facts of this family, by format.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum FrameworkFacts {
    /// HDF5.
    Hdf5(Hdf5Facts),
    /// Keras configuration.
    Keras(KerasFacts),
}
