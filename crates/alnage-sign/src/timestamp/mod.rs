//! Timestamps by RFC 3161: an authority says that bytes existed at a time. They are verified and asked for here; who
//! carries the question to an authority is [`TimestampSource`].

mod cms;
mod info;

use std::fmt;

use alnage_types::Digest;

use crate::{
    Error,
    x509::{Certificate, PathRules, Purpose, StaleLists, UnixTime, find_path},
};
use cms::SignedData;
use info::TimestampInfo;

/// A clock may be this far ahead of ours, in seconds.
const CLOCK_DIFFERENCE: u64 = 300;

/// Whose timestamps are believed.
#[derive(Debug, Clone, Copy, Default)]
pub struct TimestampAuthorities<'a> {
    /// What is trusted without proof.
    pub anchors: &'a [Certificate],
    /// What may stand between, besides what the timestamp itself brings.
    pub intermediates: &'a [Certificate],
}

/// A timestamp authority that can be asked.
pub trait TimestampSource: fmt::Debug {
    /// What it answers (`application/timestamp-reply`) to `request` (`application/timestamp-query`); an error says why
    /// there is no answer.
    fn ask(&self, request: &[u8]) -> Result<Vec<u8>, String>;
}

/// When something existed. Only [`verify_timestamp`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timestamp {
    time: UnixTime,
    authority: String,
    signer: Digest,
}

impl Timestamp {
    /// The second.
    pub fn time(&self) -> UnixTime {
        self.time
    }

    /// Who says so, as RFC 4514 writes names.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// SHA-256 of the certificate it was signed with.
    pub fn signer(&self) -> Digest {
        self.signer
    }
}

/// Verifies that `token`, a timestamp response or the token alone, was made over `stamped` by a trusted authority.
pub fn verify_timestamp(
    token: &[u8],
    stamped: &[u8],
    authorities: TimestampAuthorities<'_>,
    now: UnixTime,
) -> Result<Timestamp, Error> {
    if authorities.anchors.is_empty() {
        return Err(Error::Policy("no timestamp authority is named that could be trusted".into()));
    }
    let signed = SignedData::parse(token).map_err(malformed)?;
    let mut brought = signed.brought();
    brought.extend_from_slice(authorities.intermediates);
    let mut candidates = brought.iter().chain(authorities.anchors);
    let signer = candidates
        .find(|certificate| signed.is_signer(certificate))
        .ok_or_else(|| malformed("the certificate of its signer is neither in it nor given"))?;
    let info = said(&signed, signer, stamped)?;
    if info.time.0 > now.0.saturating_add(CLOCK_DIFFERENCE) {
        return Err(Error::Untrusted(format!("the timestamp is of {}, which is to come", info.time)));
    }
    let rules = PathRules {
        anchors: authorities.anchors,
        intermediates: &brought,
        at: info.time,
        now,
        purpose: Purpose::TimeStamping,
        revocation_lists: &[],
        stale_lists: StaleLists::Refused,
    };
    let path = find_path(signer, &rules)?;
    Ok(Timestamp { time: info.time, authority: path.leaf().subject(), signer: path.leaf().fingerprint() })
}

/// What the authority with the certificate `signer` says of `stamped`.
fn said(signed: &SignedData, signer: &Certificate, stamped: &[u8]) -> Result<TimestampInfo, Error> {
    signed.verify(signer).map_err(|reason| Error::Untrusted(format!("the timestamp: {reason}")))?;
    let info = TimestampInfo::parse(&signed.content).map_err(malformed)?;
    if info.imprint != info.hash.of(stamped) {
        return Err(Error::Untrusted("the timestamp is over something else".into()));
    }
    Ok(info)
}

/// Asks `source` for a timestamp over `stamped`. It brings the certificate that it is signed with; whether that is
/// trusted is for those who verify.
pub(crate) fn ask(source: &dyn TimestampSource, stamped: &[u8]) -> Result<Vec<u8>, Error> {
    let none = |reason: String| Error::Unsignable(format!("there is no timestamp: {reason}"));
    let response = source.ask(&timestamp_request(stamped)).map_err(none)?;
    let signed = SignedData::parse(&response).map_err(none)?;
    let brought = signed.brought();
    let signer = brought.iter().find(|certificate| signed.is_signer(certificate));
    let signer = signer.ok_or_else(|| none("it does not bring the certificate of its signer".into()))?;
    said(&signed, signer, stamped).map_err(|error| none(error.to_string()))?;
    Ok(response)
}

/// What to send to a timestamp authority (`application/timestamp-query`) for a timestamp over `stamped`.
fn timestamp_request(stamped: &[u8]) -> Vec<u8> {
    const BEFORE: [u8; 24] =
        [0x30, 57, 2, 1, 1, 0x30, 49, 0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 32];
    // The certificates are asked for, so that the timestamp can be verified alone.
    [&BEFORE[..], Digest::of(stamped).as_bytes(), &[1, 1, 0xff]].concat()
}

fn malformed(reason: impl std::fmt::Display) -> Error {
    Error::Malformed(format!("not a timestamp: {reason}"))
}

#[cfg(test)]
pub(crate) mod tests;
