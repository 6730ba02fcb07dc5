//! Reads a document of any format that we write.

use serde_json::Value;

use crate::{bom::Bom, cyclonedx, spdx};

/// Why a document could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// It is no JSON.
    NotJson(String),
    /// It is JSON of another kind.
    UnknownFormat,
}

impl std::fmt::Display for ReadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotJson(why) => write!(f, "not JSON: {why}"),
            Self::UnknownFormat => f.write_str("neither CycloneDX nor SPDX 3"),
        }
    }
}

impl std::error::Error for ReadError {}

/// Reads a document. What it does not understand it leaves out.
pub fn read(bytes: &[u8]) -> Result<Bom, ReadError> {
    let value = parse(bytes)?;
    if value["bomFormat"] == "CycloneDX" {
        return Ok(cyclonedx::read(&value));
    }
    if value["@graph"].is_array() {
        return Ok(spdx::read(&value));
    }
    Err(ReadError::UnknownFormat)
}

/// The JSON in `bytes`; the parser bounds how deep it may nest.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, ReadError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    serde_json::from_slice(bytes).map_err(|error| ReadError::NotJson(error.to_string()))
}
