//! Looks for artifacts hidden in bytes that no reading claimed: pickles, archives, compressed streams, programs.
//!
//! One pass over the gaps at the speed of a table look-up; what looks like a beginning is then validated, so that
//! the random bytes of weights give nothing.

mod validate;

use std::{ops::Range, sync::Arc};

use alnage_types::{Exhausted, Reader, Source, WindowSource};

use self::validate::{Kind, validate};
use crate::Context;

/// How much is read at a time.
const PIECE: u64 = 256 << 10;
/// How much of the next piece a beginning may need to be noticed.
const OVERLAP: u64 = 320;
/// How many hidden artifacts of one artifact are handed on.
const MAX_FOUND: usize = 64;

/// Hands on what is found in `gaps` as members named `carved@0x1234.pkl`.
pub(crate) fn carve(source: &Arc<dyn Source>, gaps: &[Range<u64>], context: &mut Context<'_>) {
    let starts = starts();
    let mut found = 0;
    let host = host(source.as_ref());
    for gap in gaps {
        // A beginning at the very start of the artifact is identification's business.
        let mut at = gap.start.max(1);
        while at < gap.end {
            if let Err(limit) = context.meter().step(PIECE / 1024) {
                return context.exhausted(limit, at);
            }
            let piece_end = (at + PIECE).min(gap.end);
            let Ok(piece) = Reader::at(source.as_ref(), at).take((piece_end + OVERLAP).min(gap.end) - at)
            else {
                return;
            };
            match search(source, &piece, at..piece_end, gap, &starts, host, context) {
                Search::Nothing => at = piece_end,
                Search::Found { kind, offset, next } => {
                    let name = format!("carved@{offset:#x}{}", kind.suffix());
                    let window = WindowSource::new(source.clone(), offset, gap.end - offset);
                    context.member(name, Arc::new(window));
                    found += 1;
                    if found == MAX_FOUND {
                        let limit = Exhausted { limit: "64 hidden artifacts" };
                        return context.exhausted(limit, next);
                    }
                    at = next;
                }
                Search::Exhausted(limit, offset) => return context.exhausted(limit, offset),
            }
        }
    }
}

enum Search {
    Nothing,
    Found { kind: Kind, offset: u64, next: u64 },
    Exhausted(Exhausted, u64),
}

/// The first beginning within `range`, which `piece` holds and a little more.
fn search(
    source: &Arc<dyn Source>,
    piece: &[u8],
    range: Range<u64>,
    gap: &Range<u64>,
    starts: &[bool; 256],
    host: Host,
    context: &mut Context<'_>,
) -> Search {
    let within = (range.end - range.start) as usize;
    for (index, &byte) in piece.iter().take(within).enumerate() {
        if !starts[usize::from(byte)] {
            continue;
        }
        let Some(kind) = Kind::of(&piece[index..]) else { continue };
        let offset = range.start + index as u64;
        if kind == Kind::Program && host == Host::Program
            || kind == Kind::Safetensors && !validate::may_follow_length(&piece[..index])
        {
            continue;
        }
        // A validation reads and decodes a little: what hostile bytes can force must be paid for.
        if let Err(limit) = context.meter().step(16) {
            return Search::Exhausted(limit, offset);
        }
        if let Some((start, end)) = validate(kind, source, offset, gap) {
            return Search::Found { kind, offset: start, next: end.max(offset + 1) };
        }
    }
    Search::Nothing
}

/// What the bytes are found in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Host {
    /// A program: installers and libraries hold other programs as a matter of course.
    Program,
    Other,
}

fn host(source: &dyn Source) -> Host {
    let head = Reader::new(source).array::<4>().unwrap_or_default();
    let program = head.starts_with(b"MZ") || head == *b"\x7fELF" || validate::MACH_O.contains(&head);
    if program { Host::Program } else { Host::Other }
}

/// Which bytes a beginning may start with.
fn starts() -> [bool; 256] {
    let mut table = [false; 256];
    for byte in validate::FIRST_BYTES {
        table[usize::from(*byte)] = true;
    }
    table
}

#[cfg(test)]
mod tests;
