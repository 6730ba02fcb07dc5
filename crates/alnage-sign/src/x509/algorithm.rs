//! The signature algorithms that certificates, revocation lists and timestamps are signed with.

use p256::{ecdsa::signature::hazmat::PrehashVerifier as _, pkcs8::DecodePublicKey as _};
use ring::signature::{self, RsaPublicKeyComponents};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use x509_cert::{
    der::{
        Decode as _, Encode as _, Reader as _, SliceReader, TagMode, TagNumber,
        asn1::{ObjectIdentifier, UintRef},
    },
    spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned},
};

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

const EC_KEY: ObjectIdentifier = oid("1.2.840.10045.2.1");
const P256: ObjectIdentifier = oid("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = oid("1.3.132.0.34");
const P521: ObjectIdentifier = oid("1.3.132.0.35");
const RSA_KEY: ObjectIdentifier = oid("1.2.840.113549.1.1.1");
const RSA_PSS: ObjectIdentifier = oid("1.2.840.113549.1.1.10");
const MASK_GENERATION_1: ObjectIdentifier = oid("1.2.840.113549.1.1.8");
const ED25519: ObjectIdentifier = oid("1.3.101.112");

/// RSA keys below this have been broken in practice; above, one signature takes too long.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// Below, a signature is its own message; above, checking one takes too long.
const RSA_EXPONENTS: std::ops::Range<u64> = 3..1 << 33;

/// A hash that is strong enough to sign over. SHA-1 and MD5 are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// The hash with this identifier.
    pub(crate) fn from_oid(identifier: ObjectIdentifier) -> Option<Self> {
        const SHA256: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.1");
        const SHA384: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.2");
        const SHA512: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.3");
        match identifier {
            SHA256 => Some(Self::Sha256),
            SHA384 => Some(Self::Sha384),
            SHA512 => Some(Self::Sha512),
            _ => None,
        }
    }

    /// The hash of `message`.
    pub(crate) fn of(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(message).to_vec(),
            Self::Sha384 => Sha384::digest(message).to_vec(),
            Self::Sha512 => Sha512::digest(message).to_vec(),
        }
    }

    /// How many bytes long it is.
    fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// A way to sign, as an algorithm identifier names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Ecdsa(Hash),
    RsaPkcs1(Hash),
    RsaPss { hash: Hash, salt: usize },
    Ed25519,
}

/// Whether `signature` over `message` is by the key `signer`; the error says why not.
///
/// `digest` is the hash that stands beside the algorithm where the algorithm may leave it open, as in CMS.
pub(crate) fn verify_signature(
    algorithm: &AlgorithmIdentifierOwned,
    digest: Option<Hash>,
    signer: &SubjectPublicKeyInfoOwned,
    message: &[u8],
    signature: &[u8],
) -> Result<(), String> {
    let scheme = scheme(algorithm, digest)
        .ok_or_else(|| format!("the signature algorithm {} is not accepted", algorithm.oid))?;
    let der = signer.to_der().map_err(|_| "the key cannot be read".to_owned())?;
    let holds = match scheme {
        Scheme::Ecdsa(hash) => ecdsa(signer, &der, &hash.of(message), signature),
        Scheme::RsaPkcs1(hash) => Some(rsa_pkcs1(&rsa_key(signer)?, hash, message, signature)),
        // TLS and the rules for public authorities allow no other length either.
        Scheme::RsaPss { hash, salt } if salt != hash.length() => {
            let length = hash.length();
            return Err(format!(
                "a signature by RSA-PSS with a salt of {salt} bytes is not accepted, only of {length} as its hash"
            ));
        }
        Scheme::RsaPss { hash, .. } => Some(rsa_pss(&rsa_key(signer)?, hash, message, signature)),
        Scheme::Ed25519 => ed25519(signer, message, signature),
    };
    match holds {
        Some(true) => Ok(()),
        Some(false) => Err("the signature does not match".to_owned()),
        None => Err("the signature is not by a key of its kind".to_owned()),
    }
}

fn scheme(algorithm: &AlgorithmIdentifierOwned, digest: Option<Hash>) -> Option<Scheme> {
    const ECDSA_SHA256: ObjectIdentifier = oid("1.2.840.10045.4.3.2");
    const ECDSA_SHA384: ObjectIdentifier = oid("1.2.840.10045.4.3.3");
    const ECDSA_SHA512: ObjectIdentifier = oid("1.2.840.10045.4.3.4");
    const RSA_SHA256: ObjectIdentifier = oid("1.2.840.113549.1.1.11");
    const RSA_SHA384: ObjectIdentifier = oid("1.2.840.113549.1.1.12");
    const RSA_SHA512: ObjectIdentifier = oid("1.2.840.113549.1.1.13");
    let scheme = match algorithm.oid {
        ECDSA_SHA256 => Scheme::Ecdsa(Hash::Sha256),
        ECDSA_SHA384 => Scheme::Ecdsa(Hash::Sha384),
        ECDSA_SHA512 => Scheme::Ecdsa(Hash::Sha512),
        EC_KEY => Scheme::Ecdsa(digest?),
        RSA_SHA256 => Scheme::RsaPkcs1(Hash::Sha256),
        RSA_SHA384 => Scheme::RsaPkcs1(Hash::Sha384),
        RSA_SHA512 => Scheme::RsaPkcs1(Hash::Sha512),
        RSA_KEY => Scheme::RsaPkcs1(digest?),
        RSA_PSS => {
            let (hash, salt) = pss_parameters(&algorithm.parameters.as_ref()?.to_der().ok()?)?;
            Scheme::RsaPss { hash, salt }
        }
        ED25519 => Scheme::Ed25519,
        _ => return None,
    };
    Some(scheme)
}

/// Hash and length of the salt. What the parameters leave out would mean SHA-1, which is not accepted.
fn pss_parameters(parameters: &[u8]) -> Option<(Hash, usize)> {
    let mut outer = SliceReader::new(parameters).ok()?;
    let found = outer.sequence(|fields| {
        let explicit = TagMode::Explicit;
        let hash: Option<AlgorithmIdentifierOwned> = fields.context_specific(TagNumber(0), explicit)?;
        let mask: Option<AlgorithmIdentifierOwned> = fields.context_specific(TagNumber(1), explicit)?;
        let salt: Option<u16> = fields.context_specific(TagNumber(2), explicit)?;
        let trailer: Option<u8> = fields.context_specific(TagNumber(3), explicit)?;
        Ok::<_, x509_cert::der::Error>((hash, mask, salt.unwrap_or(20), trailer.unwrap_or(1)))
    });
    let (hash, mask, salt, trailer) = found.ok()?;
    let hash = Hash::from_oid(hash?.oid)?;
    let mask = mask.filter(|mask| mask.oid == MASK_GENERATION_1)?;
    let mask_hash = AlgorithmIdentifierOwned::from_der(&mask.parameters?.to_der().ok()?).ok()?;
    (Hash::from_oid(mask_hash.oid)? == hash && trailer == 1).then_some((hash, usize::from(salt)))
}

fn ecdsa(signer: &SubjectPublicKeyInfoOwned, der: &[u8], prehash: &[u8], signature: &[u8]) -> Option<bool> {
    if signer.algorithm.oid != EC_KEY {
        return None;
    }
    let curve: ObjectIdentifier = signer.algorithm.parameters.as_ref()?.decode_as().ok()?;
    // A hash shorter than the curve's order stands for the same number with zeros in front.
    let padded = |size: usize| {
        let mut padded = vec![0; size.saturating_sub(prehash.len())];
        padded.extend_from_slice(prehash);
        padded
    };
    let holds = match curve {
        P256 => {
            let key = p256::ecdsa::VerifyingKey::from_public_key_der(der).ok()?;
            p256::ecdsa::Signature::from_der(signature)
                .and_then(|signature| key.verify_prehash(&padded(32), &signature))
        }
        P384 => {
            let key = p384::ecdsa::VerifyingKey::from_public_key_der(der).ok()?;
            p384::ecdsa::Signature::from_der(signature)
                .and_then(|signature| key.verify_prehash(&padded(48), &signature))
        }
        P521 => {
            let key = p521::ecdsa::VerifyingKey::from_public_key_der(der).ok()?;
            p521::ecdsa::Signature::from_der(signature)
                .and_then(|signature| key.verify_prehash(&padded(66), &signature))
        }
        _ => return None,
    };
    Some(holds.is_ok())
}

fn rsa_key(signer: &SubjectPublicKeyInfoOwned) -> Result<RsaPublicKeyComponents<&[u8]>, String> {
    if signer.algorithm.oid != RSA_KEY {
        return Err("the signature is not by a key of its kind".to_owned());
    }
    let key = rsa_components(signer).ok_or_else(|| "the RSA key cannot be read".to_owned())?;
    let unused = key.n.first().map_or(0, |first| first.leading_zeros() as usize);
    let bits = key.n.len() * 8 - unused;
    if RSA_BITS.contains(&bits) { Ok(key) } else { Err(format!("an RSA key of {bits} bits is not accepted")) }
}

/// Modulus and exponent of a key by RFC 8017, neither with zeros in front.
fn rsa_components(signer: &SubjectPublicKeyInfoOwned) -> Option<RsaPublicKeyComponents<&[u8]>> {
    signer.algorithm.parameters.as_ref().filter(|parameters| parameters.is_null())?;
    let mut outer = SliceReader::new(signer.subject_public_key.as_bytes()?).ok()?;
    let key = outer.sequence(|fields| {
        let (n, e): (UintRef<'_>, UintRef<'_>) = (fields.decode()?, fields.decode()?);
        Ok::<_, x509_cert::der::Error>(RsaPublicKeyComponents { n: n.as_bytes(), e: e.as_bytes() })
    });
    let key = key.ok().filter(|_| outer.is_finished())?;
    // Six bytes are beyond every exponent that is accepted.
    let exponent = key.e.iter().take(6).fold(0, |number, &byte| number << 8 | u64::from(byte));
    let is_odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
    (is_odd(key.n) && is_odd(key.e) && RSA_EXPONENTS.contains(&exponent)).then_some(key)
}

fn rsa_pkcs1(key: &RsaPublicKeyComponents<&[u8]>, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
    let parameters = match hash {
        Hash::Sha256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        Hash::Sha384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Hash::Sha512 => &signature::RSA_PKCS1_2048_8192_SHA512,
    };
    key.verify(parameters, message, signature).is_ok()
}

/// The salt is as long as the hash.
fn rsa_pss(key: &RsaPublicKeyComponents<&[u8]>, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
    let parameters = match hash {
        Hash::Sha256 => &signature::RSA_PSS_2048_8192_SHA256,
        Hash::Sha384 => &signature::RSA_PSS_2048_8192_SHA384,
        Hash::Sha512 => &signature::RSA_PSS_2048_8192_SHA512,
    };
    key.verify(parameters, message, signature).is_ok()
}

fn ed25519(signer: &SubjectPublicKeyInfoOwned, message: &[u8], signature: &[u8]) -> Option<bool> {
    if signer.algorithm.oid != ED25519 {
        return None;
    }
    let bytes: &[u8; 32] = signer.subject_public_key.as_bytes()?.try_into().ok()?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).ok()?;
    let signature = ed25519_dalek::Signature::from_slice(signature).ok()?;
    Some(key.verify_strict(message, &signature).is_ok())
}
