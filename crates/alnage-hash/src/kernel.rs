//! The ways to compress blocks, and which of them this processor has.

use crate::{Block, State};

/// The most streams that any kernel takes.
pub(crate) const LANES: usize = 16;
/// The most streams that a kernel for few takes.
pub(crate) const FEW: usize = 4;

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
    /// Three or four streams interleaved on the SHA extensions of x86, by how many registers there are.
    ShaNi,
    /// One stream, as the crate `sha2` does it: with the SHA extensions of the processor where it knows them.
    Portable,
}

impl Kernel {
    /// All of them, those for most streams first.
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
    way: Way,
}

/// How a few streams are compressed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    Portable,
    /// By SHA and AVX.
    #[cfg(target_arch = "x86_64")]
    ShaNi,
    /// By SHA and AVX-512 F, BW and VL, with twice the registers.
    #[cfg(target_arch = "x86_64")]
    ShaAvx512,
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
    pub(crate) const PORTABLE: Self = Self { way: Way::Portable };

    /// Which way it is.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn way(self) -> Way {
        self.way
    }

    pub(crate) fn new(kernel: Kernel) -> Option<Self> {
        match kernel {
            Kernel::Portable => Some(Self::PORTABLE),
            #[cfg(target_arch = "x86_64")]
            Kernel::ShaNi if is_x86_feature_detected!("sha") && is_x86_feature_detected!("avx") => {
                let more = is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl");
                Some(Self { way: if more { Way::ShaAvx512 } else { Way::ShaNi } })
            }
            _ => None,
        }
    }

    /// By the SHA extensions with half of the registers, as on processors without AVX-512.
    #[cfg(test)]
    pub(crate) fn in_16_registers() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        return Self::new(Kernel::ShaNi).map(|_| Self { way: Way::ShaNi });
        #[cfg(not(target_arch = "x86_64"))]
        None
    }

    /// How many streams together are fastest.
    pub(crate) fn streams(self) -> usize {
        match self.way {
            Way::Portable => 1,
            #[cfg(target_arch = "x86_64")]
            Way::ShaNi => 3,
            #[cfg(target_arch = "x86_64")]
            Way::ShaAvx512 => FEW,
        }
    }

    /// Compresses the blocks of a few streams, which are of the same number.
    pub(crate) fn compress<const N: usize>(self, states: &mut [State; N], blocks: &[&[Block]; N]) {
        match self.way {
            Way::Portable => {
                for (state, blocks) in states.iter_mut().zip(blocks) {
                    sha2::block_api::compress256(state, blocks);
                }
            }
            #[cfg(target_arch = "x86_64")]
            Way::ShaNi | Way::ShaAvx512 => crate::x86::compress_narrow(self, states, blocks),
        }
    }
}
