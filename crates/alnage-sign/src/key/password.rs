//! Private keys under a password: PKCS#8 encrypted by PBES2 (RFC 8018), as OpenSSL and Python write them.

use pkcs8::{
    EncryptedPrivateKeyInfoRef, SecretDocument,
    pkcs5::{EncryptionScheme, pbes2::Kdf},
};

use super::pem;
use crate::Error;

const LABEL: &str = "ENCRYPTED PRIVATE KEY";
/// What is spent on a key file at most: OpenSSL writes 2,048 iterations, careful people 600,000.
const MAX_ITERATIONS: u32 = 50_000_000;
/// The same for memory, of which scrypt takes 16 MiB as OpenSSL writes it.
const MAX_MEMORY: u64 = 1 << 30;

/// Whether the key in `text` is under a password.
pub(super) fn encrypts(text: &str) -> bool {
    pem::has(text, LABEL)
}

/// The key in PKCS#8.
pub(super) fn decrypt(text: &str, password: &str) -> Result<SecretDocument, Error> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Error::Key(format!("the encrypted private key cannot be read: {error}"))
    };
    let block = pem::block(text, LABEL).ok_or_else(|| unreadable(&"its PEM does not end"))?;
    let (_, document) = SecretDocument::from_pem(block).map_err(|error| unreadable(&error))?;
    let encrypted =
        EncryptedPrivateKeyInfoRef::try_from(document.as_bytes()).map_err(|error| unreadable(&error))?;
    let EncryptionScheme::Pbes2(parameters) = &encrypted.encryption_algorithm else {
        return Err(unreadable(&"only PBES2 is known; `openssl pkcs8 -topk8 -in KEY -out NEW` writes it"));
    };
    let too_much = match &parameters.kdf {
        Kdf::Pbkdf2(pbkdf2) => pbkdf2.iteration_count > MAX_ITERATIONS,
        Kdf::Scrypt(scrypt) => {
            let memory =
                scrypt.cost_parameter.saturating_mul(u64::from(scrypt.block_size)).saturating_mul(128);
            memory.saturating_mul(u64::from(scrypt.parallelization)) > MAX_MEMORY
        }
        _ => return Err(unreadable(&"its key derivation is not known")),
    };
    if too_much {
        return Err(unreadable(&"its key derivation takes more than is spent on a key"));
    }
    encrypted.decrypt(password).map_err(|_| {
        Error::Key("the private key cannot be decrypted: the password is wrong, or the file damaged".into())
    })
}
