//! Whom a verifier trusts to sign: keys and certificates, until when, how many of them, and what was revoked.

mod identity;
mod pattern;
mod policy;
mod revocation;

pub use identity::Identity;
pub(crate) use pattern::Pattern;
pub use policy::{
    Acceptance, CertificateTrust, TimestampTrust, TrustPolicy, TrustedCredential, TrustedSigner,
};
pub use revocation::{
    REVOCATION_PREDICATE, RevocationEntry, RevocationStatement, RevokedKind, RevokedThings,
};

#[cfg(test)]
mod tests;
