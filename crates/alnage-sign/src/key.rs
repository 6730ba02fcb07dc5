//! ECDSA keys over P-256 and their PEM forms.

use std::fmt;

use alnage_types::Digest;
use p256::{
    ecdsa::{
        Signature,
        signature::{Signer as _, Verifier as _},
    },
    pkcs8::{
        DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _, LineEnding,
    },
};
use zeroize::Zeroizing;

use crate::Error;

/// A private key. Signatures are deterministic (RFC 6979), so that no random numbers are needed to sign.
pub struct SigningKey(p256::ecdsa::SigningKey);

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    key: p256::ecdsa::VerifyingKey,
    pem: String,
}

impl SigningKey {
    /// The key that 32 random bytes lead to. The same bytes give the same key.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        // A seed may be no valid scalar (one in 2^32 is not), so it is hashed with a counter until it is.
        let mut counter = 0_u32;
        loop {
            let mut input = Zeroizing::new(b"alnage P-256 key v1".to_vec());
            input.extend_from_slice(&counter.to_be_bytes());
            input.extend_from_slice(seed);
            let scalar = Zeroizing::new(*Digest::of(&input).as_bytes());
            if let Ok(key) = p256::ecdsa::SigningKey::from_slice(scalar.as_slice()) {
                return Self(key);
            }
            counter = counter.wrapping_add(1);
        }
    }

    /// Reads a private key in PEM: PKCS#8 (`PRIVATE KEY`) or SEC1 (`EC PRIVATE KEY`), text before it allowed.
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        if text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || text.contains("Proc-Type: 4,ENCRYPTED") {
            let message = "the private key is encrypted; give one without a password (`openssl pkcs8 -in KEY -nocrypt`)";
            return Err(Error::Key(message.into()));
        }
        if let Some(at) = text.find("-----BEGIN PRIVATE KEY-----") {
            return p256::SecretKey::from_pkcs8_pem(text[at..].trim_end())
                .map(|secret| Self(secret.into()))
                .map_err(|error| Error::Key(format!("not a P-256 private key in PKCS#8 form: {error}")));
        }
        // `openssl ecparam -genkey` writes the curve's name as a block of its own before the key.
        if let Some(at) = text.find("-----BEGIN EC PRIVATE KEY-----") {
            return p256::SecretKey::from_sec1_pem(text[at..].trim_end())
                .map(|secret| Self(secret.into()))
                .map_err(|error| Error::Key(format!("not a P-256 private key in SEC1 form: {error}")));
        }
        if text.contains("-----BEGIN PUBLIC KEY-----") {
            return Err(Error::Key("this is a public key; signing needs the private one".into()));
        }
        Err(Error::Key("no PEM private key (`-----BEGIN PRIVATE KEY-----`) in the file".into()))
    }

    /// The key as PKCS#8 PEM.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, Error> {
        self.0
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(|error| Error::Key(format!("the private key cannot be written: {error}")))
    }

    /// The public half.
    pub fn verifying_key(&self) -> Result<VerifyingKey, Error> {
        VerifyingKey::new(*self.0.verifying_key())
    }

    /// The DER form of the signature over `message`.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = self.0.sign(message);
        signature.to_der().as_bytes().to_vec()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(***)")
    }
}

impl VerifyingKey {
    /// Reads a public key in PEM (`PUBLIC KEY`), text before it allowed.
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        let Some(at) = text.find("-----BEGIN PUBLIC KEY-----") else {
            let message = if text.contains("PRIVATE KEY-----") {
                "this is a private key; verifying needs the public one, and the private one should stay with its owner"
            } else if text.contains("-----BEGIN CERTIFICATE-----") {
                "this is a certificate; verifying by certificate is not supported yet"
            } else {
                "no PEM public key (`-----BEGIN PUBLIC KEY-----`) in the file"
            };
            return Err(Error::Key(message.into()));
        };
        let key = p256::ecdsa::VerifyingKey::from_public_key_pem(text[at..].trim_end())
            .map_err(|error| Error::Key(format!("not a P-256 public key: {error}")))?;
        Self::new(key)
    }

    fn new(key: p256::ecdsa::VerifyingKey) -> Result<Self, Error> {
        let pem = key
            .to_public_key_pem(LineEnding::LF)
            .map_err(|error| Error::Key(format!("the public key cannot be written: {error}")))?;
        Ok(Self { key, pem })
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
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        let signature = Signature::from_der(signature).map_err(|_| Error::BadSignature)?;
        self.key.verify(message, &signature).map_err(|_| Error::BadSignature)
    }
}
