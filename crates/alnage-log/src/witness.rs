//! A witness's decision: cosigns a checkpoint that continues what it saw of the log before:
//! <https://c2sp.org/tlog-witness>.

use std::fmt;

use alnage_types::Digest;
use base64ct::{Base64, Encoding as _};

use crate::{
    Checkpoint, Error, LogVerifier, NoteKey, NoteVerifier, Scheme,
    checkpoint::{self, decimal, hash},
    empty_root,
    note::Note,
    verify_consistency,
};

/// More than a tree of 2^63 leaves needs.
const MAX_PROOF: usize = 63;

/// A newer checkpoint with the proof that it continues an older one: what a log sends to a witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The size of the older one.
    pub old_size: u64,
    /// The consistency proof between both.
    pub proof: Vec<Digest>,
    /// The newer one, signed by the log.
    pub checkpoint: String,
}

/// Why a witness does not cosign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request is not one.
    #[error("{0}")]
    Malformed(String),
    /// The log is not one that the witness watches.
    #[error("the log `{0}` is not known here")]
    UnknownLog(String),
    /// The log's signature is missing or does not hold.
    #[error("{0}")]
    NotSigned(String),
    /// The witness knows another state of the log; the size of that.
    #[error("the newest checkpoint known here is of size {0}")]
    Stale(u64),
    /// The checkpoint does not continue what the witness knows: the log has two stories.
    #[error("{0}")]
    NotProven(String),
}

/// What a witness does with an update that it agrees to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreed {
    /// What it has seen now; kept in a safe place before the cosignatures are handed out.
    pub checkpoint: Checkpoint,
    /// Its cosignatures, one a line.
    pub cosignatures: String,
    /// The checkpoint with the cosignatures, to be kept as evidence.
    pub note: String,
}

impl Update {
    /// Reads the body of an `add-checkpoint` request.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let malformed = |message: &str| Error::Malformed(format!("not an update of a log: {message}"));
        let (head, checkpoint) =
            text.split_once("\n\n").ok_or_else(|| malformed("there is no checkpoint in it"))?;
        let mut lines = head.split('\n');
        let old_size = lines.next().and_then(|line| line.strip_prefix("old ")).and_then(decimal);
        let old_size = old_size.ok_or_else(|| malformed("it does not begin with the old size"))?;
        let proof: Option<Vec<Digest>> = lines.take(MAX_PROOF + 1).map(hash).collect();
        let proof = proof.ok_or_else(|| malformed("a line of the proof is no hash"))?;
        if proof.len() > MAX_PROOF {
            return Err(malformed("the proof is too long"));
        }
        Ok(Self { old_size, proof, checkpoint: checkpoint.to_owned() })
    }

    /// Verifies that the newer checkpoint is signed by the log and continues `old`.
    pub fn verify(&self, old: &Checkpoint, verifier: &LogVerifier) -> Result<Checkpoint, Error> {
        let new = Checkpoint::open(&self.checkpoint, verifier)?;
        if old.origin != new.origin {
            return Err(Error::Unproven("the checkpoints are of two logs".into()));
        }
        if old.size != self.old_size {
            let message =
                format!("the proof is from size {}, the checkpoint has {}", self.old_size, old.size);
            return Err(Error::Unproven(message));
        }
        verify_consistency(old.size, new.size, &self.proof, old.root, new.root)?;
        Ok(new)
    }
}

impl fmt::Display for Update {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old_size)?;
        for hash in &self.proof {
            writeln!(f, "{}", Base64::encode_string(hash.as_bytes()))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

/// The log among `logs` whose checkpoint the update brings.
pub fn log_of_update<'a>(update: &Update, logs: &'a [LogVerifier]) -> Result<&'a LogVerifier, Refusal> {
    let origin = checkpoint::claimed_origin(&update.checkpoint)
        .map_err(|error| Refusal::Malformed(error.to_string()))?;
    let log = logs.iter().find(|log| log.origin() == origin);
    log.ok_or_else(|| Refusal::UnknownLog(format!("{:.80}", origin.escape_debug())))
}

/// The checkpoint in a note that one of the witness's own keys has cosigned: what it has seen last.
pub fn cosigned_checkpoint<'a>(
    note: &str,
    own: impl IntoIterator<Item = &'a NoteVerifier>,
) -> Result<Checkpoint, Error> {
    let note = Note::parse(note)?;
    for verifier in own {
        if note.verify(verifier)?.is_some() {
            return checkpoint::parse(note.text);
        }
    }
    Err(Error::Damaged("what this witness has seen last is not cosigned by it".into()))
}

/// Decides on an update of `log`, of which `latest` was the last checkpoint cosigned. Whoever calls this keeps others
/// from changing `latest` until the result is stored.
pub fn witness(
    update: &Update,
    log: &LogVerifier,
    latest: Option<&Checkpoint>,
    keys: &[NoteKey],
    time: u64,
) -> Result<Agreed, Refusal> {
    let text = log.open(&update.checkpoint).map_err(|error| Refusal::NotSigned(error.to_string()))?;
    let checkpoint = checkpoint::parse(text).map_err(|error| Refusal::Malformed(error.to_string()))?;
    if checkpoint.origin != log.origin() {
        return Err(Refusal::UnknownLog(format!("{:.80}", checkpoint.origin.escape_debug())));
    }
    if update.old_size > checkpoint.size {
        return Err(Refusal::Malformed("the old size is larger than the new one".into()));
    }
    let (size, root) = latest.map_or((0, empty_root()), |latest| (latest.size, latest.root));
    if update.old_size != size || checkpoint.size == size && checkpoint.root != root {
        return Err(Refusal::Stale(size));
    }
    verify_consistency(size, checkpoint.size, &update.proof, root, checkpoint.root)
        .map_err(|error| Refusal::NotProven(error.to_string()))?;
    let mut cosignatures = String::new();
    for key in keys.iter().filter(|key| key.verifier().scheme() != Scheme::Ed25519) {
        let line = key.signature_line(text, time).map_err(|error| Refusal::Malformed(error.to_string()))?;
        cosignatures.push_str(&line);
    }
    let mut note = format!("{text}\n");
    let signed = Note::parse(&update.checkpoint).map_err(|error| Refusal::Malformed(error.to_string()))?;
    for line in log.keys().iter().flat_map(|key| signed.lines_by(key)) {
        note.push_str(line);
        note.push('\n');
    }
    note.push_str(&cosignatures);
    Ok(Agreed { checkpoint, cosignatures, note })
}
