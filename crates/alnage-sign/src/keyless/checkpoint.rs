//! The signed state of Sigstore's transparency log: a note (<https://c2sp.org/signed-note>) that a log's key signed.
//!
//! The logs of `alnage-log` have keys of their own kinds; those of Sigstore also sign by ECDSA and RSA, under the
//! digest of the key as its id.

use alnage_types::Digest;
use base64ct::{Base64, Encoding as _};

use super::root::Log;
use crate::Error;

/// Longer than any checkpoint with its witnesses.
const MAX_NOTE: usize = 64 << 10;
/// More signatures than any witnessed checkpoint carries.
const MAX_SIGNATURES: usize = 100;

/// A state of a log, as it signed it.
pub(super) struct Checkpoint {
    pub(super) size: u64,
    pub(super) root: Digest,
}

impl Checkpoint {
    /// Reads a checkpoint once a signature of `log` is verified. What witnesses signed besides is passed over.
    pub(super) fn open(note: &str, log: &Log) -> Result<Self, Error> {
        let malformed = |reason: &str| Error::Malformed(format!("the checkpoint of its log: {reason}"));
        if note.len() > MAX_NOTE {
            return Err(malformed("it is too long"));
        }
        let (text, signatures) = note
            .rfind("\n\n")
            .and_then(|at| Some((note.get(..=at)?, note.get(at + 2..)?)))
            .ok_or_else(|| malformed("it is not signed"))?;
        let mut flaw = "it is not signed by that log's key".to_owned();
        let mut holds = false;
        for line in signatures.lines().take(MAX_SIGNATURES) {
            let blob = line.strip_prefix("— ").and_then(|line| line.split_once(' '));
            let (_, blob) = blob.ok_or_else(|| malformed("a line is no signature"))?;
            let blob = Base64::decode_vec(blob).map_err(|_| malformed("a signature is not base64"))?;
            let Some((hint, signature)) = blob.split_first_chunk::<4>() else {
                return Err(malformed("a signature is too short"));
            };
            if log.hint != Some(*hint) {
                continue;
            }
            // Four bytes may be those of another key too.
            match log.verify(text.as_bytes(), signature, None) {
                Ok(()) => holds = true,
                Err(reason) => flaw = reason,
            }
        }
        if !holds {
            return Err(Error::Untrusted(format!("the checkpoint of the log `{}`: {flaw}", log.name())));
        }
        parse(text).ok_or_else(|| malformed("it is no state of a log"))
    }
}

/// Origin, size and root, a line each; more lines may follow.
fn parse(text: &str) -> Option<Checkpoint> {
    let mut lines = text.split('\n');
    let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
    let plain = size.bytes().all(|byte| byte.is_ascii_digit()) && (size == "0" || !size.starts_with('0'));
    let root: [u8; 32] = Base64::decode_vec(root).ok()?.try_into().ok()?;
    (plain && !origin.is_empty()).then_some(())?;
    Some(Checkpoint { size: size.parse().ok()?, root: Digest::from_bytes(root) })
}
