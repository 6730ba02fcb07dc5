//! Signing keys that live elsewhere: in hardware modules (PKCS#11), and behind other programs.
//!
//! Both take part as [`alnage_sign::Signer`]. A PIN is never taken from a command line and never shown.

mod error;
mod exec;
mod pin;
mod token;
mod uri;

pub use error::Error;
pub use exec::{ExecSigner, ExecUri, Input};
pub use pin::{Pin, PinPlace};
pub use token::{TokenKey, module_path};
pub use uri::Pkcs11Uri;

use alnage_sign::Curve;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// The digest that a key on this curve signs.
fn digest(curve: Curve, message: &[u8]) -> Vec<u8> {
    match curve {
        Curve::P256 => Sha256::digest(message).to_vec(),
        Curve::P384 => Sha384::digest(message).to_vec(),
        Curve::P521 => Sha512::digest(message).to_vec(),
    }
}

#[cfg(test)]
mod tests;
