//! OpenSSF Model Signing bundles and DSSE attestations: make and verify.
//!
//! Pure: keys, bundles and manifests come and go as values. [`SignedManifest`] and [`SignedStatement`] can only be
//! made by verifying a signature, so a function that takes one cannot be handed unverified content.

mod bundle;
mod conversion;
mod der;
mod detonation;
mod difference;
mod dsse;
mod error;
mod ignored;
mod key;
pub mod keyless;
mod lint;
mod model;
mod path;
mod serialization;
mod signer_policy;
mod statement;
mod summary;
pub mod timestamp;
pub mod trust;
mod verdict;
pub mod x509;

pub use bundle::{Bundle, Credential};
pub use conversion::{CONVERSION_PREDICATE, ConversionClaim};
pub use detonation::{DETONATION_PREDICATE, DetonationClaim};
pub use difference::{Difference, DifferenceKind};
pub use error::Error;
pub use ignored::IgnoredPaths;
pub use key::{Curve, Signer, SigningKey, VerifyingKey};
pub use lint::{Lint, Objection, Verifier, lint};
pub use model::{Dialect, Shape, SignedManifest, Signing, Symlinks, sign_model};
pub use serialization::{HashedFile, Resource, Serialization, Shard};
pub use signer_policy::{AcceptedSigner, KeyHint, KnownKey, SignerPolicy};
pub use statement::{
    SignedStatement, Statement, Subject, attest, attested_digest, model_subjects, read_unsigned, unsigned,
    verify_attestation,
};
pub use summary::{CertificateSummary, ResourceSummary, Summary};
pub use verdict::{VERDICT_PREDICATE, VERDICT_PREDICATES, VerdictClaim};

#[cfg(test)]
mod tests;
