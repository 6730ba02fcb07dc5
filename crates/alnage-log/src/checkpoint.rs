//! What a log has signed to be its state: <https://c2sp.org/tlog-checkpoint>.

use alnage_types::Digest;
use base64ct::{Base64, Encoding as _};

use crate::{Error, LogKey, LogVerifier, note};

/// The state of a log, as the log signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name.
    pub origin: String,
    /// How many entries it has.
    pub size: u64,
    /// The root over all of them.
    pub root: Digest,
}

impl Checkpoint {
    /// Reads a checkpoint once its signature is verified.
    pub fn open(text: &str, verifier: &LogVerifier) -> Result<Self, Error> {
        let malformed = |message: &str| Error::Malformed(format!("not a checkpoint: {message}"));
        let body = note::open(text, verifier)?;
        let mut lines = body.split('\n');
        let (origin, size, root) = match (lines.next(), lines.next(), lines.next()) {
            (Some(origin), Some(size), Some(root)) => (origin, size, root),
            _ => return Err(malformed("it has fewer than three lines")),
        };
        if origin != verifier.origin() {
            return Err(Error::Unproven(format!("it is of the log `{}`", origin.escape_debug())));
        }
        let size = decimal(size).ok_or_else(|| malformed("its size is no number"))?;
        let root = hash(root).ok_or_else(|| malformed("its root is no hash"))?;
        Ok(Self { origin: origin.to_owned(), size, root })
    }

    /// The checkpoint as the signed text that is stored and handed on.
    pub(crate) fn seal(size: u64, root: Digest, key: &LogKey) -> String {
        let root = Base64::encode_string(root.as_bytes());
        note::sign(&format!("{}\n{size}\n{root}\n", key.verifier().origin()), key)
    }
}

/// A number as checkpoints and proofs write it: no sign, no leading zero.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let plain = text == "0" || !text.starts_with('0');
    if digits && plain { text.parse().ok() } else { None }
}

/// A base64 hash.
pub(crate) fn hash(text: &str) -> Option<Digest> {
    let bytes = Base64::decode_vec(text).ok()?;
    Some(Digest::from_bytes(bytes.try_into().ok()?))
}
