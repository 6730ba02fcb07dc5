//! What is wrong with an object that a client sent.

/// Why a xorb, a shard or a file made of them is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes do not follow the format.
    #[error("malformed {0}")]
    Malformed(&'static str),
    /// The object is larger than the protocol allows.
    #[error("{0} is larger than the protocol allows")]
    TooLarge(&'static str),
    /// What was computed from the bytes is not what they claim.
    #[error("{what} is {computed}, not {claimed} as claimed")]
    Mismatch {
        /// The quantity or hash that differs.
        what: &'static str,
        /// What the client said.
        claimed: String,
        /// What the bytes give.
        computed: String,
    },
    /// A file names a xorb that nobody uploaded.
    #[error("xorb {0} is not known here")]
    UnknownXorb(crate::MerkleHash),
    /// A file names chunks that its xorb does not have.
    #[error("xorb {xorb} has no chunks {start}..{end}")]
    NoSuchChunks {
        /// The xorb.
        xorb: crate::MerkleHash,
        /// The first chunk asked for.
        start: u32,
        /// One past the last chunk asked for.
        end: u32,
    },
}
