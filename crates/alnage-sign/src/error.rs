//! Why something could not be signed or is not to be trusted.

/// Why something could not be signed or is not to be trusted, by what the caller can do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The key file cannot be used; give another.
    #[error("{0}")]
    Key(String),
    /// What was to be signed cannot be described by a signature; change it.
    #[error("cannot be signed: {0}")]
    Unsignable(String),
    /// The signature file breaks its format; get it anew from its maker.
    #[error("not a well-formed signature: {0}")]
    Malformed(String),
    /// The signature is of a kind this version does not verify.
    #[error("not supported: {0}")]
    Unsupported(String),
    /// The signature says that another key made it; give that key.
    #[error("signed by the key `{signed_by}`, the key given is `{given}`")]
    WrongKey {
        /// Hint of the key that the signature names.
        signed_by: String,
        /// Hint of the key it was verified with.
        given: String,
    },
    /// The key is held by something that did not sign: a hardware module, another program.
    #[error("could not sign: {0}")]
    Signer(String),
    /// The signature is not by this key over this content; do not trust the content.
    #[error("the signature does not match its content and the key")]
    BadSignature,
    /// Who signed is proven, and nothing that the verifier trusts vouches for it.
    #[error("not to be trusted: {0}")]
    Untrusted(String),
    /// Whoever should vouch for it is not in the trusted root; a newer one, or another instance's, may know them.
    #[error("not to be trusted: {0}")]
    Unknown(String),
    /// What the verifier says it trusts makes no sense; mend it.
    #[error("{0}")]
    Policy(String),
}
