//! Feeds parsers samples with random damage: nothing may panic, hang or take memory by an unchecked length.

use std::sync::Arc;

use alnage_types::{ArtifactPath, Budget, MemorySource};

use crate::analyse;

/// Analyses `sample` under `name` with random damage, `rounds` times over from a fixed seed.
pub(super) fn survive(name: &str, sample: &[u8], rounds: u32) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ sample.len() as u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let budget = Budget {
        max_steps: 20_000,
        max_nodes: 20_000,
        max_entries: 200,
        max_expanded: 1 << 20,
        ..Budget::default()
    };
    for _ in 0..rounds {
        let mut bytes = sample.to_vec();
        for _ in 0..1 + random() % 6 {
            if bytes.is_empty() {
                break;
            }
            let at = (random() % bytes.len() as u64) as usize;
            match random() % 6 {
                0 => bytes[at] = random() as u8,
                1 => bytes[at] ^= 1 << (random() % 8),
                2 => bytes[at] = 0xff,
                3 => bytes.truncate(at),
                4 => bytes.insert(at, random() as u8),
                _ => {
                    let end = (at + 8).min(bytes.len());
                    bytes[at..end].fill(if random() % 2 == 0 { 0xff } else { 0 });
                }
            }
        }
        analyse(ArtifactPath::file(name), Arc::new(MemorySource::new(bytes)), &budget);
    }
}
