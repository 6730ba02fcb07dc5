//! The answer about a model.

use serde::{Deserialize, Serialize};

/// The answer about a model, in rising order of gravity for a person who decides whether to load it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Everything was read and nothing in it asks for a person.
    Pass,
    /// Not everything could be understood.
    Unknown,
    /// A person must look at the findings before the model is used.
    Review,
    /// Loading the model would execute, escape or mislead.
    Block,
}

impl Verdict {
    /// The word used in every output: `pass`, `unknown`, `review`, `block`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Unknown => "unknown",
            Self::Review => "review",
            Self::Block => "block",
        }
    }
}
