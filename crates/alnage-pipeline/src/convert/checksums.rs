//! The checksums that a source gives for parts of itself, compared while it is read.

use alnage_convert::{Checksum, Refusal};

/// Checksums in the making, by where their parts begin.
pub(super) struct Checksums<'a> {
    sums: Vec<(&'a Checksum, crc32fast::Hasher)>,
    /// How many of them are complete.
    done: usize,
}

impl<'a> Checksums<'a> {
    pub(super) fn new(checksums: &'a [Checksum]) -> Self {
        let mut sums: Vec<_> =
            checksums.iter().map(|checksum| (checksum, crc32fast::Hasher::new())).collect();
        sums.sort_by_key(|(checksum, _)| checksum.range.start);
        Self { sums, done: 0 }
    }

    /// Takes the bytes at `at`, which follow those taken before.
    pub(super) fn take(&mut self, at: u64, bytes: &[u8]) {
        let end = at + bytes.len() as u64;
        while self.sums.get(self.done).is_some_and(|(checksum, _)| checksum.range.end <= at) {
            self.done += 1;
        }
        for (checksum, sum) in self.sums.iter_mut().skip(self.done) {
            if checksum.range.start >= end {
                break;
            }
            let from = checksum.range.start.max(at) - at;
            let to = checksum.range.end.min(end).max(at) - at;
            sum.update(bytes.get(from as usize..to as usize).unwrap_or_default());
        }
    }

    /// Once all bytes were taken.
    pub(super) fn compare(self) -> Result<(), Refusal> {
        for (checksum, sum) in self.sums {
            if sum.finalize() != checksum.crc32 {
                let name: String = checksum.name.chars().take(120).flat_map(char::escape_debug).collect();
                return Err(Refusal::Malformed(format!("the checksum of `{name}` does not fit its bytes")));
            }
        }
        Ok(())
    }
}
