//! Verifies inclusion and consistency proofs, as RFC 9162 sections 2.1.3.2 and 2.1.4.2 describe it.

use alnage_types::{
    Digest,
    merkle::{self, climb_to_right_child},
};

use crate::{Error, empty_root, node_hash};

/// Verifies that the leaf `leaf` stands at `index` in the tree of `size` leaves with the root `root`.
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf: Digest,
    proof: &[Digest],
    root: Digest,
) -> Result<(), Error> {
    merkle::verify_inclusion(index, size, leaf, proof, root)
        .map_err(|reason| Error::Unproven(reason.to_string()))
}

/// Verifies that the log of `new_size` entries with the root `new_root` begins with the log of `old_size` entries
/// with the root `old_root`: nothing was changed or taken away in between.
pub fn verify_consistency(
    old_size: u64,
    new_size: u64,
    proof: &[Digest],
    old_root: Digest,
    new_root: Digest,
) -> Result<(), Error> {
    let unproven = |message: &str| Err(Error::Unproven(message.into()));
    if old_size > new_size {
        return Err(Error::Unproven(format!("a log of {old_size} entries cannot shrink to {new_size}")));
    }
    if old_size == new_size || old_size == 0 {
        let holds = if old_size == new_size { old_root == new_root } else { old_root == empty_root() };
        return match (holds, proof.is_empty()) {
            (true, true) => Ok(()),
            (false, _) => unproven("logs of one size have two roots"),
            (true, false) => unproven("the consistency proof is too long"),
        };
    }
    // The root of a complete subtree is known already, so the proof leaves it out.
    let known = if old_size.is_power_of_two() { Some(&old_root) } else { None };
    let mut path = known.into_iter().chain(proof);
    let Some(&first) = path.next() else {
        return unproven("the consistency proof is too short");
    };
    let (mut node, mut last) = (old_size - 1, new_size - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (mut old, mut new) = (first, first);
    for sibling in path {
        if last == 0 {
            return unproven("the consistency proof is too long");
        }
        if node & 1 == 1 || node == last {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            climb_to_right_child(&mut node, &mut last);
        } else {
            new = node_hash(&new, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return unproven("the consistency proof is too short");
    }
    if old != old_root || new != new_root {
        return unproven("the newer log does not begin with the older one");
    }
    Ok(())
}
