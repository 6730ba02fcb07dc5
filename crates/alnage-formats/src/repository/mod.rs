//! What stands beside weights in a model repository: configuration, templates, code, documents.

use schemars::JsonSchema;
use serde::Serialize;

use crate::Format;

/// The formats of this family.
pub(crate) static FORMATS: &[&Format] = &[];

/// Facts of this family.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RepositoryFacts {}
