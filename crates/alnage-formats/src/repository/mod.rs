//! What stands beside weights in a model repository: configuration, templates, code, documents.

pub mod card;
pub mod config;
mod document;
mod entry;
pub mod executable;
pub mod jinja;
pub mod licence;
pub mod lines;
pub mod notebook;
pub mod python;

#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::Format;

pub use entry::Entry;

/// The formats of this family.
pub(crate) static FORMATS: &[&Format] = &[
    &config::JSON,
    &config::YAML,
    &jinja::JINJA,
    &python::PYTHON,
    &python::BYTECODE,
    &notebook::NOTEBOOK,
    &card::MARKDOWN,
    &licence::LICENCE,
    &lines::SHELL,
    &lines::REQUIREMENTS,
    &lines::LOCK,
    &lines::PATH_FILE,
    &lines::POINTER,
    &executable::ELF,
    &executable::PE,
    &executable::MACH_O,
    &executable::JAVA_CLASS,
    &executable::WASM,
];

/// Facts of this family.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum RepositoryFacts {
    /// A configuration document.
    Config(Box<config::ConfigFacts>),
    /// A Jinja template.
    Template(jinja::TemplateFacts),
    /// Python source.
    Python(python::PythonFacts),
    /// Compiled Python.
    Bytecode(python::BytecodeFacts),
    /// A notebook.
    Notebook(notebook::NotebookFacts),
    /// A model card.
    Card(card::CardFacts),
    /// A script, requirements, a path file or a pointer.
    Lines(lines::LinesFacts),
    /// The text of a licence.
    Licence(licence::LicenceFacts),
    /// A program or native library.
    Executable(executable::ExecutableFacts),
}
