//! Whether bytes are a pickle. There is no magic number, so it is tried: a short run must show evidence.

use std::io;

use alnage_types::Source;

use super::{
    facts::AnomalyKind,
    machine::Machine,
    readings::{Reading, Readings},
    run::{End, Limits, Run},
    tape::{Extent, fetch},
};

/// How much benefit of the doubt bytes get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In a file that is named as a pickle.
    Named,
    /// The start of a file whose name pickles share with other files: `.bin`.
    Hinted,
    /// The start of a file or member: a loader would be given it.
    Start,
    /// Directly behind another pickle.
    Behind,
    /// Anywhere else, where chance may look like a pickle.
    Anywhere,
}

const SCOUT_STEPS: u64 = 20_000;
const SCOUT_NODES: u64 = 100_000;
/// Longest text line of a scouted pickle that has no PROTO header.
const SCOUT_LINE: u64 = 64 << 10;

/// Whether a pickle begins at `offset`.
pub(super) fn is_pickle(source: &dyn Source, offset: u64, place: Place) -> bool {
    const GLANCE: u64 = 256;
    let head = fetch(source, Extent { start: offset, len: GLANCE }, GLANCE);
    if !may_begin(&head) {
        return false;
    }
    if place == Place::Named && matches!(head.as_ref(), [0x80, 2..=5, ..]) {
        // Name and header agree; the parser has the last word.
        return true;
    }
    if place == Place::Anywhere && source.as_bytes().is_none() && offset + GLANCE < source.len() {
        // Most candidates fail within a few opcodes; those need no window of the whole source.
        let glance = Slice(&head);
        let mut machine = Machine::scout(&glance, LIMITS);
        let run = machine.run(0);
        if !matches!(run.ended, End::Truncated | End::Stop) {
            return evidence(&machine, &run, &head, place);
        }
    }
    let mut machine = Machine::scout(source, LIMITS);
    is_pickle_by(&mut machine, offset, place)
}

pub(super) const LIMITS: Limits = Limits { steps: SCOUT_STEPS, nodes: SCOUT_NODES };

/// The same with a machine that is there already.
pub(super) fn is_pickle_by(machine: &mut Machine<'_>, offset: u64, place: Place) -> bool {
    let source = machine.tape.source();
    machine.steps = 0;
    // Pickles without a header may follow one another; what the first does not show, a later one may.
    let mut starts = vec![offset];
    let mut seen = Vec::new();
    while let Some(position) = starts.pop() {
        let head = fetch(source, Extent { start: position, len: 8 }, 8);
        if !may_begin(&head) {
            continue;
        }
        machine.named_suffices = names_suffice(&head, place);
        machine.tape.max_line = if head.first() == Some(&0x80) { u64::MAX } else { SCOUT_LINE };
        let mut readings = Readings::default();
        let mut reading = Reading::default();
        for _ in 0..MAX_READINGS {
            machine.record.clear();
            machine.tape.follow(reading);
            let run = machine.run(position);
            if evidence(machine, &run, &head, place) {
                return true;
            }
            if run.ended == End::Stop && place != Place::Anywhere {
                if run.end >= source.len() || (place != Place::Behind && only_blanks(source, run.end)) {
                    // It takes up all there is, as a pickle does and a text that happens to begin like one does not.
                    return true;
                }
                for end in [run.frame_end, Some(run.end)].into_iter().flatten() {
                    if end > position && end < source.len() && !seen.contains(&end) {
                        seen.push(end);
                        starts.push(end);
                    }
                }
            }
            readings.branch(reading, machine.tape.tears);
            match readings.next() {
                Some(next) => reading = next,
                None => break,
            }
        }
        if place != Place::Anywhere && !readings.is_complete() {
            // Where a loader expects a pickle, the parser has the last word.
            return true;
        }
        if place != Place::Anywhere && seen.len() > MAX_SEEN {
            return true;
        }
    }
    false
}

/// How many readings of a pickle are tried.
const MAX_READINGS: usize = 64;
/// How many pickles that show nothing are passed over before the parser has to look.
const MAX_SEEN: usize = 512;

fn evidence(machine: &Machine<'_>, run: &Run, head: &[u8], place: Place) -> bool {
    let headed = matches!(head, [0x80, 0..=5, ..]);
    if run.named_calls > 0 && run.plausible > 0 {
        return true;
    }
    let named = match place {
        _ if names_suffice(head, place) => run.globals > 0,
        Place::Hinted | Place::Behind => run.plausible > 0,
        Place::Named | Place::Start | Place::Anywhere => false,
    };
    if named {
        return true;
    }
    match run.ended {
        End::Stop => headed && (run.plausible > 0 || run.opcodes >= 6 || place != Place::Anywhere),
        End::Steps | End::Nodes => place != Place::Anywhere || headed,
        _ if place == Place::Anywhere => headed && run.plausible > 0 && run.plausible == run.globals,
        _ => {
            let declared =
                machine.record.anomalies.iter().any(|anomaly| anomaly.kind == AnomalyKind::DeclaredLength);
            headed && (run.opcodes >= 8 || (declared && place != Place::Behind))
        }
    }
}

/// Whether any global is evidence enough, whatever its name.
fn names_suffice(head: &[u8], place: Place) -> bool {
    match place {
        Place::Named => true,
        // INST begins with a letter, and so does text: `id,name` in a table.
        Place::Hinted => head.first() != Some(&b'i'),
        Place::Start => matches!(head, [0x80, 0..=5, ..]),
        Place::Behind | Place::Anywhere => false,
    }
}

fn only_blanks(source: &dyn Source, from: u64) -> bool {
    const MOST: u64 = 64;
    source.len() - from <= MOST
        && fetch(source, Extent { start: from, len: MOST }, MOST)
            .iter()
            .all(|&byte| byte.is_ascii_whitespace() || byte == 0)
}

/// Whether the first bytes could begin a pickle: a header, or an opcode that needs nothing on the stack.
/// INST needs a MARK, but the Python unpickler imports before it misses it.
pub(super) fn may_begin(head: &[u8]) -> bool {
    match head {
        [0x80, protocol, ..] => *protocol <= 5,
        [first, ..] => matches!(
            first,
            b'(' | b'N' | b'I' | b'J' | b'K' | b'L' | b'M' | b'F' | b'G' | b'S' | b'T' | b'U' | b'V' | b'X' | b'c' | b'i'
                | b']' | b'}' | b')' | b'B' | b'C' | b'P' | 0x82..=0x84 | 0x88..=0x8f | 0x95..=0x97
        ),
        _ => false,
    }
}

/// Bytes at hand as a source.
struct Slice<'a>(&'a [u8]);

impl Source for Slice<'_> {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.0.get(offset..)).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn as_bytes(&self) -> Option<&[u8]> {
        Some(self.0)
    }
}
