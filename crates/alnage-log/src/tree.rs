//! How a range of leaves of an RFC 6962 Merkle tree falls into complete subtrees.

use alnage_types::{
    Digest,
    merkle::{empty_root, node_hash},
};

/// A complete subtree: `2^level` leaves from `index · 2^level` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subtree {
    pub(crate) level: u32,
    pub(crate) index: u64,
}

/// The complete subtrees that `start..end` falls into, left to right, largest first. `start` is a multiple of the
/// smallest power of two that is at least as large as the range, which holds for every range a proof asks for.
pub(crate) fn subtrees(start: u64, end: u64) -> impl Iterator<Item = Subtree> {
    let mut at = start;
    std::iter::from_fn(move || {
        let left = end.checked_sub(at).filter(|&left| left > 0)?;
        let level = left.ilog2();
        let subtree = Subtree { level, index: at >> level };
        at += 1 << level;
        Some(subtree)
    })
}

/// The hash over subtrees as [`subtrees`] orders them; the empty root over none.
pub(crate) fn join(hashes: impl DoubleEndedIterator<Item = Digest>) -> Digest {
    hashes.rev().reduce(|right, left| node_hash(&left, &right)).unwrap_or_else(empty_root)
}

/// Where the tree over `size` ≥ 2 leaves is split: the largest power of two below `size`.
pub(crate) fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// The root over a complete list of `2^n` hashes of one level.
pub(crate) fn complete_root(hashes: &[Digest]) -> Digest {
    let mut level = hashes.to_vec();
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => node_hash(left, right),
                rest => rest.first().copied().unwrap_or_else(empty_root),
            })
            .collect();
    }
    level.first().copied().unwrap_or_else(empty_root)
}
