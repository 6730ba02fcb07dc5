//! A whole model as the rules see it: its tree and everything learned about each file.

use alnage_types::{ArtifactPath, Issue};
use serde::Serialize;

use crate::Artifact;

/// Everything known about a model before it is judged.
#[derive(Debug, Default)]
pub struct Model {
    /// Every entry of the tree, sorted by path.
    pub tree: Vec<TreeEntry>,
    /// Every reading of every file.
    pub artifacts: Vec<Artifact>,
    /// What was not understood.
    pub issues: Vec<Issue>,
}

/// An entry of the model's directory tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TreeEntry {
    /// Relative to the model's root.
    pub path: ArtifactPath,
    /// What it is.
    #[serde(flatten)]
    pub kind: EntryKind,
    /// In bytes; 0 for what is no file.
    pub size: u64,
    /// Whether the owner may execute it.
    pub executable: bool,
}

/// What an entry of a directory tree is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A symbolic link to a file inside the root, or to a blob of the Hugging Face cache the root lies in: read.
    SymlinkInside {
        /// As the link spells it.
        target: String,
    },
    /// A symbolic link that leads out of the root: not followed.
    SymlinkOutside {
        /// As the link spells it.
        target: String,
    },
    /// A symbolic link to nothing.
    SymlinkBroken {
        /// As the link spells it.
        target: String,
    },
    /// A socket, pipe or device: not opened.
    Special,
}

impl Model {
    /// The artifacts read as `format`.
    pub fn read_as<'a>(&'a self, format: &'a str) -> impl Iterator<Item = &'a Artifact> {
        self.artifacts.iter().filter(move |artifact| artifact.format == format)
    }
}
