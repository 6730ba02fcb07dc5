//! Public keys, their PEM and DER forms, and what they verify.

use alnage_types::Digest;
use p256::{
    ecdsa::signature::{Verifier as _, hazmat::PrehashVerifier as _},
    pkcs8::{DecodePublicKey as _, EncodePublicKey as _, LineEnding},
};

use super::{Curve, pem};
use crate::Error;

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    key: PublicKey,
    pem: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PublicKey {
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
}

impl VerifyingKey {
    /// Reads a public key in PEM (`PUBLIC KEY`), text around it allowed.
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        let Some(block) = pem::block(text, "PUBLIC KEY") else {
            let message = if text.contains("PRIVATE KEY-----") {
                "this is a private key; verifying needs the public one, and the private one should stay with its owner"
            } else if pem::has(text, "CERTIFICATE") {
                "this is a certificate, not a public key"
            } else {
                "no PEM public key (`-----BEGIN PUBLIC KEY-----`) in the file"
            };
            return Err(Error::Key(message.into()));
        };
        let p256 = || Some(PublicKey::P256(p256::ecdsa::VerifyingKey::from_public_key_pem(block).ok()?));
        let p384 = || Some(PublicKey::P384(p384::ecdsa::VerifyingKey::from_public_key_pem(block).ok()?));
        let p521 = || Some(PublicKey::P521(p521::ecdsa::VerifyingKey::from_public_key_pem(block).ok()?));
        Self::new(p256().or_else(p384).or_else(p521).ok_or_else(not_a_key)?)
    }

    /// Reads a public key in DER, as a certificate holds it (SubjectPublicKeyInfo).
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        let p256 = || Some(PublicKey::P256(p256::ecdsa::VerifyingKey::from_public_key_der(der).ok()?));
        let p384 = || Some(PublicKey::P384(p384::ecdsa::VerifyingKey::from_public_key_der(der).ok()?));
        let p521 = || Some(PublicKey::P521(p521::ecdsa::VerifyingKey::from_public_key_der(der).ok()?));
        Self::new(p256().or_else(p384).or_else(p521).ok_or_else(not_a_key)?)
    }

    /// Reads the point `04 ‖ X ‖ Y`, as hardware modules give it.
    pub fn from_point(curve: Curve, point: &[u8]) -> Result<Self, Error> {
        let key = match curve {
            Curve::P256 => p256::ecdsa::VerifyingKey::from_sec1_bytes(point).map(PublicKey::P256),
            Curve::P384 => p384::ecdsa::VerifyingKey::from_sec1_bytes(point).map(PublicKey::P384),
            Curve::P521 => p521::ecdsa::VerifyingKey::from_sec1_bytes(point).map(PublicKey::P521),
        };
        Self::new(key.map_err(|_| Error::Key(format!("not a point of {}", curve.title())))?)
    }

    pub(super) fn new(key: PublicKey) -> Result<Self, Error> {
        let pem = match &key {
            PublicKey::P256(key) => key.to_public_key_pem(LineEnding::LF),
            PublicKey::P384(key) => key.to_public_key_pem(LineEnding::LF),
            PublicKey::P521(key) => key.to_public_key_pem(LineEnding::LF),
        };
        let pem = pem.map_err(|error| Error::Key(format!("the public key cannot be written: {error}")))?;
        Ok(Self { key, pem })
    }

    /// The curve it lies on.
    pub fn curve(&self) -> Curve {
        match &self.key {
            PublicKey::P256(_) => Curve::P256,
            PublicKey::P384(_) => Curve::P384,
            PublicKey::P521(_) => Curve::P521,
        }
    }

    /// The key as SPKI PEM.
    pub fn to_pem(&self) -> &str {
        &self.pem
    }

    /// What bundles name the key by: the digest of [`to_pem`](Self::to_pem), whatever the user's file looks like.
    pub fn hint(&self) -> Digest {
        Digest::of(self.pem.as_bytes())
    }

    /// Whether `signature`, in DER, is by this key over `message`.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        match &self.key {
            PublicKey::P256(key) => p256::ecdsa::Signature::from_der(signature)
                .and_then(|signature| key.verify(message, &signature)),
            PublicKey::P384(key) => p384::ecdsa::Signature::from_der(signature)
                .and_then(|signature| key.verify(message, &signature)),
            PublicKey::P521(key) => p521::ecdsa::Signature::from_der(signature)
                .and_then(|signature| key.verify(message, &signature)),
        }
        .map_err(|_| Error::BadSignature)
    }

    /// Whether `signature`, in DER, is by this key over a message with this SHA-256 digest, whatever hash belongs to
    /// the curve: the first model signatures were made so.
    pub(crate) fn verify_sha256(&self, digest: Digest, signature: &[u8]) -> Result<(), Error> {
        // A hash shorter than the curve's order stands for the same number with zeros in front.
        let padding = self.curve().field_size().saturating_sub(digest.as_bytes().len());
        let mut prehash = vec![0; padding];
        prehash.extend_from_slice(digest.as_bytes());
        match &self.key {
            PublicKey::P256(key) => p256::ecdsa::Signature::from_der(signature)
                .and_then(|signature| key.verify_prehash(&prehash, &signature)),
            PublicKey::P384(key) => p384::ecdsa::Signature::from_der(signature)
                .and_then(|signature| key.verify_prehash(&prehash, &signature)),
            PublicKey::P521(key) => p521::ecdsa::Signature::from_der(signature)
                .and_then(|signature| key.verify_prehash(&prehash, &signature)),
        }
        .map_err(|_| Error::BadSignature)
    }
}

fn not_a_key() -> Error {
    Error::Key("not a public key over P-256, P-384 or P-521".into())
}
