//! ECDSA keys over the curves of OpenSSF Model Signing, and what signs with one.

mod password;
mod pem;
mod signing;
mod verifying;

use std::fmt;

pub use signing::SigningKey;
pub use verifying::VerifyingKey;

use crate::Error;

/// A curve, and with it the hash that a message goes through before it is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Curve {
    /// NIST P-256 with SHA-256.
    P256,
    /// NIST P-384 with SHA-384.
    P384,
    /// NIST P-521 with SHA-512.
    P521,
}

impl Curve {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::P256, Self::P384, Self::P521];

    /// As command lines spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::P256 => "p256",
            Self::P384 => "p384",
            Self::P521 => "p521",
        }
    }

    /// For a person.
    pub fn title(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    /// How many bytes a coordinate, and each half of a signature, takes.
    pub fn field_size(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

/// What signs: a key in memory, a hardware module, another program.
pub trait Signer: fmt::Debug {
    /// How it signs.
    fn algorithm(&self) -> Curve {
        self.verifying_key().curve()
    }

    /// The public half.
    fn verifying_key(&self) -> &VerifyingKey;

    /// The DER form of the ECDSA signature over `message`, hashed as [`algorithm`](Self::algorithm) has it.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error>;
}
