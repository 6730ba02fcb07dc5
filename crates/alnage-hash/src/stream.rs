//! One stream between two pieces of it, and the blocks that a piece gives.

use crate::{Block, State};

/// The first 32 bits of the fractional parts of the square roots of the first eight primes (FIPS 180-4, 5.3.3).
const START: State =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// One SHA-256 computation that is under way.
#[derive(Debug, Clone)]
pub struct Stream {
    pub(crate) state: State,
    /// Bytes so far.
    length: u64,
    /// What has come since the last whole block.
    partial: [u8; 64],
    ended: bool,
}

impl Default for Stream {
    fn default() -> Self {
        Self { state: START, length: 0, partial: [0; 64], ended: false }
    }
}

impl Stream {
    /// The digest, once the last piece was taken.
    pub fn digest(&self) -> Option<[u8; 32]> {
        let mut digest = [0; 32];
        for (bytes, word) in digest.chunks_exact_mut(4).zip(self.state) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        self.ended.then_some(digest)
    }
}

/// Whether a stream goes on after a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// There is more to come.
    More,
    /// This was all.
    Last,
}

/// The next bytes of a stream. What comes after [`Part::Last`] is passed over.
#[derive(Debug)]
pub struct Piece<'a> {
    /// Which stream.
    pub stream: &'a mut Stream,
    /// Its next bytes.
    pub bytes: &'a [u8],
    /// Whether there are more.
    pub part: Part,
}

/// A piece as whole blocks: what was left from before with the beginning of the piece, its middle, and the padding.
pub(crate) struct Work<'a> {
    pub(crate) stream: &'a mut Stream,
    head: [Block; 1],
    middle: &'a [Block],
    tail: [Block; 2],
    /// How many blocks of head, middle and tail there are.
    counts: [usize; 3],
    /// How many of them are done.
    done: usize,
}

impl<'a> Work<'a> {
    pub(crate) fn new(piece: Piece<'a>) -> Self {
        let Piece { stream, mut bytes, part } = piece;
        let (mut head, mut tail, mut counts) = ([[0; 64]], [[0; 64]; 2], [0; 3]);
        let mut middle: &[Block] = &[];
        if !stream.ended {
            let held = (stream.length % 64) as usize;
            stream.length = stream.length.wrapping_add(bytes.len() as u64);
            let mut open = 0;
            if held > 0 {
                let (now, rest) = bytes.split_at(bytes.len().min(64 - held));
                stream.partial[held..held + now.len()].copy_from_slice(now);
                bytes = rest;
                open = held + now.len();
                if open == 64 {
                    head[0] = stream.partial;
                    (counts[0], open) = (1, 0);
                }
            }
            if open == 0 {
                let (blocks, rest) = bytes.as_chunks::<64>();
                middle = blocks;
                counts[1] = blocks.len();
                stream.partial[..rest.len()].copy_from_slice(rest);
                open = rest.len();
            }
            if part == Part::Last {
                stream.ended = true;
                counts[2] = pad(&mut tail, &stream.partial[..open], stream.length);
            }
        }
        Self { stream, head, middle, tail, counts, done: 0 }
    }

    /// How many blocks are left.
    pub(crate) fn left(&self) -> usize {
        self.counts.iter().sum::<usize>() - self.done
    }

    /// The blocks that come next and lie together; none when all is done.
    pub(crate) fn blocks(&self) -> &[Block] {
        let mut done = self.done;
        let runs: [&[Block]; 3] = [&self.head, self.middle, &self.tail];
        for (run, count) in runs.into_iter().zip(self.counts) {
            if done < count {
                return &run[done..count];
            }
            done -= count;
        }
        &[]
    }

    /// Notes that the next `count` blocks are done.
    pub(crate) fn advance(&mut self, count: usize) {
        self.done += count;
    }
}

/// Writes the last bytes of a stream of `length` bytes, a one bit, zeros and the length in bits; gives the number of
/// blocks.
fn pad(tail: &mut [Block; 2], rest: &[u8], length: u64) -> usize {
    let count = if rest.len() < 56 { 1 } else { 2 };
    let tail = &mut tail.as_flattened_mut()[..count * 64];
    tail[..rest.len()].copy_from_slice(rest);
    tail[rest.len()] = 0x80;
    tail[count * 64 - 8..].copy_from_slice(&length.wrapping_mul(8).to_be_bytes());
    count
}
