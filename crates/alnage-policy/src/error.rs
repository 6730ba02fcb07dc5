//! What can go wrong, by who can do something about it.

use std::fmt;

use serde::Serialize;

/// A place in a file of a pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Place {
    /// The file's name in the pack.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Why there is no pack, or no decision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The author of the pack made a mistake.
    #[error("{}{message}", at(.place))]
    Pack {
        /// Where, when that can be said.
        place: Option<Place>,
        /// What.
        message: String,
    },
    /// The evidence is not what the schema says.
    #[error("input `{path}`: {message}")]
    Input {
        /// Which part: `files[3].path`.
        path: String,
        /// What about it.
        message: String,
    },
    /// A rule failed, or took too long.
    #[error("{}{message}", at(.place))]
    Evaluation {
        /// Where, when that can be said.
        place: Option<Place>,
        /// What.
        message: String,
    },
}

fn at(place: &Option<Place>) -> String {
    place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default()
}

impl Error {
    pub(crate) fn pack(message: impl Into<String>) -> Self {
        Self::Pack { place: None, message: message.into() }
    }

    pub(crate) fn pack_at(place: Place, message: impl Into<String>) -> Self {
        Self::Pack { place: Some(place), message: message.into() }
    }

    pub(crate) fn input(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Input { path: path.into(), message: message.into() }
    }

    pub(crate) fn evaluation(message: impl Into<String>) -> Self {
        Self::Evaluation { place: None, message: message.into() }
    }

    /// Where in the pack, when that can be said.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Pack { place, .. } | Self::Evaluation { place, .. } => place.as_ref(),
            Self::Input { .. } => None,
        }
    }
}
