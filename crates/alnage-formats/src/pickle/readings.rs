//! The readings of one pickle: at each place where it tears a frame, unpicklers go on in two ways.
//!
//! Over bytes in memory a frame means nothing, and the unpickler reads on. Over a file it reads a frame at once; an
//! operand, a line or a frame that does not fit into the rest is then read behind the frame, and the rest is lost
//! (cpython#154848). A file with `peek` is read the one or the other way frame by frame, depending on how much of it
//! happens to be buffered. So every tear doubles the readings, and all of them are real.

/// Which way to take at each torn frame, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Reading {
    /// Bit 0 is the first tear; a set bit drops the rest of the frame.
    choices: u64,
    /// How many choices are made; behind them the reading reads on.
    decided: u32,
    /// Drops the rest of every frame: what an unpickler does over a file without `peek`.
    drops_all: bool,
}

impl Reading {
    /// Drops the rest of every torn frame.
    pub(super) const DROPPING: Self = Self { choices: 0, decided: 0, drops_all: true };

    /// Whether the rest of the frame is dropped at a tear.
    pub(super) fn drops(self, tear: u32) -> bool {
        self.drops_all || (tear < u64::BITS && self.choices >> tear & 1 == 1)
    }
}

/// The readings that remain to be tried. The first, which never drops anything, is not among them.
#[derive(Debug, Default)]
pub(super) struct Readings {
    pending: Vec<Reading>,
    /// Whether a reading had more tears than can be told apart.
    pub(super) beyond: bool,
}

impl Readings {
    /// Adds the readings that part from `reading` at its later tears, of which there are `tears` in all.
    pub(super) fn branch(&mut self, reading: Reading, tears: u32) {
        self.beyond |= tears > u64::BITS;
        for tear in reading.decided..tears.min(u64::BITS) {
            let choices = reading.choices | 1 << tear;
            self.pending.push(Reading { choices, decided: tear + 1, drops_all: false });
        }
    }

    /// The next reading.
    pub(super) fn next(&mut self) -> Option<Reading> {
        self.pending.pop()
    }

    /// Whether every reading has been given out.
    pub(super) fn is_complete(&self) -> bool {
        self.pending.is_empty() && !self.beyond
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The paths through pickles with `tears` tears whichever way is taken.
    fn paths(tears: u32) -> Vec<Vec<bool>> {
        let path = |reading: Reading| (0..tears).map(|tear| reading.drops(tear)).collect();
        let mut found = vec![path(Reading::default())];
        let mut readings = Readings::default();
        readings.branch(Reading::default(), tears);
        while let Some(reading) = readings.next() {
            found.push(path(reading));
            readings.branch(reading, tears);
        }
        assert!(readings.is_complete());
        found
    }

    #[test]
    fn every_path_is_taken_once() {
        for tears in 0..6 {
            let found = paths(tears);
            let distinct: BTreeSet<_> = found.iter().collect();
            assert_eq!((found.len(), distinct.len()), (1 << tears, 1 << tears), "{tears}");
        }
    }

    #[test]
    fn too_many_tears_are_never_complete() {
        let mut readings = Readings::default();
        readings.branch(Reading::default(), 65);
        while readings.next().is_some() {}
        assert!(!readings.is_complete());
    }
}
