//! Everything about models that has a state: records, approvals, lineage, blobs, jobs, the hub proxy's domain.
//!
//! Calls block; a server makes them where blocking is allowed.

pub mod blobs;
mod columns;
pub mod database;
mod error;
pub mod oci;
pub mod people;
pub mod upstream;
pub mod xet;

pub use error::{Error, Result};

#[cfg(test)]
mod testing;
