//! Tamper-evident log of statement digests: an RFC 6962 tree and its proofs.
//!
//! Laid out as C2SP [tlog-tiles](https://c2sp.org/tlog-tiles) under a [checkpoint](https://c2sp.org/tlog-checkpoint)
//! signed by the log, so that other tools can read and audit it. Pure: bytes go through a [`Store`] that the caller
//! gives, one writer at a time.

mod checkpoint;
mod entry;
mod error;
mod key;
mod log;
mod note;
mod proof;
mod receipt;
mod store;
mod tiles;
mod tree;

pub use checkpoint::Checkpoint;
pub use entry::Entry;
pub use error::Error;
pub use key::{LogKey, LogVerifier};
pub use log::{append, audit, current, prove_consistency, receipt_for};
pub use proof::{verify_consistency, verify_inclusion};
pub use receipt::{Logged, Receipt};
pub use store::{MemoryStore, Store};
pub use tree::{empty_root, leaf_hash, node_hash};

#[cfg(test)]
mod tests;
