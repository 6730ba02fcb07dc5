//! Tamper-evident log of statement digests: an RFC 6962 tree and its proofs.
//!
//! Laid out as C2SP [tlog-tiles](https://c2sp.org/tlog-tiles) under a [checkpoint](https://c2sp.org/tlog-checkpoint)
//! signed by the log and cosigned by [witnesses](https://c2sp.org/tlog-witness), so that other tools can read and audit
//! it. Pure: bytes go through a [`Store`] that the caller gives, one writer at a time.

mod checkpoint;
mod entry;
mod error;
mod export;
mod frontier;
mod fsck;
mod key;
mod log;
mod log_key;
mod message;
mod note;
mod policy;
mod proof;
mod prove;
mod receipt;
mod store;
mod tiles;
mod tree;
mod witness;

pub use alnage_types::merkle::{empty_root, leaf_hash, node_hash};
pub use checkpoint::Checkpoint;
pub use entry::Entry;
pub use error::Error;
pub use export::{ExportHead, export, verify_export};
pub use fsck::{Problem, Weight, audit, fsck};
pub use key::{NoteKey, NoteVerifier, Scheme};
pub use log::{add_cosignatures, append, append_all, checkpoint_text, current};
pub use log_key::{LogKey, LogVerifier};
pub use policy::{Cosigned, Policy, Witness};
pub use proof::{verify_consistency, verify_inclusion};
pub use prove::{prove_consistency, receipt_for};
pub use receipt::{Logged, Receipt};
pub use store::{MemoryStore, Store};
pub use witness::{Agreed, Refusal, Update, cosigned_checkpoint, log_of_update, witness};

#[cfg(test)]
mod tests;
