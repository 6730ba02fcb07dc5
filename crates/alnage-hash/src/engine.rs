//! Which kernel compresses what.

use std::{hint::black_box, time::Duration};

use crate::{
    Block, Kernel, Part, Piece, Stream,
    kernel::{FEW, LANES, LaneStates, Narrow, Wide},
    lanes,
    stream::Work,
};

/// The kernels of this processor, ready for work.
#[derive(Debug, Clone, Copy)]
pub struct Engine {
    wide: Option<Wide>,
    /// The fewest streams for which the wide kernel is faster than the narrow one.
    least: usize,
    narrow: Narrow,
}

impl Engine {
    /// The kernels that are best on this processor: which of two is faster differs from one generation to the next and
    /// not by what they say they can, so they are tried, with `time` to take the time of work. That takes some 50 µs.
    // Not generic: that would be compiled with the caller, kernels and all, and as the caller is.
    pub fn fastest(time: &dyn Fn(&dyn Fn()) -> Duration) -> Self {
        let narrow = Narrow::new(Kernel::ShaNi).unwrap_or(Narrow::PORTABLE);
        let wide = [Kernel::Avx512, Kernel::Avx2].into_iter().find_map(Wide::new);
        let least = wide.map_or(usize::MAX, |wide| wide_from(wide, narrow, time));
        Self { wide: wide.filter(|wide| least <= wide.lanes), least, narrow }
    }

    /// Only `kernel`, and for what it cannot do the portable one; `None` when this processor does not have it.
    pub fn only(kernel: Kernel) -> Option<Self> {
        match kernel {
            Kernel::Avx512 | Kernel::Avx2 => {
                let wide = Wide::new(kernel)?;
                Some(Self { wide: Some(wide), least: 1, narrow: Narrow::PORTABLE })
            }
            Kernel::ShaNi | Kernel::Portable => {
                Some(Self { wide: None, least: 1, narrow: Narrow::new(kernel)? })
            }
        }
    }

    /// How many streams it wants to be given at a time.
    pub fn streams(&self) -> usize {
        self.wide.map_or(self.narrow.streams(), |wide| wide.lanes)
    }

    /// How many of `total` streams one of `threads` threads should have. Streams enough for a wide kernel stay
    /// together, and none is alone where it could be beside another: shared out further they would cost more time of
    /// all processors than they save of one.
    pub fn share(&self, total: usize, threads: usize) -> usize {
        let least = self.narrow.streams().min(2);
        let even = total.div_ceil(threads.min(total / least).max(1));
        match self.wide {
            Some(wide) if total >= self.least => even.max(wide.lanes),
            _ => even,
        }
    }

    /// Takes a piece of each of many streams.
    pub fn take<'a>(&self, pieces: impl IntoIterator<Item = Piece<'a>>) {
        let mut works: Vec<Work<'a>> = pieces.into_iter().map(Work::new).collect();
        works.retain(|work| work.left() > 0);
        if let Some(wide) = self.wide {
            lanes::wide(wide, self.least, &mut works);
            works.retain(|work| work.left() > 0);
        }
        lanes::narrow(self.narrow, &mut works);
    }

    /// The digest of `bytes`.
    pub fn digest(&self, bytes: &[u8]) -> [u8; 32] {
        let mut stream = Stream::default();
        self.take([Piece { stream: &mut stream, bytes, part: Part::Last }]);
        stream.digest().unwrap_or_default()
    }
}

/// From how many streams on `wide` is faster than `narrow`.
fn wide_from(wide: Wide, narrow: Narrow, time: &dyn Fn(&dyn Fn()) -> Duration) -> usize {
    let content = [[0; 64]; 16];
    let blocks: &[Block] = &content;
    // The best of a few times, as others may want the processor, too.
    let shortest = |work: &dyn Fn()| (0..4).map(|_| time(work)).min().unwrap_or_default();
    let together = shortest(&|| wide.compress(black_box(&mut LaneStates([[0; LANES]; 8])), &[blocks; LANES]));
    let few = shortest(&|| match narrow.streams() {
        1 => narrow.compress(black_box(&mut [[0; 8]]), &[blocks]),
        3 => narrow.compress(black_box(&mut [[0; 8]; 3]), &[blocks; 3]),
        _ => narrow.compress(black_box(&mut [[0; 8]; FEW]), &[blocks; FEW]),
    });
    let streams = together.as_nanos() * narrow.streams() as u128 / few.as_nanos().max(1);
    usize::try_from(streams).map_or(usize::MAX, |streams| streams + 1)
}
