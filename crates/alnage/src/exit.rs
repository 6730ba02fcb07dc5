//! Exit codes, and which one wins.

use alnage_scan::Record;
use alnage_types::Verdict;

/// A verdict at or above `--fail-on`, or a signature that does not verify.
pub(crate) const REFUSED: u8 = 1;
/// Wrong usage, or a file that could not be opened.
pub(crate) const COULD_NOT_RUN: u8 = 2;
/// Not everything could be understood.
pub(crate) const UNKNOWN: u8 = 3;

/// The exit code of `alnage vet`: of several reasons the gravest wins, in the order 1, 3, 2.
pub(crate) fn of_record(record: &Record, failures: usize, fail_on: Verdict) -> u8 {
    // A review that does not fail the run does not hide that something was not understood either.
    let unknown = record.models.iter().any(|model| !model.issues.is_empty());
    if record.models.iter().any(|model| model.verdict >= fail_on) {
        REFUSED
    } else if unknown {
        UNKNOWN
    } else if failures > 0 {
        COULD_NOT_RUN
    } else {
        0
    }
}

/// The graver of two exit codes.
pub(crate) fn gravest(a: u8, b: u8) -> u8 {
    let rank = |code| [0, COULD_NOT_RUN, UNKNOWN, REFUSED].iter().position(|&known| known == code);
    if rank(b) > rank(a) { b } else { a }
}
