//! What stands beside weights in a model repository: configuration, templates, code, documents.

pub mod config;
mod document;
pub mod jinja;
pub mod python;

#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::Serialize;

use crate::Format;

/// The formats of this family.
pub(crate) static FORMATS: &[&Format] = &[&config::JSON, &config::YAML, &jinja::JINJA, &python::PYTHON];

/// Facts of this family.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum RepositoryFacts {
    /// A configuration document.
    Config(config::ConfigFacts),
    /// A Jinja template.
    Template(jinja::TemplateFacts),
    /// Python source.
    Python(python::PythonFacts),
}
