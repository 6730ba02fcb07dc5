//! Hashes of an RFC 6962 Merkle tree, and the proof that a leaf stands in one: what every transparency log shares.

use std::fmt;

use crate::Digest;

/// The hash of a leaf that holds `entry`.
pub fn leaf_hash(entry: &[u8]) -> Digest {
    let mut bytes = Vec::with_capacity(1 + entry.len());
    bytes.push(0);
    bytes.extend_from_slice(entry);
    Digest::of(&bytes)
}

/// The hash of a node over its two children.
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let mut bytes = [1; 65];
    bytes[1..33].copy_from_slice(left.as_bytes());
    bytes[33..].copy_from_slice(right.as_bytes());
    Digest::of(&bytes)
}

/// The root of the tree without leaves.
pub fn empty_root() -> Digest {
    Digest::of(b"")
}

/// Why a proof does not show that a leaf stands in a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotIncluded {
    /// The tree has no such place.
    Outside {
        /// The place.
        index: u64,
        /// How many leaves there are.
        size: u64,
    },
    /// The proof has more hashes than the way to the root.
    TooLong,
    /// The proof has fewer.
    TooShort,
    /// It leads elsewhere.
    OtherRoot,
}

impl fmt::Display for NotIncluded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outside { index, size } => {
                write!(f, "entry {index} cannot be in a log of {size} entries")
            }
            Self::TooLong => f.write_str("the inclusion proof is too long"),
            Self::TooShort => f.write_str("the inclusion proof is too short"),
            Self::OtherRoot => f.write_str("the inclusion proof does not lead to the checkpoint's root"),
        }
    }
}

/// Verifies that the leaf `leaf` stands at `index` in the tree of `size` leaves with the root `root`, as RFC 9162,
/// section 2.1.3.2, describes it.
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf: Digest,
    proof: &[Digest],
    root: Digest,
) -> Result<(), NotIncluded> {
    let Some(last) = size.checked_sub(1).filter(|&last| index <= last) else {
        return Err(NotIncluded::Outside { index, size });
    };
    let (mut node, mut last) = (index, last);
    let mut hash = leaf;
    for sibling in proof {
        if last == 0 {
            return Err(NotIncluded::TooLong);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            climb_to_right_child(&mut node, &mut last);
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    match (last, hash == root) {
        (0, true) => Ok(()),
        (0, false) => Err(NotIncluded::OtherRoot),
        _ => Err(NotIncluded::TooShort),
    }
}

/// From a left child without sibling, climbs until there is one.
pub fn climb_to_right_child(node: &mut u64, last: &mut u64) {
    while *node & 1 == 0 && *node != 0 {
        *node >>= 1;
        *last >>= 1;
    }
}
