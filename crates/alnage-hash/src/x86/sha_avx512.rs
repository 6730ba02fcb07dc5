//! Three or four streams interleaved on the SHA extensions, with the 32 registers of AVX-512.
//!
//! The unit begins two rounds each cycle and has them four cycles later, so that four streams fill it; but its
//! instructions can name only half of the registers. Left to a compiler, which puts loads and stores between, the same is
//! up to a tenth slower.

use std::arch::asm;

use super::rounds::ROUND_CONSTANTS;
use crate::{Block, State};

/// The bytes of each word the other way round.
static SWAP: [u8; 16] = [3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12];

/// What a stream has: the registers of its chaining values and of the last 16 words of its schedule, where the chaining
/// values lie, and where its blocks do.
#[rustfmt::skip]
macro_rules! a {
    (abef) => { "xmm1" }; (cdgh) => { "xmm2" }; (place) => { "{chaining}" }; (blocks) => { "{a}" };
    (0) => { "xmm16" }; (1) => { "xmm17" }; (2) => { "xmm18" }; (3) => { "xmm19" };
}

#[rustfmt::skip]
macro_rules! b {
    (abef) => { "xmm3" }; (cdgh) => { "xmm4" }; (place) => { "{chaining} + 32" }; (blocks) => { "{b}" };
    (0) => { "xmm20" }; (1) => { "xmm21" }; (2) => { "xmm22" }; (3) => { "xmm23" };
}

#[rustfmt::skip]
macro_rules! c {
    (abef) => { "xmm5" }; (cdgh) => { "xmm6" }; (place) => { "{chaining} + 64" }; (blocks) => { "{c}" };
    (0) => { "xmm24" }; (1) => { "xmm25" }; (2) => { "xmm26" }; (3) => { "xmm27" };
}

#[rustfmt::skip]
macro_rules! d {
    (abef) => { "xmm7" }; (cdgh) => { "xmm8" }; (place) => { "{chaining} + 96" }; (blocks) => { "{d}" };
    (0) => { "xmm28" }; (1) => { "xmm29" }; (2) => { "xmm30" }; (3) => { "xmm31" };
}

/// The same for three streams, where three of the four registers with words are such as the unit can name, and the other is
/// one of two in turns.
#[rustfmt::skip]
macro_rules! p {
    (abef) => { "xmm1" }; (cdgh) => { "xmm2" }; (place) => { "{chaining}" }; (blocks) => { "{p}" };
    (0) => { "xmm7" }; (1) => { "xmm8" }; (2) => { "xmm9" }; (3) => { "xmm16" }; (4) => { "xmm17" }; (sum) => { "xmm18" };
}

#[rustfmt::skip]
macro_rules! q {
    (abef) => { "xmm3" }; (cdgh) => { "xmm4" }; (place) => { "{chaining} + 32" }; (blocks) => { "{q}" };
    (0) => { "xmm10" }; (1) => { "xmm11" }; (2) => { "xmm12" }; (3) => { "xmm19" }; (4) => { "xmm20" }; (sum) => { "xmm21" };
}

#[rustfmt::skip]
macro_rules! r {
    (abef) => { "xmm5" }; (cdgh) => { "xmm6" }; (place) => { "{chaining} + 64" }; (blocks) => { "{r}" };
    (0) => { "xmm13" }; (1) => { "xmm14" }; (2) => { "xmm15" }; (3) => { "xmm22" }; (4) => { "xmm23" }; (sum) => { "xmm24" };
}

#[rustfmt::skip]
macro_rules! load_chaining {
    ($s:ident) => { concat!(
        "vmovdqu ", $s!(abef), ", [", $s!(place), "]\n",
        "vmovdqu ", $s!(cdgh), ", [", $s!(place), " + 16]\n",
    ) };
}

#[rustfmt::skip]
macro_rules! add_chaining {
    ($s:ident) => { concat!(
        "vpaddd ", $s!(abef), ", ", $s!(abef), ", [", $s!(place), "]\n",
        "vpaddd ", $s!(cdgh), ", ", $s!(cdgh), ", [", $s!(place), " + 16]\n",
        "vmovdqu [", $s!(place), "], ", $s!(abef), "\n",
        "vmovdqu [", $s!(place), " + 16], ", $s!(cdgh), "\n",
    ) };
}

#[rustfmt::skip]
macro_rules! load_words {
    ($s:ident, $word:tt, $offset:literal) => { concat!(
        "vmovdqu xmm0, [", $s!(blocks), " + {at} + ", $offset, "]\n",
        "vpshufb ", $s!($word), ", xmm0, [{swap}]\n",
    ) };
}

/// Four rounds, with the four words in `$word`.
#[rustfmt::skip]
macro_rules! rounds {
    ($s:ident, $word:tt, $offset:literal) => { concat!(
        "vpaddd xmm0, ", $s!($word), ", [{constants} + ", $offset, "]\n",
        "sha256rnds2 ", $s!(cdgh), ", ", $s!(abef), "\n",
        "vpshufd xmm0, xmm0, 0x0e\n",
        "sha256rnds2 ", $s!(abef), ", ", $s!(cdgh), "\n",
    ) };
}

/// The four words that come sixteen rounds after those in `$w0`, in its place.
#[rustfmt::skip]
macro_rules! schedule {
    ($s:ident, $w0:tt $w1:tt $w2:tt $w3:tt) => { concat!(
        "vmovdqa64 xmm9, ", $s!($w0), "\n",
        "vmovdqa64 xmm10, ", $s!($w1), "\n",
        "sha256msg1 xmm9, xmm10\n",
        "vpalignr xmm11, ", $s!($w3), ", ", $s!($w2), ", 4\n",
        "vpaddd xmm9, xmm9, xmm11\n",
        "vmovdqa64 xmm10, ", $s!($w3), "\n",
        "sha256msg2 xmm9, xmm10\n",
        "vmovdqa64 ", $s!($w0), ", xmm9\n",
    ) };
}

/// A block of each of four streams. The schedule is a step behind the rounds, which wait for each other and so go first.
macro_rules! block_of_four {
    ($($s:ident)+) => {
        concat!(
            $(load_words!($s, 0, "0"), load_words!($s, 1, "16"), load_words!($s, 2, "32"), load_words!($s, 3, "48"),)+
            $(rounds!($s, 0, "0"),)+
            $(schedule!($s, 0 1 2 3), rounds!($s, 1, "16"),)+
            $(schedule!($s, 1 2 3 0), rounds!($s, 2, "32"),)+
            $(schedule!($s, 2 3 0 1), rounds!($s, 3, "48"),)+
            $(schedule!($s, 3 0 1 2), rounds!($s, 0, "64"),)+
            $(schedule!($s, 0 1 2 3), rounds!($s, 1, "80"),)+
            $(schedule!($s, 1 2 3 0), rounds!($s, 2, "96"),)+
            $(schedule!($s, 2 3 0 1), rounds!($s, 3, "112"),)+
            $(schedule!($s, 3 0 1 2), rounds!($s, 0, "128"),)+
            $(schedule!($s, 0 1 2 3), rounds!($s, 1, "144"),)+
            $(schedule!($s, 1 2 3 0), rounds!($s, 2, "160"),)+
            $(schedule!($s, 2 3 0 1), rounds!($s, 3, "176"),)+
            $(schedule!($s, 3 0 1 2), rounds!($s, 0, "192"),)+
            $(rounds!($s, 1, "208"),)+
            $(rounds!($s, 2, "224"),)+
            $(rounds!($s, 3, "240"),)+
            $(add_chaining!($s),)+
        )
    };
}

/// Four rounds with the words in `$w0`, and the beginning of the schedule of those that come sixteen rounds later.
#[rustfmt::skip]
macro_rules! rounds_and_begin {
    ($s:ident, $w0:tt $w1:tt $w2:tt $w3:tt, $offset:literal) => { concat!(
        "vpaddd xmm0, ", $s!($w0), ", [{constants} + ", $offset, "]\n",
        "sha256rnds2 ", $s!(cdgh), ", ", $s!(abef), "\n",
        "sha256msg1 ", $s!($w0), ", ", $s!($w1), "\n",
        "vpalignr ", $s!(sum), ", ", $s!($w3), ", ", $s!($w2), ", 4\n",
        "vpshufd xmm0, xmm0, 0x0e\n",
        "sha256rnds2 ", $s!(abef), ", ", $s!(cdgh), "\n",
    ) };
}

/// The rest of that schedule; the words in `$w2`, which come to be named, change places with those in `$w3`.
#[rustfmt::skip]
macro_rules! finish {
    ($s:ident, $w0:tt $w1:tt $w2:tt $w3:tt, $free:tt) => { concat!(
        "vpaddd ", $s!($w0), ", ", $s!($w0), ", ", $s!(sum), "\n",
        "sha256msg2 ", $s!($w0), ", ", $s!($w3), "\n",
        "vmovdqa64 ", $s!($free), ", ", $s!($w3), "\n",
        "vmovdqa64 ", $s!($w3), ", ", $s!($w2), "\n",
    ) };
}

/// A block of each of three streams.
macro_rules! block_of_three {
    ($($s:ident)+) => {
        concat!(
            $(load_words!($s, 0, "0"), load_words!($s, 1, "16"), load_words!($s, 3, "32"), load_words!($s, 2, "48"),)+
            $(rounds_and_begin!($s, 0 1 3 2, "0"),)+
            $(finish!($s, 0 1 3 2, 4), rounds_and_begin!($s, 1 2 4 0, "16"),)+
            $(finish!($s, 1 2 4 0, 3), rounds_and_begin!($s, 2 0 3 1, "32"),)+
            $(finish!($s, 2 0 3 1, 4), rounds_and_begin!($s, 0 1 4 2, "48"),)+
            $(finish!($s, 0 1 4 2, 3), rounds_and_begin!($s, 1 2 3 0, "64"),)+
            $(finish!($s, 1 2 3 0, 4), rounds_and_begin!($s, 2 0 4 1, "80"),)+
            $(finish!($s, 2 0 4 1, 3), rounds_and_begin!($s, 0 1 3 2, "96"),)+
            $(finish!($s, 0 1 3 2, 4), rounds_and_begin!($s, 1 2 4 0, "112"),)+
            $(finish!($s, 1 2 4 0, 3), rounds_and_begin!($s, 2 0 3 1, "128"),)+
            $(finish!($s, 2 0 3 1, 4), rounds_and_begin!($s, 0 1 4 2, "144"),)+
            $(finish!($s, 0 1 4 2, 3), rounds_and_begin!($s, 1 2 3 0, "160"),)+
            $(finish!($s, 1 2 3 0, 4), rounds_and_begin!($s, 2 0 4 1, "176"),)+
            $(finish!($s, 2 0 4 1, 3), rounds!($s, 0, "192"),)+
            $(rounds!($s, 1, "208"),)+
            $(rounds!($s, 3, "224"),)+
            $(rounds!($s, 2, "240"),)+
            $(add_chaining!($s),)+
        )
    };
}

macro_rules! interleaved {
    ($states:ident, $blocks:ident, $block:ident, $($s:ident $index:literal)+) => {{
        let count = $blocks.iter().map(|blocks| blocks.len()).min().unwrap_or(0);
        if count == 0 {
            return;
        }
        // In the order in which the unit has them, from the lowest place of a register up.
        let mut chaining = $states.map(|[a, b, c, d, e, f, g, h]| [f, e, b, a, h, g, d, c]);
        // SAFETY: it reads `count` blocks of each stream, the constants and the mask, reads and writes the chaining
        // values, and changes no register but those that are said.
        unsafe {
            asm!(
                concat!($(load_chaining!($s),)+),
                ".p2align 5",
                "2:",
                $block!($($s)+),
                "add {at}, 64",
                "cmp {at}, {end}",
                "jb 2b",
                $($s = in(reg) $blocks[$index].as_ptr(),)+
                chaining = in(reg) chaining.as_mut_ptr(),
                constants = in(reg) ROUND_CONSTANTS.as_ptr(),
                swap = in(reg) SWAP.as_ptr(),
                at = inout(reg) 0_usize => _,
                end = in(reg) count * size_of::<Block>(),
                out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _, out("xmm4") _, out("xmm5") _,
                out("xmm6") _, out("xmm7") _, out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
                out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
                out("xmm16") _, out("xmm17") _, out("xmm18") _, out("xmm19") _, out("xmm20") _, out("xmm21") _,
                out("xmm22") _, out("xmm23") _, out("xmm24") _, out("xmm25") _, out("xmm26") _, out("xmm27") _,
                out("xmm28") _, out("xmm29") _, out("xmm30") _, out("xmm31") _,
                options(nostack),
            );
        }
        *$states = chaining.map(|[f, e, b, a, h, g, d, c]| [a, b, c, d, e, f, g, h]);
    }};
}

/// Compresses the blocks of each stream, which are of the same number. One or two streams wait for their rounds
/// whatever the order.
#[target_feature(enable = "sha,avx,avx512f,avx512bw,avx512vl")]
pub(super) fn compress<const N: usize>(states: &mut [State; N], blocks: &[&[Block]; N]) {
    match N {
        3 => interleaved!(states, blocks, block_of_three, p 0 q 1 r 2),
        4 => interleaved!(states, blocks, block_of_four, a 0 b 1 c 2 d 3),
        _ => super::sha_ni::compress(states, blocks),
    }
}
