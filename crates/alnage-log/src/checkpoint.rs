//! What a log has signed to be its state: <https://c2sp.org/tlog-checkpoint>.

use alnage_types::Digest;
use base64ct::{Base64, Encoding as _};

use crate::{Error, LogKey, LogVerifier, note::Note};

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
    /// Reads a checkpoint once its signatures are verified.
    pub fn open(note: &str, verifier: &LogVerifier) -> Result<Self, Error> {
        let checkpoint = parse(verifier.open(note)?)?;
        if checkpoint.origin != verifier.origin() {
            let origin = checkpoint.origin.escape_debug();
            return Err(Error::Unproven(format!("it is of the log `{origin:.80}`")));
        }
        Ok(checkpoint)
    }

    /// The checkpoint as the signed text that is stored and handed on.
    pub(crate) fn seal(size: u64, root: Digest, key: &LogKey) -> Result<String, Error> {
        let root = Base64::encode_string(root.as_bytes());
        key.sign(&format!("{}\n{size}\n{root}\n", key.verifier().origin()))
    }
}

/// Which log a signed checkpoint says it is of, to find the key that can tell.
pub(crate) fn claimed_origin(note: &str) -> Result<String, Error> {
    Ok(parse(Note::parse(note)?.text)?.origin)
}

/// Reads the text of a checkpoint, which no signature vouches for yet.
pub(crate) fn parse(text: &str) -> Result<Checkpoint, Error> {
    let malformed = |message: &str| Error::Malformed(format!("not a checkpoint: {message}"));
    let text = text.strip_suffix('\n').ok_or_else(|| malformed("its last line does not end"))?;
    let mut lines = text.split('\n');
    let (origin, size, root) = match (lines.next(), lines.next(), lines.next()) {
        (Some(origin), Some(size), Some(root)) if !origin.is_empty() => (origin, size, root),
        _ => return Err(malformed("it has fewer than three lines")),
    };
    if lines.any(str::is_empty) {
        return Err(malformed("an extension line is empty"));
    }
    let size = decimal(size).ok_or_else(|| malformed("its size is no number"))?;
    let root = hash(root).ok_or_else(|| malformed("its root is no hash"))?;
    Ok(Checkpoint { origin: origin.to_owned(), size, root })
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
