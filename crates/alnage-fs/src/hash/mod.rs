//! Hashing many files at once: on all threads, each with as many streams as its vector lanes take.

mod engine;
mod hasher;
mod pool;
mod worker;

use std::{io, ops::Range, thread};

use alnage_hash::Engine;
use alnage_types::{ContentDigest, HashAlgorithm};
pub use engine::engine;
pub(crate) use hasher::Hasher;
use pool::Pool;
use worker::Worker;

use crate::{Stamp, Tree, TreeFile};

/// A file of a tree, or a part of it, that is to be hashed.
#[derive(Debug, Clone)]
pub struct Extent<'a> {
    /// The file.
    pub file: &'a TreeFile,
    /// Which bytes of it; all when there is no range. A range is of the file as it was when the tree was walked.
    pub range: Option<Range<u64>>,
}

impl Extent<'_> {
    /// How many bytes that is, as far as the walk knows.
    fn size(&self) -> u64 {
        let all = 0..self.file.size;
        let range = self.range.as_ref().unwrap_or(&all);
        range.end.saturating_sub(range.start)
    }
}

/// A digest, and what the file was like before and after it was read.
#[derive(Debug, Clone, Copy)]
pub struct Hashed {
    /// Of the extent.
    pub digest: ContentDigest,
    /// Of the file.
    pub stamp: Stamp,
}

impl Tree {
    /// Hashes `extents`; the results are in their order. A file that was written to while it was read is an error.
    /// `progress` hears of the bytes as they are read.
    pub fn hash(
        &self,
        extents: &[Extent<'_>],
        algorithm: HashAlgorithm,
        jobs: usize,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Vec<io::Result<Hashed>> {
        // The longest first, so that the short ones fill what the long ones leave.
        let mut order: Vec<usize> = (0..extents.len()).collect();
        order.sort_by_key(|&index| std::cmp::Reverse(extents[index].size()));
        let together = (algorithm == HashAlgorithm::Sha256).then(engine);
        let jobs = together.map_or(jobs, |engine| jobs.min(useful_threads(engine, extents)));
        let pool = Pool::new(extents, order, together);
        let work = || Worker::new(self, algorithm, &pool, progress).run();
        let mut done = thread::scope(|scope| {
            let threads: Vec<_> = (1..jobs.min(extents.len()))
                .map_while(|_| thread::Builder::new().spawn_scoped(scope, work).ok())
                .collect();
            let mut done = work();
            for thread in threads {
                match thread.join() {
                    Ok(more) => done.extend(more),
                    Err(payload) => std::panic::resume_unwind(payload),
                }
            }
            done
        });
        done.sort_unstable_by_key(|&(index, _)| index);
        done.into_iter().map(|(_, result)| result).collect()
    }
}

/// How many threads are worth what they cost: so many that their lanes take all that there is while the longest stream
/// passes through one. More would end up to a third sooner, for a third to three quarters more time of all processors.
fn useful_threads(engine: Engine, extents: &[Extent<'_>]) -> usize {
    let sizes = || extents.iter().map(Extent::size);
    let lanes = sizes().max().unwrap_or(0).max(1).saturating_mul(engine.streams() as u64);
    let total = sizes().fold(0, u64::saturating_add);
    usize::try_from(total.div_ceil(lanes)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
