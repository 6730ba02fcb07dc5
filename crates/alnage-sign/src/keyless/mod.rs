//! Keyless signatures, offline: an authority gave a certificate for minutes to whoever had proven an identity, and
//! transparency logs saw the certificate and the signature. Whom to believe of them is a [`TrustedRoot`]'s to say.
//!
//! Nothing is fetched. Each of these must hold: a time that somebody else vouches for; a path from the certificate to an
//! authority of the root at that time; a log of certificates that saw it; a log of signatures that holds an entry
//! about this very signature; the signature itself. Who it was is then for the verifier's policy.

mod body;
mod checkpoint;
mod entry;
mod identity;
mod root;
mod sct;
mod window;
mod wire;

use std::collections::BTreeSet;

use serde_json::Value;

pub use entry::Inclusion;
pub use identity::{KeylessTrust, Provider};
pub use root::TrustedRoot;

use crate::{
    Error,
    dsse::{PAYLOAD_TYPE, pre_authentication_encoding},
    timestamp::{Timestamp, TimestampAuthorities, verify_timestamp},
    x509::{Certificate, PathRules, Purpose, StaleLists, TrustedPath, UnixTime, find_path},
};
use entry::{Entry, Logged};

/// More entries and timestamps than any signature has.
const MAX_ENTRIES: usize = 32;
const MAX_TIMESTAMPS: usize = 32;

/// A clock may be this far ahead of ours, in seconds.
const CLOCK_DIFFERENCE: u64 = 300;

/// What was signed.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// The bytes that the signature is over.
    pub message: &'a [u8],
    /// The payload, when the message is that of a DSSE envelope.
    pub payload: Option<&'a [u8]>,
    /// The type of that payload.
    pub payload_type: Option<&'a str>,
    /// The signature, in DER.
    pub signature: &'a [u8],
}

/// What comes with a keyless signature; nothing of it is verified.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The signer's certificate, in DER.
    pub certificate: &'a [u8],
    /// What may stand between it and an authority, in DER.
    pub intermediates: &'a [Vec<u8>],
    /// Entries of transparency logs, in Sigstore's JSON.
    pub entries: &'a [Value],
    /// Timestamps by RFC 3161.
    pub timestamps: &'a [Vec<u8>],
    /// Which proof there must be that a log holds the entries.
    pub inclusion: Inclusion,
}

/// Somebody who signed without a key of their own. Only [`verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeylessSigner {
    path: TrustedPath,
    time: UnixTime,
    timestamp: Option<Timestamp>,
    provider: String,
}

impl KeylessSigner {
    /// The certificates from the signer's to the authority's.
    pub fn path(&self) -> &TrustedPath {
        &self.path
    }

    /// The earliest proven time at which the signature existed.
    pub fn time(&self) -> UnixTime {
        self.time
    }

    /// The timestamp that says so, when it is not the log.
    pub fn timestamp(&self) -> Option<&Timestamp> {
        self.timestamp.as_ref()
    }

    /// Who knew the signer: the issuer of the identity token.
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// Who signed, for a person.
    pub fn names(&self) -> String {
        identity::names(self.path.leaf())
    }

    /// The repository that a build was of, a URL, as its provider said.
    pub fn repository(&self) -> Option<String> {
        identity::claim(self.path.leaf(), identity::REPOSITORY)
    }

    /// What said how to build, a URL with a version, as its provider said.
    pub fn workflow(&self) -> Option<String> {
        identity::claim(self.path.leaf(), identity::WORKFLOW)
    }
}

/// Verifies that `signed` was signed by whoever `evidence` names, by the word of `root`.
pub fn verify(
    signed: &Signed<'_>,
    evidence: &Evidence<'_>,
    root: &TrustedRoot,
    now: UnixTime,
) -> Result<KeylessSigner, Error> {
    let leaf = Certificate::from_der(evidence.certificate)?;
    let logged = entries(signed, evidence, &leaf, root)?;
    let (stamped, flaw) = timestamps(signed, evidence, root, now)?;

    let mut times: BTreeSet<UnixTime> = logged.iter().filter_map(|logged| logged.time).collect();
    times.extend(stamped.iter().map(Timestamp::time));
    let Some(&first) = times.first() else {
        let mut message =
            "nobody of the trusted root says when it was made: neither a log nor a timestamp".to_owned();
        if let Some(flaw) = flaw {
            message += &format!("; its timestamp does not count: {flaw}");
        }
        return Err(Error::Unknown(message));
    };
    // All of them: an early time must not hide one at which the certificate was no longer good.
    let mut path = None;
    for &time in &times {
        if time.0 > now.0.saturating_add(CLOCK_DIFFERENCE) {
            return Err(Error::Untrusted(format!("its entry of the log is of {time}, which is to come")));
        }
        if let Some(logged) = logged.iter().find(|logged| !logged.log.window.contains(time)) {
            let name = logged.log.name();
            return Err(Error::Untrusted(format!("the key of the log `{name}` does not count at {time}")));
        }
        path = Some(path_at(&leaf, evidence, root, time, now)?);
    }
    let issuer = path.as_ref().and_then(|path| path.certificates().get(1));
    let (Some(issuer), Some(path)) = (issuer, &path) else {
        return Err(Error::Untrusted("its certificate is that of an authority".into()));
    };
    sct::verify(&leaf, issuer, &root.certificate_logs)?;
    leaf.verifying_key()?.verify(signed.message, signed.signature)?;
    let timestamp = stamped.into_iter().find(|timestamp| timestamp.time() == first);
    Ok(KeylessSigner { provider: identity::provider(&leaf)?, path: path.clone(), time: first, timestamp })
}

/// Verifies a signature over an in-toto statement in a DSSE envelope.
pub fn verify_statement(
    statement: &[u8],
    signature: &[u8],
    evidence: &Evidence<'_>,
    root: &TrustedRoot,
    now: UnixTime,
) -> Result<KeylessSigner, Error> {
    let signed = Signed {
        message: &pre_authentication_encoding(PAYLOAD_TYPE, statement),
        payload: Some(statement),
        payload_type: Some(PAYLOAD_TYPE),
        signature,
    };
    verify(&signed, evidence, root, now)
}

/// The identity provider that a certificate names, whoever made it.
pub(crate) fn provider_of(certificate: &Certificate) -> Option<String> {
    identity::provider(certificate).ok()
}

/// Every entry must be in its log and about this signature; there must be one.
fn entries<'a>(
    signed: &Signed<'_>,
    evidence: &Evidence<'_>,
    leaf: &Certificate,
    root: &'a TrustedRoot,
) -> Result<Vec<Logged<'a>>, Error> {
    if evidence.entries.is_empty() {
        return Err(Error::Untrusted("it has no entry in a transparency log".into()));
    }
    if evidence.entries.len() > MAX_ENTRIES {
        return Err(Error::Malformed(format!("it has {} entries in logs", evidence.entries.len())));
    }
    let mut logged = Vec::new();
    for value in evidence.entries {
        let entry = Entry::parse(value)?;
        logged.push(entry.verify(root, evidence.inclusion)?);
        body::check(&entry.canonicalized_body.0, &entry.kind_version, signed, leaf)?;
    }
    Ok(logged)
}

/// The timestamps that hold, and why the first of the others does not. One that does not proves nothing and takes
/// nothing away.
fn timestamps(
    signed: &Signed<'_>,
    evidence: &Evidence<'_>,
    root: &TrustedRoot,
    now: UnixTime,
) -> Result<(Vec<Timestamp>, Option<Error>), Error> {
    let given = evidence.timestamps;
    if given.len() > MAX_TIMESTAMPS {
        return Err(Error::Malformed(format!("it has {} timestamps", given.len())));
    }
    if given.iter().collect::<BTreeSet<_>>().len() < given.len() {
        return Err(Error::Malformed("a timestamp stands twice".into()));
    }
    let (mut held, mut flaw) = (Vec::new(), None);
    for token in given {
        match timestamp(token, signed.signature, root, now) {
            Ok(timestamp) => held.push(timestamp),
            Err(error) => {
                flaw.get_or_insert(error);
            }
        }
    }
    Ok((held, flaw))
}

fn timestamp(token: &[u8], signature: &[u8], root: &TrustedRoot, now: UnixTime) -> Result<Timestamp, Error> {
    let mut flaw = Error::Untrusted("the trusted root names no timestamp authority".into());
    for authority in &root.timestamp_authorities {
        let anchors = std::slice::from_ref(&authority.anchor);
        let authorities = TimestampAuthorities { anchors, intermediates: &authority.below };
        // The root names the one who stamps; others below the same anchor may do something else.
        let named =
            authority.below.first().filter(|first| !first.is_authority()).map(Certificate::fingerprint);
        match verify_timestamp(token, signature, authorities, now) {
            Ok(timestamp) if !authority.window.contains(timestamp.time()) => {
                let (name, time) = (timestamp.authority(), timestamp.time());
                flaw = Error::Untrusted(format!("the word of `{name}` does not count at {time}"));
            }
            Ok(timestamp) if named.is_some_and(|named| named != timestamp.signer()) => {
                let name = timestamp.authority();
                flaw = Error::Untrusted(format!("`{name}` is not the one that the trusted root names"));
            }
            Ok(timestamp) => return Ok(timestamp),
            Err(error) => flaw = error,
        }
    }
    Err(flaw)
}

fn path_at(
    leaf: &Certificate,
    evidence: &Evidence<'_>,
    root: &TrustedRoot,
    time: UnixTime,
    now: UnixTime,
) -> Result<TrustedPath, Error> {
    let brought = evidence.intermediates.iter().map(|der| Certificate::from_der(der));
    let brought = brought.collect::<Result<Vec<_>, _>>()?;
    let mut flaw = Error::Untrusted(format!("no authority of the trusted root counts at {time}"));
    for authority in root.authorities.iter().filter(|authority| authority.window.contains(time)) {
        let intermediates: Vec<Certificate> = authority.below.iter().chain(&brought).cloned().collect();
        let rules = PathRules {
            anchors: std::slice::from_ref(&authority.anchor),
            intermediates: &intermediates,
            at: time,
            now,
            purpose: Purpose::CodeSigning,
            revocation_lists: &[],
            stale_lists: StaleLists::Refused,
        };
        match find_path(leaf, &rules) {
            Ok(path) => return Ok(path),
            Err(error) => flaw = error,
        }
    }
    Err(flaw)
}

#[cfg(test)]
mod tests;
