//! What a parser learned about an artifact.

use alnage_types::{ArtifactPath, Span};
use serde::Serialize;

use crate::{container, framework, pickle, repository, tensor};

/// One reading of one artifact. Bytes that several loaders would read differently give several artifacts with
/// the same path.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Artifact {
    /// Where it is.
    pub path: ArtifactPath,
    /// The format's id, `empty`, `text` or `unrecognised`.
    pub format: &'static str,
    /// In bytes.
    pub size: u64,
    /// What was learned.
    pub facts: Facts,
    /// Bytes that no reading of this artifact accounted for, at most [`Artifact::MAX_UNCLAIMED`] ranges. Listed
    /// with the first reading only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unclaimed: Vec<Span>,
}

impl Artifact {
    /// How many unclaimed ranges are kept.
    pub const MAX_UNCLAIMED: usize = 64;
}

/// Facts by family of formats; each family defines its own.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Facts {
    /// Pickle and what is pickle inside.
    Pickle(Box<pickle::PickleFacts>),
    /// Archives, compressed streams, PyTorch and NumPy containers.
    Container(Box<container::ContainerFacts>),
    /// Safetensors, GGUF, ONNX.
    Tensor(Box<tensor::TensorFacts>),
    /// Keras, HDF5, TensorFlow and the other frameworks.
    Framework(Box<framework::FrameworkFacts>),
    /// Configuration, templates, code and documents of a model repository.
    Repository(Box<repository::RepositoryFacts>),
    /// Nothing beyond what the format's name says.
    None {},
}
