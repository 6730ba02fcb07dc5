//! Which kernel compresses what.

use crate::{
    Kernel, Part, Piece, Stream,
    kernel::{Narrow, Wide},
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
    /// The kernels that are best on this processor.
    pub fn detect() -> Self {
        let sha = Narrow::new(Kernel::ShaNi);
        let narrow = sha.unwrap_or(Narrow::PORTABLE);
        // The 256-bit lanes together are slower than two streams on the SHA extensions.
        let kernels = if sha.is_some() { &[Kernel::Avx512][..] } else { &[Kernel::Avx512, Kernel::Avx2] };
        let wide = kernels.iter().find_map(|&kernel| Wide::new(kernel));
        Self { wide, least: if sha.is_some() { 11 } else { 3 }, narrow }
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
        match self.wide {
            Some(wide) => wide.lanes,
            None if self.narrow.pairs() => 2,
            None => 1,
        }
    }

    /// How many of `total` streams one of `threads` threads should have. Streams enough for a wide kernel stay
    /// together: shared out they would cost more time of all processors than it saves of one.
    pub fn share(&self, total: usize, threads: usize) -> usize {
        let even = total.div_ceil(threads.max(1));
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
