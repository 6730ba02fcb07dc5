//! A signed list of keys, certificates and models that do not count any more.
//!
//! The list is an in-toto statement in a DSSE envelope: each revoked thing is a subject, so that its digest can be
//! searched for, and the predicate says what each is, since when and why. A list only grows; a later one has a higher
//! number.

use std::collections::{BTreeMap, BTreeSet};

use alnage_types::Digest;
use serde::{Deserialize, Serialize};

use crate::{
    Error, SignedStatement, Signer, Statement, Subject, VerifyingKey, attest, verify_attestation,
    x509::UnixTime,
};

/// The predicate's type.
pub const REVOCATION_PREDICATE: &str = "https://github.com/alnage/alnage/revocation-list/v1";

/// More entries are no list that anybody keeps.
const MAX_ENTRIES: usize = 1_000_000;

/// What kind of thing was revoked, and so what its digest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RevokedKind {
    /// A public key, by the digest that bundles name it by: SHA-256 of its PEM form. A certificate with this key counts
    /// no more either.
    Key,
    /// A certificate, by SHA-256 of its DER form. Those below it count no more either.
    Certificate,
    /// A model, by the root digest of its signature, or one file of models, by its SHA-256.
    Model,
}

impl RevokedKind {
    /// Its name in the list.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Certificate => "certificate",
            Self::Model => "model",
        }
    }
}

/// Something that does not count any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevocationEntry {
    /// What it is.
    pub kind: RevokedKind,
    /// Which one.
    pub sha256: Digest,
    /// Why, for a person.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// When it was entered, RFC 3339.
    pub revoked: String,
    /// What was provably signed before still counts (RFC 3339). Absent when nothing does, as after a theft.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

/// A whole list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevocationStatement {
    /// Higher than in the list before.
    pub number: u64,
    /// When it was made, RFC 3339.
    pub issued: String,
    /// SHA-256 of the payload of the list before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Digest>,
    /// What was revoked, the oldest entry first.
    pub entries: Vec<RevocationEntry>,
}

impl RevocationStatement {
    /// The first list.
    pub fn first(entry: RevocationEntry) -> Self {
        Self { number: 1, issued: entry.revoked.clone(), previous: None, entries: vec![entry] }
    }

    /// The list after this one, whose payload has the digest `previous`. What is on it already is not entered again.
    pub fn followed_by(mut self, previous: Digest, entry: RevocationEntry) -> Result<Self, Error> {
        if self.entries.iter().any(|known| (known.kind, known.sha256) == (entry.kind, entry.sha256)) {
            let message = format!("the {} {} is on the list already", entry.kind.as_str(), entry.sha256);
            return Err(Error::Unsignable(message));
        }
        self.number =
            self.number.checked_add(1).ok_or_else(|| Error::Unsignable("the list is full".into()))?;
        self.issued.clone_from(&entry.revoked);
        self.previous = Some(previous);
        self.entries.push(entry);
        Ok(self)
    }

    /// Signs it; gives the text of a DSSE envelope.
    pub fn sign(&self, signer: &dyn Signer) -> Result<String, Error> {
        let predicate = serde_json::to_value(self).map_err(|error| Error::Unsignable(error.to_string()))?;
        let subjects = self.entries.iter();
        let statement = Statement {
            subjects: subjects
                .map(|entry| Subject { name: entry.kind.as_str().to_owned(), digest: entry.sha256 })
                .collect(),
            predicate_type: REVOCATION_PREDICATE.to_owned(),
            predicate,
        };
        attest(&statement, signer)
    }

    /// Verifies a list; gives it and the digest of its payload.
    pub fn verify(envelope: &[u8], key: &VerifyingKey) -> Result<(Self, Digest), Error> {
        let signed: SignedStatement = verify_attestation(envelope, key)?;
        let statement = signed.statement();
        if statement.predicate_type != REVOCATION_PREDICATE {
            return Err(Error::Malformed("it is no revocation list".into()));
        }
        let list = Self::deserialize(&statement.predicate)
            .map_err(|error| Error::Malformed(format!("not a revocation list: {error}")))?;
        if list.entries.len() > MAX_ENTRIES {
            return Err(Error::Malformed(format!("the revocation list has {} entries", list.entries.len())));
        }
        let named: BTreeSet<Digest> = statement.subjects.iter().map(|subject| subject.digest).collect();
        if list.entries.iter().any(|entry| !named.contains(&entry.sha256)) {
            return Err(Error::Malformed("an entry of the revocation list is none of its subjects".into()));
        }
        list.issued()?;
        for entry in &list.entries {
            entry.since()?;
        }
        Ok((list, signed.digest()))
    }

    /// When it was made.
    pub fn issued(&self) -> Result<UnixTime, Error> {
        self.issued
            .parse()
            .map_err(|_| Error::Malformed("the revocation list does not say when it was made".into()))
    }
}

impl RevocationEntry {
    fn since(&self) -> Result<Option<UnixTime>, Error> {
        let Some(since) = &self.since else { return Ok(None) };
        since
            .parse()
            .map(Some)
            .map_err(|_| Error::Malformed("an entry of the revocation list has no time".into()))
    }
}

/// Everything that the lists of a verifier revoke. Only verified lists are added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RevokedThings(BTreeMap<(RevokedKind, Digest), Vec<RevocationEntry>>);

impl RevokedThings {
    /// Adds the entries of a list that [`RevocationStatement::verify`] gave.
    pub fn add(&mut self, list: RevocationStatement) {
        for entry in list.entries {
            self.0.entry((entry.kind, entry.sha256)).or_default().push(entry);
        }
    }

    /// Refuses what is revoked; `proven` is when the signature provably existed.
    pub(super) fn refuse(
        &self,
        kind: RevokedKind,
        digest: Digest,
        proven: Option<UnixTime>,
    ) -> Result<(), Error> {
        let Some(entries) = self.0.get(&(kind, digest)) else { return Ok(()) };
        let counts = |entry: &&RevocationEntry| match (entry.since(), proven) {
            (Ok(Some(since)), Some(proven)) => proven >= since,
            _ => true,
        };
        let Some(entry) = entries.iter().find(counts) else { return Ok(()) };
        let reason = if entry.reason.is_empty() { "no reason given" } else { &entry.reason };
        let reason: String = reason.escape_debug().take(200).collect();
        let time: String = entry.revoked.escape_debug().take(30).collect();
        Err(Error::Untrusted(format!("the {} {digest} was revoked at {time}: {reason}", kind.as_str())))
    }
}
