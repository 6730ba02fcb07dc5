//! What a model's code is built from: reads the dependency files beside it and checks what they would install.
//!
//! Pure: bytes in, dependencies and findings out. No package index is asked; what is known of packages comes from
//! advisories that the caller gives and from a list of the packages that PyPI serves most.

mod advisory;
mod archive;
mod attestation;
mod check;
mod dependency;
mod read;
mod top;

pub use advisory::{Advisories, Advisory};
pub use archive::members;
pub use attestation::{Attestation, Attester, Publisher, Signature, parse_attestations};
pub use check::{Asked, check, check_attestations};
pub use dependency::{Dependency, DependencyFile, Files, Index, Source};
pub use read::{is_dependency_file, read, read_included};

#[cfg(test)]
mod tests;
