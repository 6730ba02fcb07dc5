//! An inclusion proof taken apart: each hash that leads from an entry to the root of the checkpoint, as it is computed.

use sha2::{Digest as _, Sha256};

type Hash = [u8; 32];

/// One step up the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// On which side the sibling stands: `left` or `right`.
    pub(crate) side: &'static str,
    /// The sibling's hash, which the log gave.
    pub(crate) sibling: String,
    /// The hash of both, computed here.
    pub(crate) result: String,
    /// Where in the tree: how many levels above the leaves the result is.
    pub(crate) level: usize,
}

/// A proof, computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proof {
    /// The hash of the entry's bytes.
    pub(crate) leaf: String,
    /// From the leaf up.
    pub(crate) steps: Vec<Step>,
    /// What the checkpoint says.
    pub(crate) root: String,
    /// Whether the last step gives the root.
    pub(crate) holds: bool,
}

impl Proof {
    /// Walks from `entry`, which is leaf `index` of a tree of `size` leaves, to its root (RFC 9162, 2.1.3.2).
    pub(crate) fn compute(entry: &[u8], index: u64, size: u64, siblings: &[Hash], root: &Hash) -> Self {
        let mut hash: Hash = Sha256::new().chain_update([0]).chain_update(entry).finalize().into();
        let leaf = hex(&hash);
        let mut steps = Vec::with_capacity(siblings.len());
        let (mut at, mut last) = (index, size.saturating_sub(1));
        let mut fits = index < size;
        for sibling in siblings {
            fits &= last > 0;
            let left = at & 1 == 1 || at == last;
            hash = if left { above(sibling, &hash) } else { above(&hash, sibling) };
            if left {
                while at & 1 == 0 && at > 0 {
                    at >>= 1;
                    last >>= 1;
                }
            }
            at >>= 1;
            last >>= 1;
            steps.push(Step {
                side: if left { "left" } else { "right" },
                sibling: hex(sibling),
                result: hex(&hash),
                level: steps.len() + 1,
            });
        }
        Self { leaf, steps, root: hex(root), holds: fits && last == 0 && hash == *root }
    }
}

fn above(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
