//! Up to three streams interleaved on the SHA extensions: while one waits for its rounds, the others compute.

use std::{arch::x86_64::*, hint::black_box};

use super::rounds::ROUND_CONSTANTS;
use crate::{Block, State};

/// Four rounds of every stream, and the four words of its schedule that come sixteen rounds later.
macro_rules! four {
    ($abef:ident, $cdgh:ident, $words:ident, $quarter:literal, $i:literal) => {
        let constants: &[u32; 4] = &ROUND_CONSTANTS[$quarter].as_chunks().0[$i];
        // SAFETY: four words are the 16 bytes that are read, and no alignment is asked for.
        let constants = unsafe { _mm_loadu_si128(constants.as_ptr().cast()) };
        for ((abef, cdgh), words) in $abef.iter_mut().zip(&mut $cdgh).zip(&mut $words) {
            let [w0, w1, w2, w3] =
                [words[$i], words[($i + 1) % 4], words[($i + 2) % 4], words[($i + 3) % 4]];
            let sum = _mm_add_epi32(w0, constants);
            *cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, sum);
            *abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_shuffle_epi32(sum, 0x0e));
            if $quarter < 3 {
                let sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4));
                words[$i] = _mm_sha256msg2_epu32(sum, w3);
            }
        }
    };
}

macro_rules! quarter {
    ($abef:ident, $cdgh:ident, $words:ident, $quarter:literal) => {
        four!($abef, $cdgh, $words, $quarter, 0);
        four!($abef, $cdgh, $words, $quarter, 1);
        four!($abef, $cdgh, $words, $quarter, 2);
        four!($abef, $cdgh, $words, $quarter, 3);
    };
}

/// Compresses the blocks of each stream, which are of the same number.
#[target_feature(enable = "sha,avx")]
pub(super) fn compress<const N: usize>(states: &mut [State; N], blocks: &[&[Block]; N]) {
    let swap = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
    let (mut abef, mut cdgh) = ([_mm_setzero_si128(); N], [_mm_setzero_si128(); N]);
    for ((abef, cdgh), state) in abef.iter_mut().zip(&mut cdgh).zip(states.iter()) {
        [*abef, *cdgh] = split(state);
    }
    for index in 0..blocks[0].len() {
        // Out of sight of the compiler: it would keep the streams' values together in longer vectors, and take these
        // apart and together again for each block.
        let before = black_box((abef, cdgh));
        let mut words = [[_mm_setzero_si128(); 4]; N];
        for (words, blocks) in words.iter_mut().zip(blocks) {
            for (words, bytes) in words.iter_mut().zip(blocks[index].as_chunks::<16>().0) {
                // SAFETY: these are the 16 bytes that are read, and no alignment is asked for.
                *words = _mm_shuffle_epi8(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }, swap);
            }
        }
        quarter!(abef, cdgh, words, 0);
        quarter!(abef, cdgh, words, 1);
        quarter!(abef, cdgh, words, 2);
        quarter!(abef, cdgh, words, 3);
        for (abef, before) in abef.iter_mut().zip(before.0) {
            *abef = _mm_add_epi32(*abef, before);
        }
        for (cdgh, before) in cdgh.iter_mut().zip(before.1) {
            *cdgh = _mm_add_epi32(*cdgh, before);
        }
    }
    for ((abef, cdgh), state) in abef.into_iter().zip(cdgh).zip(states.iter_mut()) {
        *state = joined([abef, cdgh]);
    }
}

/// The halves `abef` and `cdgh`, each with its first word in the highest place.
#[target_feature(enable = "sse4.1")]
#[inline]
fn split(state: &State) -> [__m128i; 2] {
    let [a, b, c, d, e, f, g, h] = state.map(u32::cast_signed);
    [_mm_set_epi32(a, b, e, f), _mm_set_epi32(c, d, g, h)]
}

#[target_feature(enable = "sse4.1")]
#[inline]
fn joined([abef, cdgh]: [__m128i; 2]) -> State {
    let words = [
        _mm_extract_epi32(abef, 3),
        _mm_extract_epi32(abef, 2),
        _mm_extract_epi32(cdgh, 3),
        _mm_extract_epi32(cdgh, 2),
        _mm_extract_epi32(abef, 1),
        _mm_extract_epi32(abef, 0),
        _mm_extract_epi32(cdgh, 1),
        _mm_extract_epi32(cdgh, 0),
    ];
    words.map(i32::cast_unsigned)
}
