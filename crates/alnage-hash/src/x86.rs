//! The kernels of x86-64. Everything of this crate that is `unsafe` is here and below.

#![expect(unsafe_code, reason = "code for processors with these extensions alone, and loads of vectors")]

mod avx2;
mod avx512;
mod rounds;
mod sha_ni;

use crate::{
    Block, Kernel, State,
    kernel::{LANES, LaneStates, Narrow, Wide},
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

/// Compresses the blocks of one stream.
pub(crate) fn compress_one(proof: Narrow, state: &mut State, blocks: &[Block]) {
    debug_assert_eq!(proof.kernel(), Kernel::ShaNi);
    if proof.kernel() == Kernel::ShaNi {
        // SAFETY: a `Narrow` of this kernel is only made when the processor was found to have SHA, SSSE3 and SSE4.1.
        unsafe { sha_ni::compress([state], [blocks]) }
    }
}

/// Compresses the blocks of two streams, which are of the same number.
pub(crate) fn compress_pair(proof: Narrow, states: [&mut State; 2], blocks: [&[Block]; 2]) {
    debug_assert_eq!(proof.kernel(), Kernel::ShaNi);
    if proof.kernel() == Kernel::ShaNi {
        // SAFETY: a `Narrow` of this kernel is only made when the processor was found to have SHA, SSSE3 and SSE4.1.
        unsafe { sha_ni::compress(states, blocks) }
    }
}
