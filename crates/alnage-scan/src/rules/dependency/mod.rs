//! What `alnage deps` finds in dependency files. Their facts are not those of a model, so the checks stand in
//! `alnage-discover`; here is what they are called and why they matter.

mod attestation_mismatch;
mod attestation_unverified;
mod floating_address;
mod index_mixing;
mod lookalike;
mod malicious;
mod shadowed;
mod source_only;
mod unhashed;
mod unpinned;
mod unprotected;
mod vulnerable;
mod yanked;

use alnage_formats::Model;

use crate::{Rule, Sink};

/// The rules of this family.
pub(super) static RULES: &[&Rule] = &[
    &malicious::RULE,
    &vulnerable::RULE,
    &index_mixing::RULE,
    &shadowed::RULE,
    &unpinned::RULE,
    &unhashed::RULE,
    &lookalike::RULE,
    &source_only::RULE,
    &yanked::RULE,
    &unprotected::RULE,
    &floating_address::RULE,
    &attestation_mismatch::RULE,
    &attestation_unverified::RULE,
];

/// A model's artifacts set off none of them.
fn elsewhere(_: &Model, _: &mut Sink<'_>) {}
