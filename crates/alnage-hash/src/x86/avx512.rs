//! Sixteen streams in the lanes of 512-bit vectors.

use std::arch::x86_64::*;

use super::rounds::rounds;
use crate::{
    Block,
    kernel::{LANES, LaneStates},
};

/// Compresses the blocks of each lane, which are of the same number.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn compress(states: &mut LaneStates, blocks: &[&[Block]; LANES]) {
    let mut state = states.0.map(|words| load(&words));
    for index in 0..blocks[0].len() {
        state = rounds!(state, words(blocks, index));
    }
    for (words, vector) in states.0.iter_mut().zip(state) {
        // SAFETY: 16 words are the 64 bytes that are written, and no alignment is asked for.
        unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), vector) };
    }
}

#[target_feature(enable = "avx512f")]
#[inline]
fn load(words: &[u32; LANES]) -> __m512i {
    // SAFETY: 16 words are the 64 bytes that are read, and no alignment is asked for.
    unsafe { _mm512_loadu_si512(words.as_ptr().cast()) }
}

/// Block `index` of every lane, word by word: a transposition of 16 rows of 16 words.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn words(blocks: &[&[Block]; LANES], index: usize) -> [__m512i; 16] {
    let swap = _mm512_broadcast_i32x4(_mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203));
    let mut rows = [_mm512_setzero_si512(); 16];
    for (row, blocks) in rows.iter_mut().zip(blocks) {
        // SAFETY: a block is the 64 bytes that are read, and no alignment is asked for.
        let block = unsafe { _mm512_loadu_si512(blocks[index].as_ptr().cast()) };
        *row = _mm512_shuffle_epi8(block, swap);
    }
    // Within each group of four rows and each 128 bits: words, then pairs of words change places.
    let mut quads = rows;
    for (quad, row) in quads.as_chunks_mut::<4>().0.iter_mut().zip(rows.as_chunks::<4>().0) {
        let [low, high] = [_mm512_unpacklo_epi32(row[0], row[1]), _mm512_unpackhi_epi32(row[0], row[1])];
        let [low_2, high_2] = [_mm512_unpacklo_epi32(row[2], row[3]), _mm512_unpackhi_epi32(row[2], row[3])];
        *quad = [
            _mm512_unpacklo_epi64(low, low_2),
            _mm512_unpackhi_epi64(low, low_2),
            _mm512_unpacklo_epi64(high, high_2),
            _mm512_unpackhi_epi64(high, high_2),
        ];
    }
    // Then the groups of 128 bits themselves.
    let mut words = quads;
    for column in 0..4 {
        let [a, b, c, d] = [quads[column], quads[4 + column], quads[8 + column], quads[12 + column]];
        let [even, odd] = [_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(a, b, 0xdd)];
        let [even_2, odd_2] = [_mm512_shuffle_i32x4(c, d, 0x88), _mm512_shuffle_i32x4(c, d, 0xdd)];
        words[column] = _mm512_shuffle_i32x4(even, even_2, 0x88);
        words[4 + column] = _mm512_shuffle_i32x4(odd, odd_2, 0x88);
        words[8 + column] = _mm512_shuffle_i32x4(even, even_2, 0xdd);
        words[12 + column] = _mm512_shuffle_i32x4(odd, odd_2, 0xdd);
    }
    words
}

#[target_feature(enable = "avx512f")]
#[inline]
fn add(a: __m512i, b: __m512i) -> __m512i {
    _mm512_add_epi32(a, b)
}

#[target_feature(enable = "avx512f")]
#[inline]
fn splat(word: u32) -> __m512i {
    _mm512_set1_epi32(word.cast_signed())
}

// The third operand of a ternary logic instruction is the truth table of the function.

#[target_feature(enable = "avx512f")]
#[inline]
fn xor(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32(a, b, c, 0x96)
}

#[target_feature(enable = "avx512f")]
#[inline]
fn choose(e: __m512i, f: __m512i, g: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32(e, f, g, 0xca)
}

#[target_feature(enable = "avx512f")]
#[inline]
fn majority(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32(a, b, c, 0xe8)
}

#[target_feature(enable = "avx512f")]
#[inline]
fn big_sigma_0(a: __m512i) -> __m512i {
    xor(_mm512_ror_epi32(a, 2), _mm512_ror_epi32(a, 13), _mm512_ror_epi32(a, 22))
}

#[target_feature(enable = "avx512f")]
#[inline]
fn big_sigma_1(e: __m512i) -> __m512i {
    xor(_mm512_ror_epi32(e, 6), _mm512_ror_epi32(e, 11), _mm512_ror_epi32(e, 25))
}

#[target_feature(enable = "avx512f")]
#[inline]
fn small_sigma_0(w: __m512i) -> __m512i {
    xor(_mm512_ror_epi32(w, 7), _mm512_ror_epi32(w, 18), _mm512_srli_epi32(w, 3))
}

#[target_feature(enable = "avx512f")]
#[inline]
fn small_sigma_1(w: __m512i) -> __m512i {
    xor(_mm512_ror_epi32(w, 17), _mm512_ror_epi32(w, 19), _mm512_srli_epi32(w, 10))
}
