//! The limits an analysis runs under, and the meter that holds it to them.

use serde::{Deserialize, Serialize};

/// Limits for the analysis of one file of a model, its nested members included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Budget {
    /// How deep containers may nest.
    pub max_depth: u32,
    /// How many members may be opened.
    pub max_entries: u64,
    /// Bytes that decompression may produce without regard to the ratio.
    pub max_expanded: u64,
    /// Beyond `max_expanded`: how many bytes may be produced for each compressed byte.
    pub max_ratio: u64,
    /// Parser steps: pickle opcodes, protobuf fields, table rows.
    pub max_steps: u64,
    /// Values a parser may keep at a time.
    pub max_nodes: u64,
    /// Bytes of a decompressed member kept in memory; a longer one is decompressed anew as it is read.
    pub max_member_memory: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            max_depth: 12,
            max_entries: 20_000,
            max_expanded: 64 << 20,
            max_ratio: 100,
            max_steps: 50_000_000,
            max_nodes: 1_500_000,
            max_member_memory: 16 << 20,
        }
    }
}

/// A limit was reached. The caller raises an issue that names it and stops there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted {
    /// The budget's field, as the user spells it: `max-steps`.
    pub limit: &'static str,
}

/// Counts what an analysis uses against a [`Budget`].
#[derive(Debug, Clone)]
pub struct Meter {
    budget: Budget,
    steps: u64,
    entries: u64,
    expanded: u64,
    compressed: u64,
    sampled: u64,
}

impl Meter {
    /// What may be decompressed once `max_expanded` is used up, over all members, to look at their beginnings.
    const SAMPLES: u64 = 16 << 20;

    /// A fresh meter.
    pub fn new(budget: Budget) -> Self {
        Self { budget, steps: 0, entries: 0, expanded: 0, compressed: 0, sampled: 0 }
    }

    /// The limits.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Steps used so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Counts `count` parser steps.
    pub fn step(&mut self, count: u64) -> Result<(), Exhausted> {
        self.steps = self.steps.saturating_add(count);
        if self.steps > self.budget.max_steps { Err(Exhausted { limit: "max-steps" }) } else { Ok(()) }
    }

    /// Counts one member about to be opened.
    pub fn entry(&mut self) -> Result<(), Exhausted> {
        self.entries += 1;
        if self.entries > self.budget.max_entries { Err(Exhausted { limit: "max-entries" }) } else { Ok(()) }
    }

    /// Counts `produced` bytes of a beginning that is decompressed although the budget is used up: a program may
    /// stand before or behind what used it up. False when there have been enough of these.
    pub fn sample(&mut self, produced: u64) -> bool {
        self.sampled = self.sampled.saturating_add(produced);
        self.sampled <= Self::SAMPLES
    }

    /// Counts `produced` bytes that decompression made out of `consumed` compressed bytes.
    ///
    /// The ratio is judged over everything seen so far, so a bomb cannot hide in many small members.
    pub fn expand(&mut self, consumed: u64, produced: u64) -> Result<(), Exhausted> {
        self.compressed = self.compressed.saturating_add(consumed);
        self.expanded = self.expanded.saturating_add(produced);
        let by_ratio = self.compressed.saturating_mul(self.budget.max_ratio);
        if self.expanded > self.budget.max_expanded.saturating_add(by_ratio) {
            Err(Exhausted { limit: "max-expanded" })
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratio_is_judged_over_all_members() {
        let mut meter = Meter::new(Budget { max_expanded: 1000, max_ratio: 10, ..Budget::default() });
        assert_eq!(meter.expand(100, 1900), Ok(()));
        assert_eq!(meter.expand(0, 101), Err(Exhausted { limit: "max-expanded" }));
    }
}
