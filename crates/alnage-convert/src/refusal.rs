//! Why there is no conversion, by what the caller can do about it.

/// Why there is no conversion.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Loading the source calls something that is more than data. Do not load it.
    #[error("loading calls `{callee}`{}", describe(.effect))]
    Call {
        /// The name of what is called.
        callee: String,
        /// What it is known to do: "starts a process".
        effect: Option<&'static str>,
        /// Place of the pickle inside the source, empty for the source itself.
        member: String,
        /// Of the opcode that calls, in that pickle.
        offset: u64,
        /// The call as a line of Python.
        line: String,
    },
    /// Loaders disagree about what the bytes say, so there is no one conversion.
    #[error("{0}")]
    Ambiguous(String),
    /// The bytes break the rules of their format.
    #[error("{0}")]
    Malformed(String),
    /// The source is sound, but holds something that is not converted; the text names the way out where there is one.
    #[error("{0}")]
    Unsupported(String),
    /// There is nothing to convert.
    #[error("{0}")]
    Nothing(String),
    /// A limit was reached.
    #[error("stopped at the limit `{0}`")]
    Limit(&'static str),
    /// The source's bytes could not be read.
    #[error("the source could not be read: {0}")]
    Unreadable(String),
}

fn describe(effect: &Option<&'static str>) -> String {
    effect.map_or_else(|| ", which is more than data".to_owned(), |effect| format!(", which {effect}"))
}

impl Refusal {
    /// Whether the source is to be taken for hostile.
    pub fn is_hostile(&self) -> bool {
        matches!(self, Self::Call { .. } | Self::Ambiguous(_))
    }
}

pub(crate) fn malformed<T>(message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Malformed(message.into()))
}

pub(crate) fn unsupported<T>(message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Unsupported(message.into()))
}

/// A name from the source as it may be printed.
pub(crate) fn shown(name: &str) -> String {
    const LONGEST: usize = 120;
    let mut shown: String = name.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if name.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}
