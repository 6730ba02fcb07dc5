//! Private keys in memory and their PEM forms.

use std::fmt;

use alnage_types::Digest;
use p256::{
    ecdsa::signature::Signer as _,
    pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, LineEnding},
};
use pkcs8::SecretDocument;
use zeroize::Zeroizing;

use super::{Curve, Signer, VerifyingKey, password, pem, verifying::PublicKey};
use crate::Error;

/// A private key. Signatures are deterministic (RFC 6979), so that no random numbers are needed to sign.
pub struct SigningKey {
    key: PrivateKey,
    public: VerifyingKey,
}

enum PrivateKey {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
}

impl SigningKey {
    /// The key over `curve` that random bytes lead to. The same bytes give the same key.
    ///
    /// Thirty-two bytes give every curve's key the strength of 128 bits or more against whoever searches for them.
    pub fn from_seed(curve: Curve, seed: &[u8; 32]) -> Result<Self, Error> {
        // A seed may be no valid scalar (one in 2^32 is not), so it is hashed with a counter until it is.
        for counter in 0..=u8::MAX {
            if let Some(key) = PrivateKey::from_scalar(curve, &scalar(curve, seed, counter)) {
                return Self::new(key);
            }
        }
        Err(Error::Key("no key follows from these random bytes".into()))
    }

    /// Reads a private key in PEM: PKCS#8 (`PRIVATE KEY`) or SEC1 (`EC PRIVATE KEY`), text around it allowed.
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        if password::encrypts(text) || text.contains("Proc-Type: 4,ENCRYPTED") {
            return Err(Error::Key("the private key is encrypted, and there is no password for it".into()));
        }
        if let Some(block) = pem::block(text, "PRIVATE KEY") {
            let (_, der) = SecretDocument::from_pem(block)
                .map_err(|error| Error::Key(format!("not a private key in PEM: {error}")))?;
            return Self::from_pkcs8(&der);
        }
        // `openssl ecparam -genkey` writes the curve's name as a block of its own before the key.
        if let Some(block) = pem::block(text, "EC PRIVATE KEY") {
            let message = "not a private key over P-256, P-384 or P-521 in SEC1 form";
            return PrivateKey::from_sec1(block)
                .ok_or_else(|| Error::Key(message.into()))
                .and_then(Self::new);
        }
        if pem::has(text, "PUBLIC KEY") {
            return Err(Error::Key("this is a public key; signing needs the private one".into()));
        }
        Err(Error::Key("no PEM private key (`-----BEGIN PRIVATE KEY-----`) in the file".into()))
    }

    /// The same, where the key may be under a password (`ENCRYPTED PRIVATE KEY`): only then it is asked for.
    /// What `password` says when it has none is told.
    pub fn from_pem_with(
        text: &str,
        password: impl FnOnce() -> Result<String, String>,
    ) -> Result<Self, Error> {
        if text.contains("Proc-Type: 4,ENCRYPTED") {
            let message = "the private key is encrypted in the way of old versions of OpenSSL; \
                           `openssl pkcs8 -topk8 -in KEY -out NEW` makes one that can be read";
            return Err(Error::Key(message.into()));
        }
        if password::encrypts(text) {
            let password = Zeroizing::new(password().map_err(Error::Key)?);
            return Self::from_pkcs8(&password::decrypt(text, &password)?);
        }
        Self::from_pem(text)
    }

    fn from_pkcs8(der: &SecretDocument) -> Result<Self, Error> {
        let message = "not a private key over P-256, P-384 or P-521 in PKCS#8 form";
        PrivateKey::from_pkcs8(der.as_bytes()).ok_or_else(|| Error::Key(message.into())).and_then(Self::new)
    }

    /// The key as PKCS#8 PEM.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, Error> {
        match &self.key {
            PrivateKey::P256(key) => key.to_pkcs8_pem(LineEnding::LF),
            PrivateKey::P384(key) => key.to_pkcs8_pem(LineEnding::LF),
            PrivateKey::P521(key) => key.to_pkcs8_pem(LineEnding::LF),
        }
        .map_err(|error| Error::Key(format!("the private key cannot be written: {error}")))
    }

    fn new(key: PrivateKey) -> Result<Self, Error> {
        let public = match &key {
            PrivateKey::P256(key) => PublicKey::P256(*key.verifying_key()),
            PrivateKey::P384(key) => PublicKey::P384(*key.verifying_key()),
            PrivateKey::P521(key) => PublicKey::P521(*key.verifying_key()),
        };
        Ok(Self { key, public: VerifyingKey::new(public)? })
    }
}

impl Signer for SigningKey {
    fn verifying_key(&self) -> &VerifyingKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(match &self.key {
            PrivateKey::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.to_der().as_bytes().to_vec()
            }
            PrivateKey::P384(key) => {
                let signature: p384::ecdsa::Signature = key.sign(message);
                signature.to_der().as_bytes().to_vec()
            }
            PrivateKey::P521(key) => {
                let signature: p521::ecdsa::Signature = key.sign(message);
                signature.to_der().as_bytes().to_vec()
            }
        })
    }
}

impl PrivateKey {
    fn from_scalar(curve: Curve, scalar: &[u8]) -> Option<Self> {
        match curve {
            Curve::P256 => p256::ecdsa::SigningKey::from_slice(scalar).ok().map(Self::P256),
            Curve::P384 => p384::ecdsa::SigningKey::from_slice(scalar).ok().map(Self::P384),
            Curve::P521 => p521::ecdsa::SigningKey::from_slice(scalar).ok().map(Self::P521),
        }
    }

    fn from_pkcs8(der: &[u8]) -> Option<Self> {
        let p256 = || Some(Self::P256(p256::SecretKey::from_pkcs8_der(der).ok()?.into()));
        let p384 = || Some(Self::P384(p384::SecretKey::from_pkcs8_der(der).ok()?.into()));
        let p521 = || Some(Self::P521(p521::SecretKey::from_pkcs8_der(der).ok()?.into()));
        p256().or_else(p384).or_else(p521)
    }

    fn from_sec1(block: &str) -> Option<Self> {
        let p256 = || Some(Self::P256(p256::SecretKey::from_sec1_pem(block).ok()?.into()));
        let p384 = || Some(Self::P384(p384::SecretKey::from_sec1_pem(block).ok()?.into()));
        let p521 = || Some(Self::P521(p521::SecretKey::from_sec1_pem(block).ok()?.into()));
        p256().or_else(p384).or_else(p521)
    }
}

/// As many bytes as a scalar of `curve` has.
fn scalar(curve: Curve, seed: &[u8; 32], counter: u8) -> Zeroizing<Vec<u8>> {
    let mut scalar = Zeroizing::new(Vec::new());
    for block in 0_u8..3 {
        let mut input = Zeroizing::new(format!("alnage {} key v1", curve.title()).into_bytes());
        input.extend_from_slice(&[0, 0, block, counter]);
        input.extend_from_slice(seed);
        scalar.extend_from_slice(Digest::of(&input).as_bytes());
    }
    scalar.truncate(curve.field_size());
    // The order of P-521 has 521 bits, of which one is in the first byte.
    if let (Curve::P521, Some(first)) = (curve, scalar.first_mut()) {
        *first &= 1;
    }
    scalar
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(***)")
    }
}
