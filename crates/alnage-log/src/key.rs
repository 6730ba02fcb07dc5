//! One key of a log or a witness, in the text forms of signed notes.

use std::fmt;

use alnage_types::Digest;
use base64ct::{Base64, Encoding as _};
use ed25519_dalek::Signer as _;
use ml_dsa::MlDsa44;
use zeroize::Zeroizing;

use crate::{Error, message};

const PRIVATE: &str = "PRIVATE+KEY+";

/// How a key signs, which is part of what names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Ed25519 over a note's text: how a log signs its checkpoints.
    Ed25519,
    /// Ed25519 over a moment and a checkpoint: how a witness cosigns.
    Cosignature,
    /// ML-DSA-44 over a moment and a tree: how logs sign and witnesses cosign when quantum computers are feared.
    MlDsa44,
}

impl Scheme {
    /// The type byte in the encoding of keys.
    const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 1,
            Self::Cosignature => 4,
            Self::MlDsa44 => 6,
        }
    }

    fn of_byte(byte: u8) -> Option<Self> {
        [Self::Ed25519, Self::Cosignature, Self::MlDsa44].into_iter().find(|scheme| scheme.byte() == byte)
    }
}

/// Signs checkpoints under one name.
pub struct NoteKey {
    secret: Secret,
    seed: Zeroizing<[u8; 32]>,
    verifier: NoteVerifier,
}

enum Secret {
    Ed25519(Box<ed25519_dalek::SigningKey>),
    MlDsa44(Box<ml_dsa::SigningKey<MlDsa44>>),
}

/// Verifies signatures of one key under one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteVerifier {
    name: String,
    scheme: Scheme,
    key: Vec<u8>,
    key_id: [u8; 4],
}

impl NoteKey {
    /// The key that 32 random bytes are, under `name`: like a URL without its scheme.
    pub fn from_seed(scheme: Scheme, name: &str, seed: &[u8; 32]) -> Result<Self, Error> {
        let (secret, public) = match scheme {
            Scheme::Ed25519 | Scheme::Cosignature => {
                let key = ed25519_dalek::SigningKey::from_bytes(seed);
                let public = key.verifying_key().to_bytes().to_vec();
                (Secret::Ed25519(Box::new(key)), public)
            }
            Scheme::MlDsa44 => {
                let key = ml_dsa::SigningKey::<MlDsa44>::from_seed(&(*seed).into());
                let public = key.as_ref().encode().to_vec();
                (Secret::MlDsa44(Box::new(key)), public)
            }
        };
        let verifier = NoteVerifier::new(scheme, name, public)?;
        Ok(Self { secret, seed: Zeroizing::new(*seed), verifier })
    }

    /// Reads what [`to_text`](Self::to_text) gave.
    pub fn from_text(text: &str) -> Result<Self, Error> {
        let malformed = || Error::Malformed("not a private key of a log (`PRIVATE+KEY+NAME+ID+KEY`)".into());
        let text = text.trim().strip_prefix(PRIVATE).ok_or_else(malformed)?;
        let (name, key_id, encoded) = parts(text).ok_or_else(malformed)?;
        let encoded = Zeroizing::new(Base64::decode_vec(encoded).map_err(|_| malformed())?);
        let (&scheme, seed) = encoded.split_first().ok_or_else(malformed)?;
        let scheme = Scheme::of_byte(scheme).ok_or_else(malformed)?;
        let seed = Zeroizing::new(<[u8; 32]>::try_from(seed).map_err(|_| malformed())?);
        let key = Self::from_seed(scheme, name, &seed)?;
        if key.verifier.shown_key_id() != key_id {
            return Err(Error::Malformed("the private key of the log does not fit its name".into()));
        }
        Ok(key)
    }

    /// The key as text, to be kept where nobody else reads it.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut encoded = Zeroizing::new(vec![self.verifier.scheme.byte()]);
        encoded.extend_from_slice(self.seed.as_slice());
        let encoded = Zeroizing::new(Base64::encode_string(&encoded));
        let verifier = &self.verifier;
        Zeroizing::new(format!("{PRIVATE}{}+{}+{}\n", verifier.name, verifier.shown_key_id(), *encoded))
    }

    /// Several keys as text, one a line.
    pub fn texts(keys: &[Self]) -> Zeroizing<String> {
        let mut texts = Zeroizing::new(String::new());
        for key in keys {
            texts.push_str(&key.to_text());
        }
        texts
    }

    /// The public half.
    pub fn verifier(&self) -> &NoteVerifier {
        &self.verifier
    }

    /// The signature line for the note `text`, made at `time` (seconds since the beginning of 1970).
    pub(crate) fn signature_line(&self, text: &str, time: u64) -> Result<String, Error> {
        let verifier = &self.verifier;
        let mut blob = verifier.key_id.to_vec();
        let message = verifier.message(text, time)?;
        if verifier.scheme != Scheme::Ed25519 {
            blob.extend_from_slice(&time.to_be_bytes());
        }
        match &self.secret {
            Secret::Ed25519(key) => blob.extend_from_slice(&key.sign(&message).to_bytes()),
            Secret::MlDsa44(key) => {
                let signature = key.expanded_key().sign_deterministic(&message, &[]);
                let signature = signature.map_err(|_| Error::Malformed("the key cannot sign".into()))?;
                blob.extend_from_slice(&signature.encode());
            }
        }
        Ok(format!("— {} {}\n", verifier.name, Base64::encode_string(&blob)))
    }
}

impl fmt::Debug for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoteKey({}, ***)", self.verifier.name)
    }
}

impl NoteVerifier {
    fn new(scheme: Scheme, name: &str, key: Vec<u8>) -> Result<Self, Error> {
        let fits =
            |character: char| !character.is_whitespace() && !character.is_control() && character != '+';
        if name.is_empty() || name.len() > 255 || !name.chars().all(fits) {
            let message = format!(
                "`{:.80}` cannot name a log: up to 255 bytes, no spaces and no `+`",
                name.escape_debug()
            );
            return Err(Error::Malformed(message));
        }
        let mut named = name.as_bytes().to_vec();
        named.extend_from_slice(&[b'\n', scheme.byte()]);
        named.extend_from_slice(&key);
        let digest = Digest::of(&named);
        let [a, b, c, d, ..] = *digest.as_bytes();
        Ok(Self { name: name.to_owned(), scheme, key, key_id: [a, b, c, d] })
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
        let (name, key_id, encoded) = parts(text).ok_or_else(malformed)?;
        let encoded = Base64::decode_vec(encoded).map_err(|_| malformed())?;
        let (&scheme, key) = encoded.split_first().ok_or_else(malformed)?;
        let Some(scheme) = Scheme::of_byte(scheme) else {
            return Err(Error::Malformed(format!("keys of the type {scheme} are not supported")));
        };
        let fits = match scheme {
            Scheme::Ed25519 | Scheme::Cosignature => ed25519(key).is_some(),
            Scheme::MlDsa44 => ml_dsa_44(key).is_some(),
        };
        let verifier = if fits { Self::new(scheme, name, key.to_vec())? } else { return Err(malformed()) };
        if verifier.shown_key_id() != key_id {
            return Err(Error::Malformed("the public key of the log does not fit its name".into()));
        }
        Ok(verifier)
    }

    /// The name that signatures by this key carry.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How the key signs.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Whether both are one key, whatever its names.
    pub(crate) fn same_key(&self, other: &Self) -> bool {
        self.key == other.key
    }

    pub(crate) fn made(&self, name: &str, key_id: [u8; 4]) -> bool {
        self.name == name && self.key_id == key_id
    }

    fn shown_key_id(&self) -> String {
        format!("{:08x}", u32::from_be_bytes(self.key_id))
    }

    fn message(&self, text: &str, time: u64) -> Result<Vec<u8>, Error> {
        match self.scheme {
            Scheme::Ed25519 => Ok(text.as_bytes().to_vec()),
            Scheme::Cosignature => Ok(message::cosignature(text, time)),
            Scheme::MlDsa44 => message::subtree(text, &self.name, time),
        }
    }

    /// Verifies `signature`, which follows the key's id; gives the moment it carries.
    pub(crate) fn verify(&self, text: &str, signature: &[u8]) -> Result<u64, Error> {
        let unproven = || Error::Unproven(format!("the signature by `{}` does not match", self.name));
        let (time, signature) = match self.scheme {
            Scheme::Ed25519 => (0, signature),
            Scheme::Cosignature | Scheme::MlDsa44 => {
                let (time, signature) = signature.split_first_chunk::<8>().ok_or_else(unproven)?;
                (u64::from_be_bytes(*time), signature)
            }
        };
        if i64::try_from(time).is_err() {
            return Err(Error::Unproven(format!("the signature by `{}` is of no possible time", self.name)));
        }
        let message = self.message(text, time)?;
        let holds = match self.scheme {
            Scheme::Ed25519 | Scheme::Cosignature => {
                let signature = ed25519_dalek::Signature::from_slice(signature).map_err(|_| unproven())?;
                ed25519(&self.key).is_some_and(|key| key.verify_strict(&message, &signature).is_ok())
            }
            Scheme::MlDsa44 => {
                let signature = signature.try_into().ok().and_then(ml_dsa::Signature::<MlDsa44>::decode);
                let signature = signature.ok_or_else(unproven)?;
                ml_dsa_44(&self.key).is_some_and(|key| key.verify_with_context(&message, &[], &signature))
            }
        };
        if holds { Ok(time) } else { Err(unproven()) }
    }
}

fn ed25519(key: &[u8]) -> Option<ed25519_dalek::VerifyingKey> {
    ed25519_dalek::VerifyingKey::from_bytes(key.try_into().ok()?).ok()
}

fn ml_dsa_44(key: &[u8]) -> Option<ml_dsa::VerifyingKey<MlDsa44>> {
    Some(ml_dsa::VerifyingKey::decode(key.try_into().ok()?))
}

impl fmt::Display for NoteVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut encoded = vec![self.scheme.byte()];
        encoded.extend_from_slice(&self.key);
        write!(f, "{}+{}+{}", self.name, self.shown_key_id(), Base64::encode_string(&encoded))
    }
}

/// `NAME+ID+KEY`; base64 may hold `+` itself, a name may not.
fn parts(text: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = text.split_once('+')?;
    let (key_id, encoded) = rest.split_once('+')?;
    Some((name, key_id, encoded))
}
