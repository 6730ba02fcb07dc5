//! PINs, and where they may come from.

use std::fmt;

use zeroize::Zeroizing;

use crate::Error;

/// A PIN. Its text is wiped when it is dropped and never shown.
pub struct Pin(Zeroizing<String>);

/// Where a URI says that the PIN is (`pin-source`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PinPlace {
    /// In a file; a line break at its end is no part of the PIN.
    File(String),
    /// In an environment variable.
    Variable(String),
}

impl Pin {
    /// The PIN that `text` holds, without a line break at its end.
    pub fn new(text: String) -> Self {
        let mut text = Zeroizing::new(text);
        while text.ends_with(['\n', '\r']) {
            text.pop();
        }
        Self(text)
    }

    /// The text, for the module alone.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl PinPlace {
    /// Reads `file:/path`, `/path` or `env:NAME`. `|program`, which RFC 7512 mentions, is not supported.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        if let Some(name) = text.strip_prefix("env:") {
            return Ok(Self::Variable(name.to_owned()));
        }
        let path = text.strip_prefix("file://").or_else(|| text.strip_prefix("file:")).unwrap_or(text);
        if path.starts_with('/') {
            return Ok(Self::File(path.to_owned()));
        }
        Err(Error::Uri("`pin-source` is neither `file:/path` nor `env:NAME`".into()))
    }
}
