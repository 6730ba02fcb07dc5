//! Tensor files and graphs: safetensors, GGUF and its forerunners, ONNX.

pub(crate) mod embedded;
mod layout;
mod summary;

pub mod ggml;
pub mod gguf;
pub mod onnx;
mod ort;
pub mod safetensors;

pub use embedded::{Carried, CarriedKind};
pub use layout::{LayoutFault, LayoutFaultKind};
pub use summary::{ElementTotals, MetadataEntry, TensorSummary};

use serde::Serialize;

use crate::Format;

/// The formats of this family.
pub(crate) static FORMATS: &[&Format] =
    &[&safetensors::FORMAT, &gguf::FORMAT, &ggml::FORMAT, &onnx::FORMAT, &ort::FORMAT];

/// Facts of this family; which one is told by the artifact's format.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum TensorFacts {
    /// `safetensors`.
    Safetensors(Box<safetensors::SafetensorsFacts>),
    /// `gguf`.
    Gguf(Box<gguf::GgufFacts>),
    /// `onnx`.
    Onnx(Box<onnx::OnnxFacts>),
    /// `ggml`.
    Ggml(ggml::GgmlFacts),
}

impl TensorFacts {
    /// The names of all tensors, for comparing with a shard index; not every format's are kept.
    pub fn tensor_names(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        match self {
            Self::Safetensors(facts) => Box::new(facts.all.iter().map(|tensor| tensor.name.as_str())),
            Self::Gguf(facts) => Box::new(facts.names.iter().map(String::as_str)),
            Self::Ggml(_) | Self::Onnx(_) => Box::new(std::iter::empty()),
        }
    }
}
