//! The ways to compress blocks, and which of them this processor has.

use crate::{Block, State};

/// The most streams that any kernel takes.
pub(crate) const LANES: usize = 16;

/// The chaining values of all lanes, word by word: `[word][lane]`.
#[derive(Clone)]
#[repr(align(64))]
pub(crate) struct LaneStates(pub(crate) [[u32; LANES]; 8]);

/// A way to compress blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// 16 streams in the lanes of 512-bit vectors.
    Avx512,
    /// 8 streams in the lanes of 256-bit vectors.
    Avx2,
    /// 2 streams interleaved on the SHA extensions of x86.
    ShaNi,
    /// One stream, as the crate `sha2` does it: with the SHA extensions of the processor where it knows them.
    Portable,
}

impl Kernel {
    /// All of them, fastest first when there are streams enough.
    pub const ALL: [Self; 4] = [Self::Avx512, Self::Avx2, Self::ShaNi, Self::Portable];

    /// Whether this processor has it.
    pub fn is_available(self) -> bool {
        match self {
            Self::Avx512 | Self::Avx2 => Wide::new(self).is_some(),
            Self::ShaNi | Self::Portable => Narrow::new(self).is_some(),
        }
    }
}

/// A kernel for many streams, which this processor has: to hold one is the proof.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wide {
    #[cfg(target_arch = "x86_64")]
    kernel: Kernel,
    /// How many streams it takes.
    pub(crate) lanes: usize,
}

/// A kernel for few streams, which this processor has: to hold one is the proof.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Narrow {
    kernel: Kernel,
}

impl Wide {
    /// Which kernel it is.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn kernel(self) -> Kernel {
        self.kernel
    }

    #[cfg(target_arch = "x86_64")]
    pub(crate) fn new(kernel: Kernel) -> Option<Self> {
        let (available, lanes) = match kernel {
            Kernel::Avx512 => {
                (is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw"), 16)
            }
            Kernel::Avx2 => (is_x86_feature_detected!("avx2"), 8),
            Kernel::ShaNi | Kernel::Portable => (false, 0),
        };
        available.then_some(Self { kernel, lanes })
    }

    #[cfg(not(target_arch = "x86_64"))]
    pub(crate) fn new(_: Kernel) -> Option<Self> {
        None
    }

    /// Compresses the blocks of each lane, which are of the same number, into its column of `states`.
    pub(crate) fn compress(self, states: &mut LaneStates, blocks: &[&[Block]; LANES]) {
        #[cfg(target_arch = "x86_64")]
        crate::x86::compress_wide(self, states, blocks);
        #[cfg(not(target_arch = "x86_64"))]
        let _ = (states, blocks);
    }
}

impl Narrow {
    /// Which kernel it is.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn kernel(self) -> Kernel {
        self.kernel
    }

    pub(crate) const PORTABLE: Self = Self { kernel: Kernel::Portable };

    pub(crate) fn new(kernel: Kernel) -> Option<Self> {
        let available = match kernel {
            Kernel::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Kernel::ShaNi => {
                is_x86_feature_detected!("sha")
                    && is_x86_feature_detected!("ssse3")
                    && is_x86_feature_detected!("sse4.1")
            }
            _ => false,
        };
        available.then_some(Self { kernel })
    }

    /// Whether two streams together are faster than one after the other.
    pub(crate) fn pairs(self) -> bool {
        self.kernel == Kernel::ShaNi
    }

    /// Compresses the blocks of one stream.
    pub(crate) fn compress(self, state: &mut State, blocks: &[Block]) {
        match self.kernel {
            #[cfg(target_arch = "x86_64")]
            Kernel::ShaNi => crate::x86::compress_one(self, state, blocks),
            _ => sha2::block_api::compress256(state, blocks),
        }
    }

    /// Compresses the blocks of two streams, which are of the same number.
    pub(crate) fn compress_pair(self, states: [&mut State; 2], blocks: [&[Block]; 2]) {
        #[cfg(target_arch = "x86_64")]
        if self.kernel == Kernel::ShaNi {
            return crate::x86::compress_pair(self, states, blocks);
        }
        for (state, blocks) in states.into_iter().zip(blocks) {
            self.compress(state, blocks);
        }
    }
}
