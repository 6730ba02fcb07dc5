//! Proofs out of a log's tiles: that an entry is in it, and that it only grew.

use alnage_types::Digest;

use crate::{
    Checkpoint, Error, LogVerifier, Receipt, Store, log,
    tiles::{self, WIDTH},
    tree,
};

/// A receipt for an entry that is in the log already, under the log's newest checkpoint.
pub fn receipt_for(store: &dyn Store, verifier: &LogVerifier, index: u64) -> Result<Receipt, Error> {
    let checkpoint = log::checkpoint_text(store)?.ok_or(Error::NoSuchEntry { index, size: 0 })?;
    let size = Checkpoint::open(&checkpoint, verifier)?.size;
    let proof = prove_inclusion(store, index, size)?;
    let entries = tiles::read_bundle(store, index / WIDTH, size)?;
    let entry = entries.into_iter().nth((index % WIDTH) as usize);
    let entry = entry.ok_or(Error::NoSuchEntry { index, size })?;
    Ok(Receipt { entry, index, proof, checkpoint })
}

/// The inclusion proof of an entry, from the leaf's sibling up (RFC 6962, 2.1.1).
pub(crate) fn prove_inclusion(store: &dyn Store, index: u64, size: u64) -> Result<Vec<Digest>, Error> {
    if index >= size {
        return Err(Error::NoSuchEntry { index, size });
    }
    let (mut start, mut end) = (0, size);
    let mut proof = Vec::new();
    while end - start > 1 {
        let middle = start + tree::split(end - start);
        if index < middle {
            proof.push(tiles::range_hash(store, middle, end, size)?);
            end = middle;
        } else {
            proof.push(tiles::range_hash(store, start, middle, size)?);
            start = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The proof that the log of `new_size` entries begins with the log of `old_size` entries (RFC 6962, 2.1.2). The
/// log at hand has at least `new_size` entries.
pub fn prove_consistency(store: &dyn Store, old_size: u64, new_size: u64) -> Result<Vec<Digest>, Error> {
    if old_size > new_size {
        return Err(Error::NoSuchEntry { index: old_size, size: new_size });
    }
    let mut proof = Vec::new();
    if old_size == 0 || old_size == new_size {
        return Ok(proof);
    }
    let (mut start, mut end) = (0, new_size);
    while end != old_size {
        let middle = start + tree::split(end - start);
        if old_size <= middle {
            proof.push(tiles::range_hash(store, middle, end, new_size)?);
            end = middle;
        } else {
            proof.push(tiles::range_hash(store, start, middle, new_size)?);
            start = middle;
        }
    }
    // A subtree from the first leaf on is the old log itself, whose root is known.
    if start != 0 {
        proof.push(tiles::range_hash(store, start, end, new_size)?);
    }
    proof.reverse();
    Ok(proof)
}
