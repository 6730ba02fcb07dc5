//! A conversion as an attestation: which bytes were made of which, tensor by tensor.

use alnage_types::Digest;
use serde_json::{Value, json};

use crate::{Statement, Subject};

/// The predicate's type; `docs/convert.md` defines it.
pub const CONVERSION_PREDICATE: &str =
    "https://github.com/alnage/alnage/blob/main/docs/convert.md#attestation-v1";

/// What a conversion made of its source.
#[derive(Debug, Clone, PartialEq)]
pub struct ConversionClaim<'a> {
    /// Version of Alnage.
    pub tool_version: &'a str,
    /// When it was converted, RFC 3339.
    pub time: &'a str,
    /// The source: its name and what it was.
    pub source: &'a str,
    /// Digest of all its bytes.
    pub source_digest: Digest,
    /// Its length.
    pub source_size: u64,
    /// Its format.
    pub format: &'a str,
    /// How it was converted, what became of each tensor, what was left out: as the report has it.
    pub report: Value,
}

impl ConversionClaim<'_> {
    /// The statement that `outputs` were made of the source.
    pub fn statement(self, outputs: Vec<Subject>) -> Statement {
        let predicate = json!({
            "converter": {
                "id": format!("https://github.com/alnage/alnage/releases/tag/v{}", self.tool_version),
            },
            "timeCreated": self.time,
            "source": {
                "name": self.source,
                "digest": { "sha256": self.source_digest },
                "size": self.source_size,
                "format": self.format,
            },
            "conversion": self.report,
        });
        Statement { subjects: outputs, predicate_type: CONVERSION_PREDICATE.to_owned(), predicate }
    }
}
