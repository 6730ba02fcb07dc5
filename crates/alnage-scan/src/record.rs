//! The record of a run: the public contract, `alnage.record/1`.

use std::borrow::Cow;

use alnage_formats::{Artifact, TreeEntry};
use alnage_types::{Finding, Issue, Manifest, Verdict};
use serde::Serialize;

use crate::Suppressed;

/// The contract's name and version; a change that could break a reader gets a new number.
pub const SCHEMA: &str = "alnage.record/1";

/// The record of one `alnage vet`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Record {
    /// Always [`SCHEMA`].
    pub schema: &'static str,
    /// The gravest verdict of all models.
    pub verdict: Verdict,
    /// One a model.
    pub models: Vec<ModelRecord>,
    /// What the run did.
    pub stats: Stats,
}

/// What is known about one model.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ModelRecord {
    /// As the user named it.
    pub path: String,
    /// The answer about it.
    pub verdict: Verdict,
    /// Its files.
    pub manifest: Manifest,
    /// Links, special files and executables of the tree; ordinary files stand in the manifest alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tree: Vec<TreeEntry>,
    /// Every reading of every file and nested member.
    pub artifacts: Vec<Artifact>,
    /// Heaviest first.
    pub findings: Vec<Finding>,
    /// Findings that the configuration lets pass, with reason and expiry; they decide nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suppressed: Vec<Suppressed>,
    /// What was not understood.
    pub issues: Vec<Issue>,
    /// The codes of the findings that decided.
    pub decided_by: Vec<Cow<'static, str>>,
}

/// What a run did.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Stats {
    /// Models vetted.
    pub models: u64,
    /// Files read.
    pub files: u64,
    /// Artifacts analysed, nested ones included.
    pub artifacts: u64,
    /// Bytes of the files.
    pub bytes: u64,
    /// Files not read because they are git's own (`.git/objects` and the like).
    pub excluded: u64,
}

/// The JSON Schema of [`Record`].
#[cfg(feature = "schema")]
pub fn record_schema() -> serde_json::Value {
    // The contract of what is written: a field that may be left out is not required.
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<Record>().to_value()
}
