//! What a rule says about an artifact.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::ArtifactPath;

/// How bad it is if the finding is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing to do.
    Info,
    /// A defect that no attack uses on its own.
    Low,
    /// A person must see it: unknown callables, code that runs only when asked for, malformed structure.
    Medium,
    /// Would execute, read, write or connect under ordinary use of the file.
    High,
    /// Executes the attacker's choice of code when the file is loaded.
    Critical,
}

/// How sure the rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// A hint; shown from level `pedantic` up.
    Low,
    /// Probably true; there are rare harmless ways to look the same.
    Medium,
    /// Follows from the bytes.
    High,
}

/// From which level on a rule is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Always.
    #[default]
    Default,
    /// For those who want the hints too.
    Pedantic,
    /// Everything that can be said, for an auditor's file.
    Audit,
}

/// A half-open byte range `start..end` within the artifact that a finding names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Span {
    /// First byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
}

impl Span {
    /// `start..end`; an end before the start is taken as empty.
    pub fn new(start: u64, end: u64) -> Self {
        Self { start, end: end.max(start) }
    }
}

/// One thing a rule found, with the evidence for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Finding {
    /// Rule code: `PKL004`.
    pub code: Cow<'static, str>,
    /// Rule name: `pickle-dangerous-call`.
    pub name: Cow<'static, str>,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// From which level on it is shown.
    pub level: Level,
    /// Where.
    pub artifact: ArtifactPath,
    /// Which bytes of it, where that can be said.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub span: Option<Span>,
    /// What was found, one sentence.
    pub message: String,
    /// The evidence itself: a reconstructed call, a key and its value, a header field.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub evidence: Option<String>,
    /// The way out.
    pub remediation: Cow<'static, str>,
    /// CWE, CVE, MITRE ATLAS, OWASP, papers.
    pub references: Vec<Cow<'static, str>>,
}
