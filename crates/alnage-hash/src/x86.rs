//! The kernels of x86-64. Everything of this crate that is `unsafe` is here and below.

#![expect(unsafe_code, reason = "code for processors with these extensions alone, and loads of vectors")]

mod avx2;
mod avx512;
mod rounds;
mod sha_avx512;
mod sha_ni;

use crate::{
    Block, Kernel, State,
    kernel::{LANES, LaneStates, Narrow, Way, Wide},
};

/// Compresses the blocks of each lane, which are of the same number, into its column of `states`.
pub(crate) fn compress_wide(proof: Wide, states: &mut LaneStates, blocks: &[&[Block]; LANES]) {
    match proof.kernel() {
        // SAFETY: a `Wide` of this kernel is only made when the processor was found to have AVX-512 F and BW.
        Kernel::Avx512 => unsafe { avx512::compress(states, blocks) },
        // SAFETY: a `Wide` of this kernel is only made when the processor was found to have AVX2.
        Kernel::Avx2 => unsafe { avx2::compress(states, blocks) },
        Kernel::ShaNi | Kernel::Portable => {}
    }
}

/// Compresses the blocks of a few streams, which are of the same number.
pub(crate) fn compress_narrow<const N: usize>(
    proof: Narrow,
    states: &mut [State; N],
    blocks: &[&[Block]; N],
) {
    match proof.way() {
        Way::Portable => {}
        // SAFETY: a `Narrow` of this way is only made when the processor was found to have SHA and AVX.
        Way::ShaNi => unsafe { sha_ni::compress(states, blocks) },
        // SAFETY: a `Narrow` of this way is only made when it was found to have SHA and AVX-512 F, BW and VL.
        Way::ShaAvx512 => unsafe { sha_avx512::compress(states, blocks) },
    }
}
