//! One thread: reads a piece of each of its streams into one buffer, and hashes them together.

use std::{fs::File, io, os::unix::fs::FileExt};

use alnage_hash::{Engine, Part};
use alnage_types::{Buffer, HashAlgorithm};

use super::{Extent, Hashed, engine, hasher::Hasher, pool::Pool};
use crate::{Stamp, Tree, root::RegularFile};

/// What is read for one turn of a thread: it stays in the processor's cache until it is hashed.
const TURN: usize = 2 << 20;
/// Space between pieces: at the same place of a page, all lanes would want the same few lines of the cache.
const GAP: usize = 3 * Buffer::LINE;

/// A stream that is hashed, from before it is opened until its digest is known.
pub(super) struct Stream {
    index: usize,
    /// Bytes that are still to be read.
    left: u64,
    open: Option<Open>,
}

struct Open {
    file: File,
    stamp: Stamp,
    offset: u64,
    hasher: Hasher,
}

impl Stream {
    /// The extent `index`, which has about `left` bytes.
    pub(super) fn new(index: usize, left: u64) -> Self {
        Self { index, left, open: None }
    }

    /// How many bytes are still to be read.
    pub(super) fn left(&self) -> u64 {
        self.left
    }
}

pub(super) struct Worker<'a> {
    tree: &'a Tree,
    algorithm: HashAlgorithm,
    pool: &'a Pool<'a>,
    progress: &'a (dyn Fn(u64) + Sync),
    engine: Engine,
    /// The fewest bytes of a longer stream that one turn reads.
    part: usize,
    own: Vec<Stream>,
    done: Vec<(usize, io::Result<Hashed>)>,
}

impl<'a> Worker<'a> {
    pub(super) fn new(
        tree: &'a Tree,
        algorithm: HashAlgorithm,
        pool: &'a Pool<'a>,
        progress: &'a (dyn Fn(u64) + Sync),
    ) -> Self {
        let engine = engine();
        // As many streams as there are lanes; the other algorithms fill their lanes from one stream.
        let part = match algorithm {
            HashAlgorithm::Sha256 => part_of(engine.streams().clamp(3, 16)),
            HashAlgorithm::Blake2b512 | HashAlgorithm::Blake3 => TURN,
        };
        Self { tree, algorithm, pool, progress, engine, part, own: Vec::new(), done: Vec::new() }
    }

    /// Works until there is nothing left; gives what came of the extents it had.
    pub(super) fn run(mut self) -> Vec<(usize, io::Result<Hashed>)> {
        self.pool.join();
        let mut buffer = Buffer::default();
        let mut ended = 0;
        while self.pool.refill(&mut self.own, ended, TURN as u64, self.part as u64) {
            let before = self.own.len();
            let wanted = TURN + self.part + (GAP + Buffer::LINE) * before;
            if buffer.len() < wanted {
                buffer = Buffer::new(wanted);
            }
            self.turn(&mut buffer);
            ended = before - self.own.len();
        }
        self.done
    }

    /// Reads and hashes a piece of each stream that has its turn, and sorts out those that ended.
    fn turn(&mut self, buffer: &mut [u8]) {
        self.own.sort_by_key(|stream| std::cmp::Reverse(stream.left));
        let long = self.own.partition_point(|stream| stream.left > self.part as u64);
        let others = self.own.len() - long;
        let useful = useful_streams(&self.own[..long]);
        let part = self.part.max(part_of(useful + others));
        let mut pieces: Vec<(Stream, &[u8])> = Vec::with_capacity(self.own.len());
        let mut rest = buffer;
        let mut later: Vec<Stream> = self.own.drain(useful..long).collect();
        for mut stream in self.own.drain(..) {
            let result = match &mut stream.open {
                Some(_) => Ok(()),
                none => {
                    open(self.tree, &self.pool.extents[stream.index], self.algorithm).map(|(opened, left)| {
                        stream.left = left;
                        *none = Some(opened);
                    })
                }
            };
            let wanted = usize::try_from(stream.left).unwrap_or(usize::MAX).min(part);
            if wanted > rest.len() {
                // It grew since the walk.
                later.push(stream);
                continue;
            }
            let (piece, others) = std::mem::take(&mut rest).split_at_mut(wanted);
            // The next piece begins at a line of the cache, as the buffer does.
            let whole = wanted.next_multiple_of(Buffer::LINE);
            rest = others.get_mut(whole - wanted + GAP..).unwrap_or_default();
            let read = result.and_then(|()| match &mut stream.open {
                Some(open) => open.read(piece),
                None => Ok(()),
            });
            match read {
                Ok(()) => {
                    stream.left -= wanted as u64;
                    pieces.push((stream, piece));
                }
                Err(error) => self.done.push((stream.index, Err(error))),
            }
        }
        Hasher::take(
            self.engine,
            pieces.iter_mut().filter_map(|(stream, piece)| {
                let part = if stream.left == 0 { Part::Last } else { Part::More };
                Some((&mut stream.open.as_mut()?.hasher, *piece, part))
            }),
        );
        for (stream, piece) in pieces {
            (self.progress)(piece.len() as u64);
            match stream {
                Stream { index, left: 0, open: Some(open) } => {
                    self.done.push((index, open.end(self.tree.settled)))
                }
                stream => self.own.push(stream),
            }
        }
        self.own.append(&mut later);
    }
}

/// How many of `streams`, the longest first, are hashed side by side: more than end with the longest would leave it alone.
fn useful_streams(streams: &[Stream]) -> usize {
    let total = streams.iter().map(Stream::left).fold(0, u64::saturating_add);
    let longest = streams.first().map_or(1, |stream| stream.left().max(1));
    usize::try_from(total.div_ceil(longest)).unwrap_or(usize::MAX)
}

/// What one of `streams` long ones reads in a turn, in whole pages.
fn part_of(streams: usize) -> usize {
    TURN.div_ceil(streams.max(1)).next_multiple_of(4096)
}

/// Opens an extent; gives how many bytes there are to read.
fn open(tree: &Tree, extent: &Extent<'_>, algorithm: HashAlgorithm) -> io::Result<(Open, u64)> {
    let RegularFile { file, metadata } = tree.open(extent.file)?;
    let stamp = Stamp::of(&metadata);
    if stamp.len > TURN as u64 {
        // Advice: what is not cached yet is read further ahead. Where it is not taken, nothing is lost.
        let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::Sequential);
    }
    let (offset, end) = match &extent.range {
        Some(range) if stamp.len == extent.file.size => (range.start, range.end.min(stamp.len)),
        Some(_) => return Err(io::Error::other("written to since it was listed")),
        None => (0, stamp.len),
    };
    Ok((Open { file, stamp, offset, hasher: Hasher::new(algorithm) }, end.saturating_sub(offset)))
}

impl Open {
    /// Fills `piece` with the next bytes.
    fn read(&mut self, piece: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(piece, self.offset)?;
        self.offset += piece.len() as u64;
        Ok(())
    }

    /// The digest, unless somebody wrote to the file meanwhile.
    fn end(self, settled: bool) -> io::Result<Hashed> {
        if !settled && Stamp::of(&self.file.metadata()?) != self.stamp {
            return Err(io::Error::other("written to while it was read"));
        }
        match self.hasher.digest() {
            Some(digest) => Ok(Hashed { digest, stamp: self.stamp }),
            None => Err(io::Error::other("not all of it was hashed")),
        }
    }
}
