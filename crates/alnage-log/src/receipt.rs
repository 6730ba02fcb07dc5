//! The proof that a statement was logged, to be kept beside the model: <https://c2sp.org/tlog-proof>.

use std::fmt;

use alnage_types::Digest;
use base64ct::{Base64, Encoding as _};

use crate::{
    Checkpoint, Cosigned, Entry, Error, LogVerifier, Policy,
    checkpoint::{decimal, hash},
    leaf_hash, verify_inclusion,
};

const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// A tree of 2^64 leaves is that high.
const MAX_PROOF: usize = 64;

/// Says that an entry is in a log; nothing in it is to be believed before [`verify`](Self::verify).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    pub(crate) entry: Vec<u8>,
    pub(crate) index: u64,
    pub(crate) proof: Vec<Digest>,
    pub(crate) checkpoint: String,
}

/// An entry that is in a log. Only [`Receipt::verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Logged {
    /// What was logged.
    pub entry: Entry,
    /// As which entry, from 0.
    pub index: u64,
    /// The state of the log that proves it.
    pub checkpoint: Checkpoint,
}

impl Receipt {
    /// Reads a receipt.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let malformed = |message: &str| Error::Malformed(format!("not a receipt of a log: {message}"));
        let (head, checkpoint) =
            text.split_once("\n\n").ok_or_else(|| malformed("there is no checkpoint in it"))?;
        let mut lines = head.split('\n');
        if lines.next() != Some(HEADER) {
            return Err(malformed("it does not begin with `c2sp.org/tlog-proof@v1`"));
        }
        let entry = lines
            .next()
            .and_then(|line| line.strip_prefix("extra "))
            .and_then(|extra| Base64::decode_vec(extra).ok())
            .ok_or_else(|| malformed("there is no entry in it"))?;
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .and_then(decimal)
            .ok_or_else(|| malformed("there is no index in it"))?;
        let proof: Option<Vec<Digest>> = lines.take(MAX_PROOF + 1).map(hash).collect();
        let proof = proof.ok_or_else(|| malformed("a line of the proof is no hash"))?;
        if proof.len() > MAX_PROOF {
            return Err(malformed("the proof is too long"));
        }
        Ok(Self { entry, index, proof, checkpoint: checkpoint.to_owned() })
    }

    /// Verifies, without the log at hand, that the entry is in the log of `verifier`.
    pub fn verify(&self, verifier: &LogVerifier) -> Result<Logged, Error> {
        let checkpoint = Checkpoint::open(&self.checkpoint, verifier)?;
        let leaf = leaf_hash(&self.entry);
        verify_inclusion(self.index, checkpoint.size, leaf, &self.proof, checkpoint.root)?;
        Ok(Logged { entry: Entry::from_bytes(&self.entry)?, index: self.index, checkpoint })
    }
}

impl Receipt {
    /// The checkpoint that proves it, as it was signed.
    pub fn checkpoint(&self) -> &str {
        &self.checkpoint
    }

    /// Who has cosigned the checkpoint; an error when that does not suffice. [`verify`](Self::verify) is needed too.
    pub fn witnessed(&self, policy: &Policy) -> Result<Vec<Cosigned>, Error> {
        policy.verify(&self.checkpoint)
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The leaf's hash cannot be made without the entry, which is what `extra` is for.
        writeln!(f, "{HEADER}\nextra {}\nindex {}", Base64::encode_string(&self.entry), self.index)?;
        for hash in &self.proof {
            writeln!(f, "{}", Base64::encode_string(hash.as_bytes()))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}
