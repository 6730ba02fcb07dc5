//! The attestation of a detonation: written beside what the user wants, and entered in the log.

use std::path::Path;

use alnage_log::{Entry, Receipt};
use alnage_sign::{
    DETONATION_PREDICATE, DetonationClaim, Signer, Subject, attest, attested_digest, unsigned,
};
use serde_json::Value;

use crate::{Error, log::OpenLog};

/// What to attest.
pub struct AttestingDetonation<'a> {
    /// The files that were loaded.
    pub subjects: Vec<Subject>,
    /// What was seen.
    pub report: Value,
    /// Where the attestation goes.
    pub file: &'a Path,
    /// Signs it; unsigned when absent.
    pub signer: Option<&'a dyn Signer>,
    /// The directory of the log that it is entered in.
    pub log: Option<&'a Path>,
    /// Now, as [`rfc3339`](crate::rfc3339) writes it.
    pub time: &'a str,
}

/// Writes the attestation; gives the log's receipt when it was entered in one.
pub fn attest_detonation(what: AttestingDetonation<'_>) -> Result<Option<Receipt>, Error> {
    let claim =
        DetonationClaim { tool_version: env!("CARGO_PKG_VERSION"), time: what.time, report: what.report };
    let subject = what.subjects.first().map(|subject| subject.digest);
    let statement = claim.statement(what.subjects);
    let text = match what.signer {
        Some(signer) => attest(&statement, signer)?,
        None => unsigned(&statement)?,
    };
    let receipt = match (what.log, subject, what.signer) {
        (Some(log), Some(subject), Some(_)) => {
            let entry = Entry {
                statement: attested_digest(text.as_bytes())?,
                subject,
                predicate_type: DETONATION_PREDICATE.to_owned(),
                time: what.time.to_owned(),
            };
            Some(OpenLog::lock(log)?.append_witnessed(entry)?)
        }
        _ => None,
    };
    alnage_fs::write_atomic(what.file, text.as_bytes())?;
    Ok(receipt)
}
