//! Everything about models that has a state: records, approvals, lineage, blobs, jobs, the hub proxy's domain.
//!
//! Calls block; a server makes them where blocking is allowed.

mod backup;
pub mod blobs;
mod columns;
pub mod database;
mod error;
mod jobs;
pub mod numbered;
pub mod oci;
pub mod people;
pub mod pull;
mod records;
mod registry;
mod signers;
mod sweep;
mod transparency;
mod uploads;
pub mod upstream;
pub mod worker;
pub mod xet;

#[cfg(test)]
mod testing;

pub use backup::{Backup, restore};
pub use error::{Error, Result};
pub use jobs::{ATTEMPTS, Job};
pub use records::*;
pub use registry::{Bell, Receivers, Registry, Settings, StorePlace};
pub use signers::{Signer, Signers};
pub use transparency::{Logged, STEP_PREDICATE};
pub use uploads::Upload;
