use std::time::Duration;

use sha2::Digest as _;

use crate::{Block, Engine, Kernel, Part, Piece, State, Stream, kernel::Narrow};

/// Numbers that look random and are the same every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.below(256) as u8).collect()
    }
}

/// The choice among the kernels of this machine; which one it is does not matter to a test.
fn fastest() -> Engine {
    Engine::fastest(&|work| {
        work();
        Duration::from_micros(1)
    })
}

/// Every kernel of this machine alone, and the choice among them.
fn engines() -> Vec<(String, Engine)> {
    let mut engines = vec![("fastest".to_owned(), fastest())];
    for kernel in Kernel::ALL {
        match Engine::only(kernel) {
            Some(engine) => engines.push((format!("{kernel:?}"), engine)),
            None => eprintln!("skipped: this processor does not have {kernel:?}"),
        }
    }
    engines
}

/// Hashes `contents` side by side in pieces as `cut` says, and compares with `sha2`.
#[track_caller]
fn check(name: &str, engine: &Engine, contents: &[Vec<u8>], mut cut: impl FnMut(usize) -> usize) {
    let mut streams = vec![Stream::default(); contents.len()];
    let mut rests: Vec<Option<&[u8]>> = contents.iter().map(|bytes| Some(bytes.as_slice())).collect();
    while rests.iter().any(Option::is_some) {
        engine.take(streams.iter_mut().zip(&mut rests).filter_map(|(stream, rest)| {
            let (bytes, later) = rest.as_ref()?.split_at(cut(rest.as_ref()?.len()));
            let part = if later.is_empty() { Part::Last } else { Part::More };
            *rest = (part == Part::More).then_some(later);
            Some(Piece { stream, bytes, part })
        }));
    }
    for (stream, bytes) in streams.iter().zip(contents) {
        let expected: [u8; 32] = sha2::Sha256::digest(bytes).into();
        assert_eq!(stream.digest(), Some(expected), "{name}: {} bytes", bytes.len());
    }
}

#[test]
fn every_kernel_gives_the_digests_of_sha2() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    // Lengths around the edges of blocks and of the padding, each alone and all of them together.
    let edges: Vec<Vec<u8>> = [0, 1, 3, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 129, 1000, 4096, 70_001]
        .into_iter()
        .map(|length| numbers.bytes(length))
        .collect();
    for (name, engine) in engines() {
        for content in &edges {
            check(&name, &engine, std::slice::from_ref(content), |rest| rest);
        }
        for count in [2, 3, 7, 8, 9, 15, 16, 17, 33] {
            let contents: Vec<Vec<u8>> = edges.iter().cycle().take(count).cloned().collect();
            check(&name, &engine, &contents, |rest| rest);
            check(&name, &engine, &contents, |rest| rest.min(64));
        }
    }
}

#[test]
fn streams_of_any_lengths_in_pieces_of_any_lengths() {
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    for (name, engine) in engines() {
        for _ in 0..60 {
            let count = 1 + numbers.below(40);
            let longest = [80, 300, 3000, 30_000][numbers.below(4)];
            let contents: Vec<Vec<u8>> = (0..count)
                .map(|_| {
                    let length = numbers.below(longest);
                    numbers.bytes(length)
                })
                .collect();
            check(&name, &engine, &contents, |rest| numbers.below(rest + 1).max(rest.min(1)));
        }
    }
}

#[test]
fn known_answers() {
    for (name, engine) in engines() {
        let digest = engine.digest(b"abc").map(|byte| format!("{byte:02x}")).concat();
        assert_eq!(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "{name}");
    }
}

#[test]
fn a_stream_has_no_digest_before_its_end_and_takes_nothing_after_it() {
    let engine = fastest();
    let mut stream = Stream::default();
    engine.take([Piece { stream: &mut stream, bytes: b"ab", part: Part::More }]);
    assert_eq!(stream.digest(), None);
    engine.take([Piece { stream: &mut stream, bytes: b"c", part: Part::Last }]);
    let digest = stream.digest();
    assert_eq!(digest, Some(engine.digest(b"abc")));
    engine.take([Piece { stream: &mut stream, bytes: b"d", part: Part::Last }]);
    assert_eq!(stream.digest(), digest);
}

#[test]
fn the_portable_kernel_is_always_there() {
    assert!(Kernel::Portable.is_available());
    assert!(Engine::only(Kernel::Portable).is_some());
}

/// Compresses by `way` and by the portable one, with chaining values and blocks by chance.
#[track_caller]
fn compresses<const N: usize>(way: Narrow, numbers: &mut Numbers) {
    for count in [0, 1, 2, 7] {
        let contents: [Vec<u8>; N] = std::array::from_fn(|_| numbers.bytes(count * 64));
        let blocks: [&[Block]; N] = std::array::from_fn(|stream| contents[stream].as_chunks().0);
        let before: [State; N] =
            std::array::from_fn(|_| std::array::from_fn(|_| numbers.below(1 << 32) as u32));
        let (mut expected, mut found) = (before, before);
        Narrow::PORTABLE.compress(&mut expected, &blocks);
        way.compress(&mut found, &blocks);
        assert_eq!(found, expected, "{way:?}: {N} streams of {count} blocks");
    }
}

#[test]
fn streams_side_by_side_are_what_each_is_alone() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for way in [Narrow::new(Kernel::ShaNi), Narrow::in_16_registers()].into_iter().flatten() {
        compresses::<1>(way, &mut numbers);
        compresses::<2>(way, &mut numbers);
        compresses::<3>(way, &mut numbers);
        compresses::<4>(way, &mut numbers);
    }
}
