//! What somebody shows to prove who they are.

use std::fmt;

use alnage_types::Digest;

use crate::{Error, Result};

const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// How every hub's tokens begin; clients forward no others.
const PREFIX: &str = "hf_";

/// A token, or the name of a session: shown once, never stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A new token: `hf_` and 40 letters and digits.
    pub fn token() -> Result<Self> {
        Ok(Self(format!("{PREFIX}{}", random(40)?)))
    }

    /// A new secret without a form of its own.
    pub fn plain() -> Result<Self> {
        Ok(Self(random(43)?))
    }

    /// A new secret that people read to each other: `KDRT-7WXM`. It lives for minutes, and who guesses has to wait.
    pub fn spoken() -> Result<Self> {
        const CLEAR: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).map_err(|error| Error::internal(error.to_string()))?;
        let mut letters: String =
            bytes.iter().map(|byte| char::from(CLEAR[usize::from(byte % 32)])).collect();
        letters.insert(4, '-');
        Ok(Self(letters))
    }

    /// A secret that was made before.
    pub fn of(text: String) -> Self {
        Self(text)
    }

    /// A token that was chosen elsewhere, if it has a token's form.
    pub fn parse_token(text: &str) -> Result<Self> {
        let rest = text.strip_prefix(PREFIX).unwrap_or_default();
        if rest.len() == 40 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::Invalid("a token is `hf_` and 40 letters and digits".into()))
    }

    /// The secret itself, to hand it over.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored of it.
    pub fn hash(&self) -> String {
        hash(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// What is stored of a secret.
pub(super) fn hash(secret: &str) -> String {
    Digest::of(secret.as_bytes()).to_string()
}

/// So many letters and digits at random.
pub(super) fn random(length: usize) -> Result<String> {
    let mut letters = String::with_capacity(length);
    let mut bytes = [0; 64];
    while letters.len() < length {
        getrandom::fill(&mut bytes).map_err(|error| Error::internal(error.to_string()))?;
        // 248 is four times 62: bytes above it would make the first letters likelier.
        let fair =
            bytes.iter().filter(|byte| **byte < 248).map(|byte| LETTERS[usize::from(*byte) % LETTERS.len()]);
        letters.extend(fair.take(length - letters.len()).map(char::from));
    }
    Ok(letters)
}
