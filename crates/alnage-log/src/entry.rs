//! What the log records: that a statement about a model was made.

use alnage_types::Digest;
use serde::{Deserialize, Serialize};

use crate::Error;

/// The shape's name and version; it is part of what is hashed.
const SCHEMA: &str = "alnage.log-entry/1";

/// That a signed statement about a model was made. The statement itself stays with the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Digest of the statement's signed bytes.
    pub statement: Digest,
    /// Digest of the model that the statement is about.
    pub subject: Digest,
    /// What kind of statement: the in-toto predicate type.
    pub predicate_type: String,
    /// When it was logged, RFC 3339.
    pub time: String,
}

impl Entry {
    /// One line of JSON: the bytes of the leaf. Tiles give an entry's length two bytes.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let written = Written {
            schema: SCHEMA.into(),
            statement: self.statement,
            subject: self.subject,
            predicate_type: self.predicate_type.clone(),
            time: self.time.clone(),
        };
        let bytes = serde_json::to_vec(&written).map_err(|error| Error::Malformed(error.to_string()))?;
        if bytes.len() > usize::from(u16::MAX) {
            return Err(Error::Malformed(format!(
                "an entry of {} bytes is too long for the log",
                bytes.len()
            )));
        }
        Ok(bytes)
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let written: Written = serde_json::from_slice(bytes)
            .map_err(|error| Error::Malformed(format!("not an entry of a log: {error}")))?;
        if written.schema != SCHEMA {
            let message =
                format!("an entry of the kind `{:.80}` is not known", written.schema.escape_debug());
            return Err(Error::Malformed(message));
        }
        let Written { statement, subject, predicate_type, time, .. } = written;
        Ok(Self { statement, subject, predicate_type, time })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    schema: String,
    statement: Digest,
    subject: Digest,
    predicate_type: String,
    time: String,
}
