//! The right edge of a log: per level, the tile that is being filled. It is all that growing needs to know.

use alnage_types::Digest;

use crate::{
    Error, Store,
    tiles::{self, WIDTH},
    tree,
};

/// A tile's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) level: u32,
    pub(crate) index: u64,
}

/// Is shown each tile that has become full.
pub(crate) type Filled<'a> = dyn FnMut(Place, &[Digest]) -> Result<(), Error> + 'a;

/// The tiles that are being filled, lowest level first.
#[derive(Debug, Default)]
pub(crate) struct Frontier {
    levels: Vec<Filling>,
}

#[derive(Debug, Default)]
struct Filling {
    index: u64,
    hashes: Vec<Digest>,
    /// Whether it grew since the frontier was loaded.
    grown: bool,
}

impl Frontier {
    /// The right edge of the log of `size` entries in `store`.
    pub(crate) fn load(store: &dyn Store, size: u64) -> Result<Self, Error> {
        let mut levels = Vec::new();
        for level in 0..8 {
            let position = tiles::hashes_at(level, size);
            if position == 0 {
                break;
            }
            let index = position / WIDTH;
            let hashes = tiles::read_tile(store, level, index, size)?;
            levels.push(Filling { index, hashes, grown: false });
        }
        Ok(Self { levels })
    }

    /// Adds a leaf. `filled` is shown each tile that it fills.
    pub(crate) fn push(&mut self, leaf: Digest, filled: &mut Filled<'_>) -> Result<(), Error> {
        let mut hash = leaf;
        for level in 0_u32.. {
            let at = level as usize;
            if self.levels.len() == at {
                self.levels.push(Filling::default());
            }
            let Some(filling) = self.levels.get_mut(at) else { break };
            filling.hashes.push(hash);
            filling.grown = true;
            if (filling.hashes.len() as u64) < WIDTH {
                break;
            }
            filled(Place { level, index: filling.index }, &filling.hashes)?;
            hash = tree::complete_root(&filling.hashes);
            filling.hashes.clear();
            filling.index = filling.index.saturating_add(1);
        }
        Ok(())
    }

    /// The tiles that grew and are not full.
    pub(crate) fn grown(&self) -> impl Iterator<Item = (Place, &[Digest])> {
        (0..)
            .zip(&self.levels)
            .filter(|(_, filling)| filling.grown && !filling.hashes.is_empty())
            .map(|(level, filling)| (Place { level, index: filling.index }, filling.hashes.as_slice()))
    }

    /// The root over everything.
    pub(crate) fn root(&self) -> Digest {
        root_of_edges(self.levels.iter().map(|filling| filling.hashes.as_slice()))
    }
}

/// The root over a log whose partial tiles, lowest level first, are `edges`.
pub(crate) fn root_of_edges<'a>(edges: impl DoubleEndedIterator<Item = &'a [Digest]>) -> Digest {
    let mut subtrees = Vec::new();
    for mut hashes in edges.rev() {
        while !hashes.is_empty() {
            let (complete, rest) = hashes.split_at(1 << hashes.len().ilog2());
            subtrees.push(tree::complete_root(complete));
            hashes = rest;
        }
    }
    tree::join(subtrees.into_iter())
}
