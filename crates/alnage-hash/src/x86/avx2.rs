//! Eight streams in the lanes of 256-bit vectors, for processors without AVX-512 and SHA extensions.

use std::arch::x86_64::*;

use super::rounds::rounds;
use crate::{
    Block,
    kernel::{LANES, LaneStates},
};

/// Compresses the blocks of the first eight lanes, which are of the same number.
#[target_feature(enable = "avx2")]
pub(super) fn compress(states: &mut LaneStates, blocks: &[&[Block]; LANES]) {
    let mut state = states.0.map(|words| load(words.as_chunks::<8>().0[0]));
    for index in 0..blocks[0].len() {
        state = rounds!(state, words(blocks, index));
    }
    for (words, vector) in states.0.iter_mut().zip(state) {
        let words = &mut words.as_chunks_mut::<8>().0[0];
        // SAFETY: 8 words are the 32 bytes that are written, and no alignment is asked for.
        unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), vector) };
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn load(words: [u32; 8]) -> __m256i {
    // SAFETY: 8 words are the 32 bytes that are read, and no alignment is asked for.
    unsafe { _mm256_loadu_si256(words.as_ptr().cast()) }
}

/// Block `index` of every lane, word by word: for each half of the blocks a transposition of 8 rows of 8 words.
#[target_feature(enable = "avx2")]
#[inline]
fn words(blocks: &[&[Block]; LANES], index: usize) -> [__m256i; 16] {
    let mut words = [_mm256_setzero_si256(); 16];
    for (half, words) in words.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        *words = transposed(blocks, index, half);
    }
    words
}

#[target_feature(enable = "avx2")]
#[inline]
fn transposed(blocks: &[&[Block]; LANES], index: usize, half: usize) -> [__m256i; 8] {
    let swap = _mm256_broadcastsi128_si256(_mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203));
    let mut rows = [_mm256_setzero_si256(); 8];
    for (row, blocks) in rows.iter_mut().zip(blocks) {
        let bytes: &[u8; 32] = &blocks[index].as_chunks().0[half];
        // SAFETY: half a block is the 32 bytes that are read, and no alignment is asked for.
        let bytes = unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) };
        *row = _mm256_shuffle_epi8(bytes, swap);
    }
    // Within each group of four rows and each 128 bits: words, then pairs of words change places.
    let mut quads = rows;
    for (quad, row) in quads.as_chunks_mut::<4>().0.iter_mut().zip(rows.as_chunks::<4>().0) {
        let [low, high] = [_mm256_unpacklo_epi32(row[0], row[1]), _mm256_unpackhi_epi32(row[0], row[1])];
        let [low_2, high_2] = [_mm256_unpacklo_epi32(row[2], row[3]), _mm256_unpackhi_epi32(row[2], row[3])];
        *quad = [
            _mm256_unpacklo_epi64(low, low_2),
            _mm256_unpackhi_epi64(low, low_2),
            _mm256_unpacklo_epi64(high, high_2),
            _mm256_unpackhi_epi64(high, high_2),
        ];
    }
    // Then the halves themselves.
    let mut words = quads;
    for column in 0..4 {
        let [upper, lower] = [quads[column], quads[4 + column]];
        words[column] = _mm256_permute2x128_si256(upper, lower, 0x20);
        words[4 + column] = _mm256_permute2x128_si256(upper, lower, 0x31);
    }
    words
}

#[target_feature(enable = "avx2")]
#[inline]
fn add(a: __m256i, b: __m256i) -> __m256i {
    _mm256_add_epi32(a, b)
}

#[target_feature(enable = "avx2")]
#[inline]
fn splat(word: u32) -> __m256i {
    _mm256_set1_epi32(word.cast_signed())
}

#[target_feature(enable = "avx2")]
#[inline]
fn xor(a: __m256i, b: __m256i, c: __m256i) -> __m256i {
    _mm256_xor_si256(_mm256_xor_si256(a, b), c)
}

#[target_feature(enable = "avx2")]
#[inline]
fn choose(e: __m256i, f: __m256i, g: __m256i) -> __m256i {
    _mm256_xor_si256(g, _mm256_and_si256(e, _mm256_xor_si256(f, g)))
}

#[target_feature(enable = "avx2")]
#[inline]
fn majority(a: __m256i, b: __m256i, c: __m256i) -> __m256i {
    _mm256_or_si256(_mm256_and_si256(a, b), _mm256_and_si256(c, _mm256_or_si256(a, b)))
}

#[target_feature(enable = "avx2")]
#[inline]
fn rotate<const RIGHT: i32, const LEFT: i32>(v: __m256i) -> __m256i {
    const { assert!(RIGHT + LEFT == 32) };
    _mm256_or_si256(_mm256_srli_epi32(v, RIGHT), _mm256_slli_epi32(v, LEFT))
}

#[target_feature(enable = "avx2")]
#[inline]
fn big_sigma_0(a: __m256i) -> __m256i {
    xor(rotate::<2, 30>(a), rotate::<13, 19>(a), rotate::<22, 10>(a))
}

#[target_feature(enable = "avx2")]
#[inline]
fn big_sigma_1(e: __m256i) -> __m256i {
    xor(rotate::<6, 26>(e), rotate::<11, 21>(e), rotate::<25, 7>(e))
}

#[target_feature(enable = "avx2")]
#[inline]
fn small_sigma_0(w: __m256i) -> __m256i {
    xor(rotate::<7, 25>(w), rotate::<18, 14>(w), _mm256_srli_epi32(w, 3))
}

#[target_feature(enable = "avx2")]
#[inline]
fn small_sigma_1(w: __m256i) -> __m256i {
    xor(rotate::<17, 15>(w), rotate::<19, 13>(w), _mm256_srli_epi32(w, 10))
}
