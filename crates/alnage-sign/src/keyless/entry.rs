//! An entry of Sigstore's transparency log: that the log holds it, and when it says to have taken it in.

use alnage_types::{
    Digest,
    merkle::{leaf_hash, verify_inclusion},
};
use base64ct::{Base64, Encoding as _};
use serde::Deserialize;
use serde_json::Value;

use super::{
    checkpoint::Checkpoint,
    root::{Log, TrustedRoot},
    wire::{Bytes, Number},
};
use crate::{Error, x509::UnixTime};

/// A log of 2^64 entries has proofs of 64 hashes.
const MAX_HASHES: usize = 64;

/// Which proof a bundle has to bring that its entry is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inclusion {
    /// The log's promise, as bundles of version 0.1 have it.
    Promised,
    /// A proof up to a signed checkpoint.
    Proven,
}

/// An entry as carried; nothing of it is verified.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    #[serde(default)]
    log_index: Number,
    log_id: LogId,
    pub(super) kind_version: KindVersion,
    #[serde(default)]
    integrated_time: Number,
    inclusion_promise: Option<Promise>,
    inclusion_proof: Option<Proof>,
    pub(super) canonicalized_body: Bytes,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogId {
    key_id: Bytes,
}

/// What an entry is of.
#[derive(Debug, Deserialize)]
pub(super) struct KindVersion {
    pub(super) kind: String,
    pub(super) version: String,
}

impl KindVersion {
    /// Whether the second generation of the log made it, which promises nothing and tells no time.
    fn is_second_generation(&self) -> bool {
        matches!((self.kind.as_str(), self.version.as_str()), ("hashedrekord" | "dsse", "0.0.2"))
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Promise {
    signed_entry_timestamp: Bytes,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Proof {
    #[serde(default)]
    log_index: Number,
    #[serde(default)]
    tree_size: Number,
    #[serde(default)]
    root_hash: Bytes,
    #[serde(default)]
    hashes: Vec<Bytes>,
    checkpoint: Option<WrittenCheckpoint>,
}

#[derive(Debug, Deserialize)]
struct WrittenCheckpoint {
    envelope: String,
}

/// What a log vouches for.
pub(super) struct Logged<'a> {
    pub(super) log: &'a Log,
    /// When it took the entry in, when it signed that.
    pub(super) time: Option<UnixTime>,
}

impl Entry {
    /// Reads an entry.
    pub(super) fn parse(value: &Value) -> Result<Self, Error> {
        Self::deserialize(value)
            .map_err(|error| Error::Malformed(format!("its entry of the transparency log: {error}")))
    }

    /// Verifies that a log of the root holds the entry.
    pub(super) fn verify<'a>(
        &self,
        root: &'a TrustedRoot,
        inclusion: Inclusion,
    ) -> Result<Logged<'a>, Error> {
        let id = &self.log_id.key_id.0;
        let Some(log) = root.logs.iter().find(|log| log.id == *id) else {
            let id: String = id.iter().take(32).map(|byte| format!("{byte:02x}")).collect();
            return Err(Error::Unknown(format!("the transparency log `{id}` is not in the trusted root")));
        };
        let second = self.kind_version.is_second_generation();
        let promise = self.inclusion_promise.as_ref().filter(|_| !second);
        let proof = self.inclusion_proof.as_ref().filter(|proof| {
            // The first bundles had proofs that led nowhere; the promise stood for them.
            inclusion == Inclusion::Proven || second || proof.checkpoint.is_some()
        });
        match (promise, proof) {
            (None, _) if inclusion == Inclusion::Promised && !second => {
                return Err(Error::Malformed("the log's promise to take its entry in is missing".into()));
            }
            (_, None) if inclusion == Inclusion::Proven || second => {
                return Err(Error::Malformed("the proof that the log holds its entry is missing".into()));
            }
            _ => {}
        }
        if let Some(proof) = proof {
            self.verify_proof(proof, log, second)?;
        }
        let time = promise.map(|promise| self.verify_promise(promise, log)).transpose()?;
        Ok(Logged { log, time })
    }

    /// Gives the time that the log signed.
    fn verify_promise(&self, promise: &Promise, log: &Log) -> Result<UnixTime, Error> {
        let id: String = self.log_id.key_id.0.iter().map(|byte| format!("{byte:02x}")).collect();
        // Canonical JSON (RFC 8785); none of these texts holds anything to escape.
        let signed = format!(
            r#"{{"body":"{}","integratedTime":{},"logID":"{id}","logIndex":{}}}"#,
            Base64::encode_string(&self.canonicalized_body.0),
            self.integrated_time.0,
            self.log_index.0
        );
        log.verify(signed.as_bytes(), &promise.signed_entry_timestamp.0, None)
            .map_err(|reason| untrusted(format!("the promise of the log `{}`: {reason}", log.name())))?;
        Ok(UnixTime(self.integrated_time.0))
    }

    fn verify_proof(&self, proof: &Proof, log: &Log, second: bool) -> Result<(), Error> {
        let Some(written) = &proof.checkpoint else {
            return Err(Error::Malformed("the proof that the log holds its entry has no checkpoint".into()));
        };
        let checkpoint = Checkpoint::open(&written.envelope, log)?;
        // What stands beside the checkpoint is nobody's word. The first generation counts entries in a shard of
        // its own.
        let index = if second { self.log_index.0 } else { proof.log_index.0 };
        let stated = (proof.tree_size.0, proof.root_hash.0.as_slice());
        if !second && stated != (checkpoint.size, checkpoint.root.as_bytes().as_slice()) {
            return Err(untrusted("the inclusion proof is for another state of the log".into()));
        }
        if proof.hashes.len() > MAX_HASHES {
            return Err(Error::Malformed("the inclusion proof is too long".into()));
        }
        let hashes = proof.hashes.iter().map(|hash| <[u8; 32]>::try_from(hash.0.as_slice()).ok());
        let hashes = hashes.map(|hash| hash.map(Digest::from_bytes)).collect::<Option<Vec<_>>>();
        let hashes = hashes.ok_or_else(|| Error::Malformed("the inclusion proof holds no hashes".into()))?;
        let leaf = leaf_hash(&self.canonicalized_body.0);
        verify_inclusion(index, checkpoint.size, leaf, &hashes, checkpoint.root)
            .map_err(|reason| untrusted(reason.to_string()))
    }
}

fn untrusted(reason: String) -> Error {
    Error::Untrusted(reason)
}
