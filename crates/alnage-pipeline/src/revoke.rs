//! Revoking: a new or longer signed list, and its entry in the log.

use std::path::{Path, PathBuf};

use alnage_log::Entry;
use alnage_sign::{
    Signer, attested_digest,
    trust::{REVOCATION_PREDICATE, RevocationEntry, RevocationStatement},
};

use crate::{Error, OpenLog, sign::read_signature};

/// A list that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    /// The list.
    pub list: PathBuf,
    /// The log's receipt for it.
    pub receipt: PathBuf,
    /// How many entries it has now.
    pub entries: usize,
    /// Its number.
    pub number: u64,
}

/// Adds `entry` to the list at `path`, which is made when there is none, signs it and logs it in `log`.
///
/// The list so far must be signed by the same key: a list that somebody else wrote is not carried on.
pub fn revoke(
    path: &Path,
    entry: RevocationEntry,
    signer: &dyn Signer,
    log: &Path,
) -> Result<Revoked, Error> {
    let list = match read_signature(path) {
        Ok(bytes) => {
            let (list, digest) = RevocationStatement::verify(&bytes, signer.verifying_key())
                .map_err(|error| Error::Trust { path: path.to_owned(), message: error.to_string() })?;
            list.followed_by(digest, entry)?
        }
        Err(Error::Files(alnage_fs::Error::NotFound(_))) => RevocationStatement::first(entry),
        Err(error) => return Err(error),
    };
    let newest = list.entries.last().map(|entry| entry.sha256).ok_or(Error::NoPlace)?;
    let envelope = list.sign(signer)?;
    let logged = Entry {
        statement: attested_digest(envelope.as_bytes())?,
        subject: newest,
        predicate_type: REVOCATION_PREDICATE.to_owned(),
        time: list.issued.clone(),
    };
    let receipt = OpenLog::lock(log)?.append_witnessed(logged)?;
    let receipt_path = PathBuf::from(format!("{}.tlog-proof", path.display()));
    alnage_fs::write_atomic(&receipt_path, receipt.to_string().as_bytes())?;
    alnage_fs::write_atomic(path, envelope.as_bytes())?;
    Ok(Revoked {
        list: path.to_owned(),
        receipt: receipt_path,
        entries: list.entries.len(),
        number: list.number,
    })
}
