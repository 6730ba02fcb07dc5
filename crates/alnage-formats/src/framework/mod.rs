//! Keras, HDF5, TensorFlow and the other frameworks' files.

mod json;
mod keras;
mod text;

use schemars::JsonSchema;
use serde::Serialize;

use crate::Format;

pub use keras::{KerasCode, KerasCodeKind, KerasFacts, KerasField, KerasKind, KerasReference};

/// The formats of this family.
pub(crate) static FORMATS: &[&Format] = &[&keras::FORMAT];

/// Facts of this family, by format.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum FrameworkFacts {
    /// Keras configuration.
    Keras(KerasFacts),
}
