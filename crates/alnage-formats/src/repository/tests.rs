//! Every parser of the family on mutated samples: whatever the bytes, an answer and no panic.

use std::sync::Arc;

use alnage_types::{ArtifactPath, Budget, MemorySource};

use crate::analyse;

/// A small generator of repeatable pseudo-random numbers (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (bound as u64).max(1)).unwrap_or(0)
    }
}

fn mutate(sample: &[u8], random: &mut Random) -> Vec<u8> {
    const PIECES: [&[u8]; 20] = [
        b"{%", b"%}", b"{{", b"}}", b"{#", b"'", b"\"", b"\\", b"(", b")", b"[", b"]", b":", b"\n", b"\0",
        b"\xff", b"  ", b"- ", b"&a ", b"*a",
    ];
    let mut bytes = sample.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        match random.below(4) {
            0 => bytes.truncate(at),
            1 if at < bytes.len() => bytes[at] = random.below(256) as u8,
            2 => {
                let end = (at + random.below(40)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, piece);
            }
            _ => {
                let piece = PIECES[random.below(PIECES.len())];
                bytes.splice(at..at, piece.iter().copied());
            }
        }
    }
    bytes
}

#[test]
fn mutated_samples_never_panic() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for (name, sample) in testkit::repository::samples() {
        for _ in 0..150 {
            let bytes = mutate(&sample, &mut random);
            analyse(ArtifactPath::file(name), Arc::new(MemorySource::new(bytes)), &Budget::default());
        }
    }
}
