//! What a pack says about a model, and why.

use alnage_types::Digest;
use serde::{Deserialize, Serialize};

/// What is done with a model, in rising order of gravity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// It may be used.
    Allow,
    /// It stays where it is until a person decides.
    Quarantine,
    /// It may not be used.
    Deny,
}

impl Effect {
    /// The word used in every output: `allow`, `quarantine`, `deny`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Quarantine => "quarantine",
            Self::Deny => "deny",
        }
    }
}

/// Why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reason {
    /// What the rule asks for.
    pub effect: Effect,
    /// The rule's name: `verdict-block`.
    pub rule: String,
    /// One sentence for the person who is refused.
    pub message: String,
    /// The file it is about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<String>,
    /// The code of the finding it is about: `PKL004`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<String>,
}

/// A file that is not handed out, while the rest of the model is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Withheld {
    /// Its path.
    pub file: String,
    /// The rule's name.
    pub rule: String,
    /// One sentence.
    pub message: String,
}

/// A reason that an exception took away.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Lifted {
    /// The reason as it would have counted.
    #[serde(flatten)]
    pub reason: Reason,
    /// Why the exception was made.
    pub exception: String,
}

/// What a pack says about a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Decision {
    /// The gravest effect of all reasons.
    pub effect: Effect,
    /// Gravest first, then by rule.
    pub reasons: Vec<Reason>,
    /// Files that are not handed out.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub withheld: Vec<Withheld>,
    /// Reasons that exceptions took away.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub lifted: Vec<Lifted>,
    /// The pack's name.
    pub pack: String,
    /// The pack's version.
    pub version: String,
    /// SHA-256 over the pack's files and parameters.
    pub digest: Digest,
    /// SHA-256 of the input with sorted keys: what makes a decision replayable.
    pub input: Digest,
}

impl Decision {
    /// The first reason in words: what is said to who is refused.
    pub fn headline(&self) -> Option<&str> {
        self.reasons.first().map(|reason| reason.message.as_str())
    }
}
