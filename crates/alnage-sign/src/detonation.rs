//! A detonation as an attestation: what was seen while these bytes were loaded.

use serde_json::{Value, json};

use crate::{Statement, Subject};

/// The predicate's type; `docs/detonate.md` defines it.
pub const DETONATION_PREDICATE: &str =
    "https://github.com/alnage/alnage/blob/main/docs/detonate.md#attestation-v1";

/// What was seen, and by whom.
#[derive(Debug, Clone, PartialEq)]
pub struct DetonationClaim<'a> {
    /// Version of Alnage.
    pub tool_version: &'a str,
    /// When it was loaded, RFC 3339.
    pub time: &'a str,
    /// The loader, the jail's limits, and the events of each file: as the report has it.
    pub report: Value,
}

impl DetonationClaim<'_> {
    /// The statement about `subjects`, the files.
    pub fn statement(self, subjects: Vec<Subject>) -> Statement {
        let predicate = json!({
            "detonator": {
                "id": format!("https://github.com/alnage/alnage/releases/tag/v{}", self.tool_version),
            },
            "timeObserved": self.time,
            "detonation": self.report,
        });
        Statement { subjects, predicate_type: DETONATION_PREDICATE.to_owned(), predicate }
    }
}
