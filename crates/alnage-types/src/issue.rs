//! What could not be understood. Findings say what was seen; issues say what was not.

use serde::{Deserialize, Serialize};

use crate::ArtifactPath;

/// Something in an artifact that was not fully understood. An issue keeps a verdict from being `pass`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Issue {
    /// Where.
    pub artifact: ArtifactPath,
    /// At which byte, where that can be said.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub offset: Option<u64>,
    /// Why it was not understood.
    pub kind: IssueKind,
    /// What was not understood, one sentence.
    pub message: String,
}

/// Why something was not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum IssueKind {
    /// The bytes break the format's own rules.
    Malformed,
    /// The bytes end before the structure does.
    Truncated,
    /// A limit of the budget was reached; raise it to read on.
    Budget,
    /// The format is known, this feature of it is not read.
    Unsupported,
    /// Encrypted, so its content is unknown.
    Encrypted,
    /// The operating system refused to give the bytes.
    Unreadable,
    /// A part of the analysis failed; this is a defect in Alnage.
    Internal,
}
