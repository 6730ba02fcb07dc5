//! The log's Ed25519 key, in the text forms of signed notes.

use std::fmt;

use alnage_types::Digest;
use base64ct::{Base64, Encoding as _};
use ed25519_dalek::Signer as _;
use zeroize::Zeroizing;

use crate::Error;

/// Type byte of Ed25519 in the encoding of keys.
const ED25519: u8 = 1;
const PRIVATE: &str = "PRIVATE+KEY+";

/// Signs checkpoints of one log.
pub struct LogKey {
    key: ed25519_dalek::SigningKey,
    verifier: LogVerifier,
}

/// Verifies checkpoints of one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogVerifier {
    origin: String,
    key: ed25519_dalek::VerifyingKey,
    key_id: [u8; 4],
}

impl LogKey {
    /// The key that 32 random bytes are, for the log named `origin`: like a URL without its scheme.
    pub fn from_seed(origin: &str, seed: &[u8; 32]) -> Result<Self, Error> {
        let key = ed25519_dalek::SigningKey::from_bytes(seed);
        let verifier = LogVerifier::new(origin, key.verifying_key())?;
        Ok(Self { key, verifier })
    }

    /// Reads what [`to_text`](Self::to_text) gave.
    pub fn from_text(text: &str) -> Result<Self, Error> {
        let malformed =
            || Error::Malformed("not the private key of a log (`PRIVATE+KEY+NAME+ID+KEY`)".into());
        let text = text.trim().strip_prefix(PRIVATE).ok_or_else(malformed)?;
        let (origin, key_id, encoded) = parts(text).ok_or_else(malformed)?;
        let encoded = Zeroizing::new(Base64::decode_vec(encoded).map_err(|_| malformed())?);
        let Some((&ED25519, seed)) = encoded.split_first() else {
            return Err(malformed());
        };
        let seed = Zeroizing::new(<[u8; 32]>::try_from(seed).map_err(|_| malformed())?);
        let key = Self::from_seed(origin, &seed)?;
        if key.verifier.shown_key_id() != key_id {
            return Err(Error::Malformed("the private key of the log does not fit its name".into()));
        }
        Ok(key)
    }

    /// The key as text, to be kept where nobody else reads it.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut encoded = Zeroizing::new(vec![ED25519]);
        encoded.extend_from_slice(Zeroizing::new(self.key.to_bytes()).as_slice());
        let encoded = Zeroizing::new(Base64::encode_string(&encoded));
        let verifier = &self.verifier;
        Zeroizing::new(format!("{PRIVATE}{}+{}+{}\n", verifier.origin, verifier.shown_key_id(), *encoded))
    }

    /// The public half.
    pub fn verifier(&self) -> &LogVerifier {
        &self.verifier
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogKey({}, ***)", self.verifier.origin)
    }
}

impl LogVerifier {
    fn new(origin: &str, key: ed25519_dalek::VerifyingKey) -> Result<Self, Error> {
        let fits =
            |character: char| !character.is_whitespace() && !character.is_control() && character != '+';
        if origin.is_empty() || !origin.chars().all(fits) {
            let message = format!("`{}` cannot name a log: no spaces and no `+`", origin.escape_debug());
            return Err(Error::Malformed(message));
        }
        let mut named = origin.as_bytes().to_vec();
        named.extend_from_slice(&[b'\n', ED25519]);
        named.extend_from_slice(key.as_bytes());
        let digest = Digest::of(&named);
        let [a, b, c, d, ..] = *digest.as_bytes();
        Ok(Self { origin: origin.to_owned(), key, key_id: [a, b, c, d] })
    }

    /// Reads a verifier key: `NAME+ID+KEY`, one line.
    pub fn from_text(text: &str) -> Result<Self, Error> {
        let malformed = || Error::Malformed("not the public key of a log (`NAME+ID+KEY`)".into());
        let text = text.trim();
        if text.starts_with(PRIVATE) {
            return Err(Error::Malformed(
                "this is the private key of a log; the public one is needed".into(),
            ));
        }
        let (origin, key_id, encoded) = parts(text).ok_or_else(malformed)?;
        let encoded = Base64::decode_vec(encoded).map_err(|_| malformed())?;
        let Some((&ED25519, key)) = encoded.split_first() else {
            return Err(malformed());
        };
        let key = <[u8; 32]>::try_from(key).map_err(|_| malformed())?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(&key).map_err(|_| malformed())?;
        let verifier = Self::new(origin, key)?;
        if verifier.shown_key_id() != key_id {
            return Err(Error::Malformed("the public key of the log does not fit its name".into()));
        }
        Ok(verifier)
    }

    /// The log's name, the first line of its checkpoints.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub(crate) fn key_id(&self) -> &[u8; 4] {
        &self.key_id
    }

    fn shown_key_id(&self) -> String {
        format!("{:08x}", u32::from_be_bytes(self.key_id))
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        let unproven = |_| Error::Unproven(format!("the signature by `{}` does not match", self.origin));
        let signature = ed25519_dalek::Signature::from_slice(signature).map_err(unproven)?;
        self.key.verify_strict(message, &signature).map_err(unproven)
    }
}

impl fmt::Display for LogVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut encoded = vec![ED25519];
        encoded.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.origin, self.shown_key_id(), Base64::encode_string(&encoded))
    }
}

/// `NAME+ID+KEY`; base64 may hold `+` itself, a name may not.
fn parts(text: &str) -> Option<(&str, &str, &str)> {
    let (origin, rest) = text.split_once('+')?;
    let (key_id, encoded) = rest.split_once('+')?;
    Some((origin, key_id, encoded))
}
