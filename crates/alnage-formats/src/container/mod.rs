//! Archives, compressed streams, and the PyTorch and NumPy files built on them.

use schemars::JsonSchema;
use serde::Serialize;

use crate::Format;

/// The formats of this family.
pub(crate) static FORMATS: &[&Format] = &[];

/// Facts of this family.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ContainerFacts {}
