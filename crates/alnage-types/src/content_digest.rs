//! A digest by one of the algorithms that model signatures may name content with.

use std::{fmt, str::FromStr};

use crate::{Digest, InvalidDigest};

/// An algorithm of OpenSSF Model Signing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashAlgorithm {
    /// SHA-256 (FIPS 180-4).
    Sha256,
    /// BLAKE2b with 64 bytes of output and no key (RFC 7693).
    Blake2b512,
    /// BLAKE3 with its 32 bytes of output and no key.
    Blake3,
}

/// The text names no algorithm of OpenSSF Model Signing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownAlgorithm;

/// A digest and the algorithm it was made by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContentDigest {
    /// By SHA-256.
    Sha256([u8; 32]),
    /// By BLAKE2b.
    Blake2b512([u8; 64]),
    /// By BLAKE3.
    Blake3([u8; 32]),
}

impl HashAlgorithm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Blake2b512, Self::Blake3];

    /// As signatures spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Blake2b512 => "blake2b",
            Self::Blake3 => "blake3",
        }
    }

    /// For a person.
    pub fn title(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Blake2b512 => "BLAKE2b",
            Self::Blake3 => "BLAKE3",
        }
    }
}

impl FromStr for HashAlgorithm {
    type Err = UnknownAlgorithm;

    fn from_str(text: &str) -> Result<Self, UnknownAlgorithm> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == text).ok_or(UnknownAlgorithm)
    }
}

impl fmt::Display for UnknownAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not one of `sha256`, `blake2b` and `blake3`")
    }
}

impl std::error::Error for UnknownAlgorithm {}

impl ContentDigest {
    /// Reads hexadecimal digits, of either case, as a digest by `algorithm`.
    pub fn from_hex(algorithm: HashAlgorithm, text: &str) -> Result<Self, InvalidDigest> {
        Ok(match algorithm {
            HashAlgorithm::Sha256 => Self::Sha256(unhex(text)?),
            HashAlgorithm::Blake2b512 => Self::Blake2b512(unhex(text)?),
            HashAlgorithm::Blake3 => Self::Blake3(unhex(text)?),
        })
    }

    /// Which algorithm made it.
    pub fn algorithm(&self) -> HashAlgorithm {
        match self {
            Self::Sha256(_) => HashAlgorithm::Sha256,
            Self::Blake2b512(_) => HashAlgorithm::Blake2b512,
            Self::Blake3(_) => HashAlgorithm::Blake3,
        }
    }

    /// The raw bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Sha256(bytes) | Self::Blake3(bytes) => bytes,
            Self::Blake2b512(bytes) => bytes,
        }
    }

    /// The digest as SHA-256, when it is one.
    pub fn sha256(&self) -> Option<Digest> {
        match self {
            Self::Sha256(bytes) => Some(Digest::from_bytes(*bytes)),
            Self::Blake2b512(_) | Self::Blake3(_) => None,
        }
    }
}

fn unhex<const N: usize>(text: &str) -> Result<[u8; N], InvalidDigest> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return Err(InvalidDigest) };
    if pairs.len() != N {
        return Err(InvalidDigest);
    }
    let digit = |character: u8| (character as char).to_digit(16).ok_or(InvalidDigest);
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = (digit(*high)? << 4 | digit(*low)?) as u8;
    }
    Ok(bytes)
}

impl From<Digest> for ContentDigest {
    fn from(digest: Digest) -> Self {
        Self::Sha256(*digest.as_bytes())
    }
}

/// The hexadecimal digits, lower-case.
impl fmt::Display for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{self}", self.algorithm().as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_read_back_and_others_refused() {
        for (algorithm, digits) in
            [(HashAlgorithm::Sha256, 64), (HashAlgorithm::Blake2b512, 128), (HashAlgorithm::Blake3, 64)]
        {
            let text = "0f".repeat(digits / 2);
            let digest = ContentDigest::from_hex(algorithm, &text).expect("as many digits as it has");
            assert_eq!(digest.to_string(), text);
            assert_eq!(ContentDigest::from_hex(algorithm, &text.to_uppercase()), Ok(digest));
            assert_eq!(algorithm.as_str().parse(), Ok(algorithm));
            for wrong in [&text[1..], &text[2..], &format!("{text}00"), &text.replace('f', "g"), "é"] {
                assert_eq!(ContentDigest::from_hex(algorithm, wrong), Err(InvalidDigest), "{wrong}");
            }
        }
        assert_eq!("blake2".parse::<HashAlgorithm>(), Err(UnknownAlgorithm));
    }
}
