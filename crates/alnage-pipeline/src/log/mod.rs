//! The log as effects: its keys on disk, appending, and asking witnesses to cosign.

mod ask;
mod witness;

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use alnage_fs::LogDir;
use alnage_log::{
    Cosigned, Entry, LogKey, LogVerifier, NoteKey, Policy, Receipt, Scheme, Store, add_cosignatures,
    checkpoint_text, current, prove_consistency, receipt_for,
};
use alnage_types::Digest;

pub use witness::{WitnessDir, WitnessError};

use crate::Error;

/// The log's own files, beside its objects.
pub(crate) const LOG_KEY: &str = "signing.key";
pub(crate) const LOG_VERIFIER: &str = "log.vkey";
/// Which witnesses are asked, and how many are enough.
const POLICY: &str = "policy";
/// Eight keys of the longest kind, or a policy of a thousand lines.
const MAX_TEXT: u64 = 4 << 20;
/// A statement that names every file of a large model.
const MAX_ENVELOPE: u64 = 64 << 20;

/// The key of the log in `directory`, made on first use.
pub(crate) fn log_key(directory: &Path) -> Result<LogKey, Error> {
    match alnage_fs::read_small(&directory.join(LOG_KEY), MAX_TEXT) {
        Ok(bytes) => Ok(LogKey::from_text(&String::from_utf8_lossy(&bytes))?),
        Err(alnage_fs::Error::NotFound(_)) => make_log_key(directory, None, NEW_LOG),
        Err(error) => Err(error.into()),
    }
}

/// A new log signs with both, so that tools of today read it and quantum computers do not forge it.
pub const NEW_LOG: &[Scheme] = &[Scheme::Ed25519, Scheme::MlDsa44];

/// Makes the keys of a log in `directory`, which has none yet.
pub fn make_log_key(directory: &Path, origin: Option<&str>, schemes: &[Scheme]) -> Result<LogKey, Error> {
    let keys = make_note_keys(origin, schemes)?;
    let key = LogKey::new(keys)?;
    keep_keys(directory, LOG_VERIFIER, &key.verifier().to_string(), &key.to_text())?;
    Ok(key)
}

/// New keys under `name`, or under one that nobody else has.
pub(crate) fn make_note_keys(name: Option<&str>, schemes: &[Scheme]) -> Result<Vec<NoteKey>, Error> {
    let mut keys: Vec<NoteKey> = Vec::with_capacity(schemes.len());
    for &scheme in schemes {
        let seed = alnage_fs::random_seed()?;
        let name = match (name, keys.first()) {
            (Some(name), _) => name.to_owned(),
            (None, Some(key)) => key.verifier().name().to_owned(),
            (None, None) => format!("alnage.local/{:.16}", Digest::of(&seed).to_string()),
        };
        keys.push(NoteKey::from_seed(scheme, &name, &seed)?);
    }
    Ok(keys)
}

/// The public keys are written first: a private key without them could not be verified against.
pub(crate) fn keep_keys(directory: &Path, public: &str, verifier: &str, private: &str) -> Result<(), Error> {
    alnage_fs::create_dir(directory)?;
    let path = directory.join(LOG_KEY);
    if path.exists() {
        let source = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
        return Err(alnage_fs::Error::Io { path, source }.into());
    }
    alnage_fs::write_atomic(&directory.join(public), format!("{verifier}\n").as_bytes())?;
    Ok(alnage_fs::write_secret(&path, private.as_bytes())?)
}

/// The public keys of the log in `directory`.
pub fn log_verifier(directory: &Path) -> Result<LogVerifier, Error> {
    read_log_verifier(&directory.join(LOG_VERIFIER))
}

/// The public keys in a file.
pub fn read_log_verifier(path: &Path) -> Result<LogVerifier, Error> {
    let bytes = alnage_fs::read_small(path, MAX_TEXT)?;
    Ok(LogVerifier::from_text(&String::from_utf8_lossy(&bytes))?)
}

/// A policy in a file.
pub fn read_policy(path: &Path) -> Result<Policy, Error> {
    let bytes = alnage_fs::read_small(path, MAX_TEXT)?;
    Ok(Policy::parse(&String::from_utf8_lossy(&bytes))?)
}

/// The policy of the log in `directory`; `None` when it asks no witnesses.
pub fn log_policy(directory: &Path) -> Result<Option<Policy>, Error> {
    match read_policy(&directory.join(POLICY)) {
        Ok(policy) => Ok(Some(policy)),
        Err(Error::Files(alnage_fs::Error::NotFound(_))) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What the witnesses said.
#[derive(Debug)]
pub struct Witnessing {
    /// Who has cosigned the newest checkpoint.
    pub cosigned: Vec<Cosigned>,
    /// What went wrong with a witness, one sentence each.
    pub complaints: Vec<String>,
    /// Why that does not meet the policy; `None` when it does.
    pub unmet: Option<String>,
}

/// A log that is being written to; others wait until it is dropped.
#[derive(Debug)]
pub struct OpenLog {
    store: LogDir,
    key: LogKey,
    policy: Option<Policy>,
}

impl OpenLog {
    /// Opens the log in `directory`, which is made when there is none.
    pub fn lock(directory: &Path) -> Result<Self, Error> {
        let store = LogDir::lock(directory)?;
        Ok(Self { store, key: log_key(directory)?, policy: log_policy(directory)? })
    }

    /// Appends entries under one checkpoint. When this returns, they are there to stay.
    pub fn append(
        &mut self,
        entries: &mut dyn Iterator<Item = Result<Entry, alnage_log::Error>>,
    ) -> Result<Range<u64>, Error> {
        Ok(alnage_log::append_all(&mut self.store, &self.key, entries)?)
    }

    /// The receipt for an entry, with the cosignatures that the newest checkpoint carries.
    pub fn receipt(&self, index: u64) -> Result<Receipt, Error> {
        Ok(receipt_for(&self.store, self.key.verifier(), index)?)
    }

    /// Asks every witness that the log's policy names with a URL; `None` without a policy.
    pub fn cosign(&mut self) -> Result<Option<Witnessing>, Error> {
        let Some(policy) = self.policy.clone() else { return Ok(None) };
        let log = self.key.verifier().clone();
        let Some(now) = current(&self.store, &log)? else { return Ok(None) };
        let mut complaints = Vec::new();
        for witness in &policy.witnesses {
            let Some(url) = &witness.url else { continue };
            let checkpoint = checkpoint_text(&self.store)?.unwrap_or_default();
            let prove = |old| prove_consistency(&self.store, old, now.size);
            let outcome = ask::ask(url, &checkpoint, &prove).and_then(|lines| {
                let verifiers = std::slice::from_ref(&witness.verifier);
                match add_cosignatures(&mut self.store, &log, verifiers, &lines) {
                    Ok(1..) => Ok(()),
                    Ok(_) => Err("its answer holds no cosignature by its key".to_owned()),
                    Err(error) => Err(error.to_string()),
                }
            });
            if let Err(complaint) = outcome {
                complaints.push(format!("the witness `{}` at `{url}`: {complaint}", witness.name));
            }
        }
        let checkpoint = checkpoint_text(&self.store)?.unwrap_or_default();
        Ok(Some(match policy.verify(&checkpoint) {
            Ok(cosigned) => Witnessing { cosigned, complaints, unmet: None },
            Err(error) => Witnessing { cosigned: Vec::new(), complaints, unmet: Some(error.to_string()) },
        }))
    }

    /// Appends one entry and has it witnessed as the policy wants. The entry stays even when that fails.
    pub(crate) fn append_witnessed(&mut self, entry: Entry) -> Result<Receipt, Error> {
        let index = self.append(&mut std::iter::once(Ok(entry)))?.start;
        if let Some(Witnessing { complaints, unmet: Some(unmet), .. }) = self.cosign()? {
            let reasons = [vec![unmet], complaints].concat().join("; ");
            let message = format!("the verdict is entry {index}, but {reasons}");
            return Err(alnage_log::Error::Unproven(message).into());
        }
        self.receipt(index)
    }
}

/// The log in `directory`, to read from.
pub fn read_log(directory: &Path) -> Result<(impl Store + use<>, LogVerifier), Error> {
    Ok((LogDir::open(directory), log_verifier(directory)?))
}

/// Where the policy of the log in `directory` is looked for.
pub fn policy_path(directory: &Path) -> PathBuf {
    directory.join(POLICY)
}

/// The entry for the statement in the DSSE envelope `path`, once its signature by `key` is verified: about its first
/// subject, which is the model.
pub fn entry_of_envelope(path: &Path, key: &alnage_sign::VerifyingKey, time: &str) -> Result<Entry, Error> {
    let envelope = alnage_fs::read_small(path, MAX_ENVELOPE)?;
    let signed = alnage_sign::verify_attestation(&envelope, key)?;
    let statement = signed.statement();
    let subject = statement.subjects.first().ok_or(Error::NoPlace)?.digest;
    Ok(Entry {
        statement: signed.digest(),
        subject,
        predicate_type: statement.predicate_type.clone(),
        time: time.to_owned(),
    })
}

/// What kind of statement a gate's audit is.
const AUDIT: &str = "https://github.com/alnage/alnage/admission-audit/v1";

/// Enters the digest of the audit at `path` in the log: from now on, no line of it can be changed unseen. An audit is
/// about nothing but itself.
pub fn log_audit(path: &Path, log: &Path, time: String) -> Result<Receipt, Error> {
    const MAX_AUDIT: u64 = 1 << 30;
    let digest = Digest::of(&alnage_fs::read_small(path, MAX_AUDIT)?);
    let entry = Entry { statement: digest, subject: digest, predicate_type: AUDIT.to_owned(), time };
    OpenLog::lock(log)?.append_witnessed(entry)
}

/// The digest that the log would hold for the envelope `path`, whoever signed it.
pub fn statement_digest(path: &Path) -> Result<Digest, Error> {
    Ok(alnage_sign::attested_digest(&alnage_fs::read_small(path, MAX_ENVELOPE)?)?)
}
