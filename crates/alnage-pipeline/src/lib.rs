//! The façade: one call from what the user named to a record of verdicts, with seal and log.

mod admit;
mod bom;
mod convert;
mod deps;
mod detonation;
mod digest;
mod error;
mod evidence;
mod log;
mod oci;
mod parallel;
mod reuse;
mod revoke;
mod seal;
mod sign;
mod threshold;
mod time;
mod trust;
mod verify;
mod vet;

pub use admit::{Coverage, Parts, ReceiptPolicy, Seal, SealPolicy, VerdictPolicy, signature_of};
pub use bom::{Attested, attest_model, describe, sign_document, verify_document};
pub use convert::{
    Attesting, Conversion, ConvertedFile, Converting, Output, TensorReport, VerifiedConversion,
    VerifyingConversion, already_there, convert, default_output, verify_conversion,
};
pub use deps::{Depending, deps};
pub use detonation::{AttestingDetonation, attest_detonation};
pub use error::Error;
pub use evidence::{FileVerdict, evidence, file_verdicts, material_facts};
pub use log::{
    NEW_LOG, OpenLog, WitnessDir, WitnessError, Witnessing, entry_of_envelope, log_audit, log_policy,
    log_verifier, make_log_key, policy_path, read_log, read_log_verifier, read_policy, statement_digest,
};
pub use reuse::{Remembered, Reuse};
pub use revoke::{Revoked, revoke};
pub use seal::{Sealing, seal};
pub use sign::{
    GitPaths, KeyPair, ModelForm, SignRequest, Signed, keygen, read_signature, sign, signing_key,
    verifying_key,
};
pub use threshold::verify_signed_by;
pub use time::rfc3339;
pub use trust::{
    all_certificates, certificates, keyless_trust, revocation_lists, revocations, trust_file, trusted_root,
};
pub use verify::{Check, Forms, Outcome, Unsigned, Verification, Verifying, verify};
pub use vet::{Failure, Input, Options, Progress, Silent, Vetted, VettedModel, vet};

pub use alnage_bom as materials;
pub use alnage_convert as conversion;
pub use alnage_fs::{Existing, Sidecars};
pub use alnage_log::Refusal;
pub use alnage_sign::{
    Bundle, Curve, Dialect, Difference, KeyHint, KnownKey, Lint, Serialization, Signer, SignerPolicy,
    SigningKey, Subject, Summary, Symlinks, Verifier, VerifyingKey, lint,
};
pub use alnage_sign::{timestamp, trust as trusted, x509};
pub use alnage_types::HashAlgorithm;
