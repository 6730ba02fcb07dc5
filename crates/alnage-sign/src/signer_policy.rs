//! Whose signatures count.

use std::num::NonZeroUsize;

use crate::{Bundle, Credential, Error, SignedManifest, VerifyingKey, path};

/// Decides whose signatures count. What it accepts is the key that the signature is then verified with.
pub trait SignerPolicy {
    /// The key that `bundle` must be signed with, or why its signer does not count.
    fn accept(&self, bundle: &Bundle) -> Result<AcceptedSigner, Error>;

    /// Refuses content that must not be used whoever signed it.
    fn accept_content(&self, _signed: &SignedManifest) -> Result<(), Error> {
        Ok(())
    }

    /// How many different signers must have signed the same.
    fn threshold(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }

    /// The name under which who signed `bundle` counts once, however many keys bear it; none when only keys count.
    fn name(&self, _bundle: &Bundle) -> Option<String> {
        None
    }
}

/// A signer whose signature counts, if it is theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedSigner {
    /// The key to verify with.
    pub key: VerifyingKey,
    /// The signer, for a person: `the key 07f3…`.
    pub description: String,
}

/// Whether the key that a bundle names must be the key it is verified with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyHint {
    /// It must be.
    MustMatch,
    /// Only the signature counts.
    Ignored,
}

/// The signatures of one key count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownKey {
    /// The key.
    pub key: VerifyingKey,
    /// Whether bundles must name it.
    pub hint: KeyHint,
}

impl SignerPolicy for KnownKey {
    fn accept(&self, bundle: &Bundle) -> Result<AcceptedSigner, Error> {
        let given = self.key.hint().to_string();
        let signed_by = match bundle.credential() {
            Credential::KeyHint(hint) if hint.is_empty() && self.hint == KeyHint::MustMatch => {
                return Err(Error::Malformed("it does not say which key signed it".into()));
            }
            Credential::KeyHint(hint) => hint.clone(),
            Credential::RawKey { pem, .. } => {
                VerifyingKey::from_pem(&String::from_utf8_lossy(pem))?.hint().to_string()
            }
            Credential::CertificateChain(_) | Credential::Certificate(_) => {
                let message = "it was made with a certificate, and a key was given to verify it with";
                return Err(Error::Untrusted(message.into()));
            }
        };
        if self.hint == KeyHint::MustMatch && signed_by != given {
            return Err(Error::WrongKey { signed_by: path::shown(&signed_by), given });
        }
        Ok(AcceptedSigner { key: self.key.clone(), description: format!("the key {given}") })
    }
}
