//! Drives the machine over a file: pickle after pickle, each in every reading, and the raw bytes between them.

use std::{collections::HashSet, sync::Arc};

use alnage_types::{Exhausted, IssueKind, MemorySource, Reader, Source, WindowSource};

use super::{
    facts::{AnomalyKind, Layout, MAX_STREAMS, Nested, PickleFacts, Stream, WeightsOnly},
    heap::Value,
    identify::{self, Place},
    machine::Machine,
    opcode,
    readings::{Reading, Readings},
    run::{End, Limits, Run},
    tape::{Extent, fetch},
    torch,
};
use crate::{
    Context, Facts,
    marshal::{self, Code},
};

/// Reads all pickles of a file.
pub(super) fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    let limits = Limits {
        steps: context.meter().budget().max_steps.saturating_sub(context.meter().steps()),
        nodes: context.meter().budget().max_nodes,
    };
    let mut machine = Machine::new(source.as_ref(), Reading::default(), limits);
    let mut scout = None;
    let mut facts = PickleFacts::default();
    let named = super::place(context.path()) != Place::Start;
    let mut left = MAX_READINGS;
    let mut starts = vec![0];
    let mut seen = HashSet::from([0]);
    let mut magic = false;
    let mut position = 0;
    while let Some(start) = starts.pop() {
        // To begin a pickle costs as much as many opcodes.
        const BEGINNING: u64 = 256;
        machine.steps = machine.steps.saturating_add(BEGINNING);
        let (main, others) = run_all(&mut machine, start, &mut left, &mut facts, context);
        context.claim(main.start..main.end);
        if facts.stream_count == 1 {
            magic = is_magic(&machine, main.result);
        }
        position = position.max(main.end);
        report(main, context);
        if others.iter().chain([&main]).any(|run| is_limit(run.ended)) {
            break;
        }
        let expected = magic && facts.stream_count < 5 && main.ended == End::Stop;
        let mut place = if named { Place::Named } else { Place::Behind };
        // The next pickle stands behind STOP, or behind the frame that STOP stands in, in any reading. What the
        // contiguous reading finds is run first.
        let mut ends = Vec::new();
        for run in others.iter().chain([&main]).filter(|run| run.ended == End::Stop) {
            ends.extend([run.frame_end, Some(run.end)].into_iter().flatten());
        }
        if magic && facts.stream_count == 5 && main.ended == End::Stop {
            facts.layout = Layout::PytorchLegacy;
            let keys = keys(&machine, main.result);
            position = storages(&mut machine, &keys, main.end, context);
            ends.push(position);
            // Weights follow, and one in a million begins like a pickle.
            place = Place::Behind;
        }
        for end in ends {
            if end < source.len() && end > start && seen.insert(end) {
                // What stands behind can name what was registered by a number, which no search for names sees.
                let registered = !machine.extensions.is_empty()
                    && identify::may_begin(&fetch(source.as_ref(), Extent { start: end, len: 8 }, 8));
                let certain = registered || (expected && end == main.end);
                let scout = scout.get_or_insert_with(|| Machine::scout(source.as_ref(), identify::LIMITS));
                if certain || identify::is_pickle_by(scout, end, place) {
                    starts.push(end);
                }
            }
        }
    }
    let (start, len) = (position, source.len());
    if len.saturating_sub(start) <= 64 && blank(source.as_ref(), start) {
        context.claim(start..len);
    }
    // What a limit stopped has been reported where it stopped.
    let _ = context.meter().step(machine.steps);
    finish(machine, source, facts, context)
}

/// How many readings of a file are followed besides the contiguous ones.
const MAX_READINGS: u32 = 10_000;

/// Runs the pickle at `position` in every reading; the contiguous one is the first of the pair.
fn run_all(
    machine: &mut Machine<'_>,
    position: u64,
    left: &mut u32,
    facts: &mut PickleFacts,
    context: &mut Context<'_>,
) -> (Run, Vec<Run>) {
    /// Opcodes after which the readings of one pickle have taken long enough.
    const LONG: u64 = 4_000_000;
    machine.tape.follow(Reading::default());
    let main = machine.run(position);
    facts.stream_count += 1;
    list(main, facts);
    if machine.tape.tears == 0 {
        return (main, Vec::new());
    }
    let enough = machine.steps.saturating_add(LONG).min(machine.limits.steps);
    let mut others: Vec<Run> = Vec::new();
    let mut readings = Readings::default();
    readings.branch(Reading::default(), machine.tape.tears);
    while *left > 0 && machine.steps < enough {
        let Some(reading) = readings.next() else { break };
        *left -= 1;
        others.push(run_other(machine, position, reading, facts));
        readings.branch(reading, machine.tape.tears);
    }
    if !readings.is_complete() {
        others.push(run_other(machine, position, Reading::DROPPING, facts));
        let message = "the pickle tears so many frames that not every reading of it was followed";
        context.issue(IssueKind::Budget, position, message);
    }
    for run in others.iter().filter(|run| is_limit(run.ended)).take(1) {
        report(*run, context);
    }
    others.sort_unstable_by_key(|run| (run.end, run.frame_end));
    others.dedup_by_key(|run| (run.ended, run.end, run.frame_end));
    // What is read from the machine afterwards is the contiguous reading's.
    machine.tape.follow(Reading::default());
    machine.run(position);
    (main, others)
}

fn run_other(machine: &mut Machine<'_>, position: u64, reading: Reading, facts: &mut PickleFacts) -> Run {
    machine.tape.follow(reading);
    let run = machine.run(position);
    let detail = format!("a reader that drops the rest of a frame ends at byte {}", run.end);
    machine.record.anomaly(AnomalyKind::FrameCrossing, position, detail);
    list(run, facts);
    run
}

/// Whether a run was stopped, rather than came to an end.
fn is_limit(ended: End) -> bool {
    matches!(ended, End::Steps | End::Nodes | End::Unreadable)
}

fn list(run: Run, facts: &mut PickleFacts) {
    if facts.streams.len() < MAX_STREAMS {
        facts.streams.push(Stream {
            start: run.start,
            end: run.end,
            ended: ended(run.ended),
            complete: run.ended == End::Stop,
            opcodes: run.opcodes,
            calls: run.calls,
        });
    }
}

fn ended(end: End) -> String {
    match end {
        End::Stop => "stop".to_owned(),
        End::Truncated => "the bytes end".to_owned(),
        End::Unreadable => "the bytes could not be read".to_owned(),
        End::InvalidOpcode(code) => format!("no such opcode: 0x{code:02x}"),
        End::StackUnderflow(code) => format!("{} finds nothing on the stack", opcode::name(code)),
        End::NoMark(code) => format!("{} finds no MARK", opcode::name(code)),
        End::UnknownMemo => "the memo has no such entry".to_owned(),
        End::BadOperand(code) => format!("{} has an operand without meaning", opcode::name(code)),
        End::Steps => "stopped at the limit `max-steps`".to_owned(),
        End::Nodes => "stopped at the limit `max-nodes`".to_owned(),
    }
}

fn report(run: Run, context: &mut Context<'_>) {
    let kind = match run.ended {
        End::Stop => return,
        End::Steps => return context.exhausted(Exhausted { limit: "max-steps" }, run.end),
        End::Nodes => return context.exhausted(Exhausted { limit: "max-nodes" }, run.end),
        End::Truncated => IssueKind::Truncated,
        End::Unreadable => IssueKind::Unreadable,
        _ => IssueKind::Malformed,
    };
    context.issue(kind, run.end, format!("the pickle breaks off: {}", ended(run.ended)));
}

fn blank(source: &dyn Source, from: u64) -> bool {
    Reader::at(source, from)
        .take(source.len().saturating_sub(from))
        .is_ok_and(|rest| rest.iter().all(|&byte| byte.is_ascii_whitespace() || byte == 0))
}

fn is_magic(machine: &Machine<'_>, value: Value) -> bool {
    machine.heap.bytes(machine.tape.source(), value, 16).as_deref() == Some(&torch::MAGIC)
        && matches!(value, Value::Long(..))
}

/// The keys of the storages in the order of the file.
fn keys(machine: &Machine<'_>, value: Value) -> Vec<String> {
    let items = machine.heap.elements(value).unwrap_or_default();
    machine.heap.items(items).filter_map(|key| machine.short_text(key)).collect()
}

/// Walks the raw storages of a legacy file; where they end.
fn storages(machine: &mut Machine<'_>, keys: &[String], start: u64, context: &mut Context<'_>) -> u64 {
    let mut reader = Reader::at(machine.tape.source(), start);
    for key in keys {
        let storage = machine.record.tensors.storages.iter().find(|storage| storage.key == *key);
        let Some((item_size, declared)) = storage.map(|storage| (storage.item_size, storage.elements)) else {
            context.issue(
                IssueKind::Malformed,
                reader.position(),
                "the key list names a storage that no tensor uses",
            );
            break;
        };
        let at = reader.position();
        let elements = match reader.u64le() {
            Ok(elements) => elements,
            Err(end) => {
                context.read_end(end, at, "a storage's length");
                break;
            }
        };
        if elements != declared {
            let message = format!("a storage has {elements} elements where {declared} are declared");
            context.issue(IssueKind::Malformed, at, message);
        }
        if let Err(end) = reader.skip(elements.saturating_mul(item_size)) {
            context.read_end(end, at, "a storage");
            break;
        }
    }
    context.claim(start..reader.position());
    reader.position()
}

/// Bytes of a code object that are looked at for its names.
const MAX_CODE: u64 = 4 << 20;

/// Turns the record into facts and hands on what is nested.
fn finish(
    machine: Machine<'_>,
    source: &Arc<dyn Source>,
    mut facts: PickleFacts,
    context: &mut Context<'_>,
) -> Facts {
    let record = machine.record;
    if record.joblib && facts.layout == Layout::Stream {
        facts.layout = Layout::Joblib;
    }
    for array in &record.arrays {
        context.claim(array.start..array.start + array.len);
    }
    if record.nested_left_out {
        context.exhausted(Exhausted { limit: "4096 strings that carry programs" }, None);
    }
    for (extent, loaded_by) in record.nested {
        let member = format!("bytes@0x{:x}", extent.start);
        let code = marshal::module(&fetch(source.as_ref(), extent, MAX_CODE)).unwrap_or_default();
        context.member(member.clone(), Arc::new(WindowSource::new(source.clone(), extent.start, extent.len)));
        let Code { names, constants, .. } = code;
        facts.nested.push(Nested { member, offset: extent.start, loaded_by, names, constants });
    }
    for (at, (offset, bytes, loaded_by)) in record.computed.into_iter().enumerate() {
        let member =
            format!("{}@0x{offset:x}#{at}", if loaded_by.is_some() { "computed" } else { "decoded" });
        let Code { names, constants, .. } = marshal::module(&bytes).unwrap_or_default();
        context.member(member.clone(), Arc::new(MemorySource::new(bytes)));
        facts.nested.push(Nested { member, offset, loaded_by, names, constants });
    }
    facts.protocol = record.protocol;
    facts.globals = record.globals;
    facts.calls = record.calls;
    facts.call_count = record.call_count;
    facts.anomalies = record.anomalies;
    facts.references = record.references;
    facts.tensors = record.tensors;
    let complete = facts.streams.iter().all(|stream| stream.complete);
    let reason = record.refused.or_else(|| (!complete).then(|| "the pickle breaks off".to_owned()));
    facts.weights_only = WeightsOnly { accepted: reason.is_none(), reason };
    Facts::Pickle(Box::new(facts))
}
