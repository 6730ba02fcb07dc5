//! What all kernels share: the constants, and the rounds over lanes of vectors of any width.

/// The first 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2), sixteen for
/// each of the four quarters of a block's rounds.
pub(super) static ROUND_CONSTANTS: [[u32; 16]; 4] = [
    [
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    ],
    [
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    ],
    [
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    ],
    [
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    ],
];

/// The 64 rounds of one block of every lane, FIPS 180-4, 6.2.2: `$words` is the block word by word, `$state` the
/// chaining values. The caller's scope has the vector operations `add`, `splat`, `choose`, `majority`, `big_sigma_0`,
/// `big_sigma_1`, `small_sigma_0` and `small_sigma_1`.
///
/// A macro, because a function generic over vectors could not carry the processor's features.
macro_rules! rounds {
    ($state:expr, $words:expr) => {{
        let mut w = $words;
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = $state;
        for (quarter, constants) in $crate::x86::rounds::ROUND_CONSTANTS.iter().enumerate() {
            macro_rules! round {
                ($i:literal) => {
                    let constant = add(h, splat(constants[$i]));
                    let first = add(add(constant, w[$i]), add(big_sigma_1(e), choose(e, f, g)));
                    let second = add(big_sigma_0(a), majority(a, b, c));
                    (h, g, f, e) = (g, f, e, add(d, first));
                    (d, c, b, a) = (c, b, a, add(first, second));
                };
            }
            macro_rules! expand {
                ($i:literal) => {
                    let near = add(w[$i], small_sigma_0(w[($i + 1) % 16]));
                    w[$i] = add(near, add(w[($i + 9) % 16], small_sigma_1(w[($i + 14) % 16])));
                };
            }
            macro_rules! all {
                ($step:ident) => {
                    $step!(0);
                    $step!(1);
                    $step!(2);
                    $step!(3);
                    $step!(4);
                    $step!(5);
                    $step!(6);
                    $step!(7);
                    $step!(8);
                    $step!(9);
                    $step!(10);
                    $step!(11);
                    $step!(12);
                    $step!(13);
                    $step!(14);
                    $step!(15);
                };
            }
            if quarter > 0 {
                all!(expand);
            }
            all!(round);
        }
        let [a0, b0, c0, d0, e0, f0, g0, h0] = $state;
        [add(a0, a), add(b0, b), add(c0, c), add(d0, d), add(e0, e), add(f0, f), add(g0, g), add(h0, h)]
    }};
}
pub(super) use rounds;
