//! YAML by its events: aliases are never expanded, so a "billion laughs" stays as small as it is written.

use std::{borrow::Cow, collections::HashMap};

use alnage_types::{IssueKind, Reader, Source};
use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

use super::{Path, Receiver, Scalar, Segment};
use crate::Context;

/// Documents longer than this are data; they are not read.
const MAX_BYTES: u64 = 16 << 20;
/// Aliases that stand for more values than this multiply themselves, as no configuration does.
const MAX_EXPANDED: u64 = 1_000_000;
/// Text of anchored scalars is kept for so many anchors.
const MAX_ANCHORS: usize = 4096;
/// Sizes are kept for so many anchors.
const MAX_COUNTED: usize = 500_000;

/// Reads every YAML document in `source`.
pub(crate) fn read_yaml(source: &dyn Source, context: &mut Context<'_>, receiver: &mut dyn Receiver) {
    if source.len() > MAX_BYTES {
        context.claim(0..source.len());
        context.issue(IssueKind::Budget, None, "a YAML document of more than 16 MiB is not read");
        return;
    }
    match Reader::new(source).take(source.len()) {
        Ok(bytes) => {
            context.claim(0..source.len());
            read_yaml_text(&String::from_utf8_lossy(&bytes), 0, context, receiver);
        }
        Err(end) => context.read_end(end, 0, "the document"),
    }
}

/// Reads the YAML in `text`, which begins at byte `base` of the artifact.
pub(crate) fn read_yaml_text(text: &str, base: u64, context: &mut Context<'_>, receiver: &mut dyn Receiver) {
    let mut reading = Reading::default();
    let ascii = text.is_ascii();
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        if let Err(limit) = context.meter().step(1) {
            return context.exhausted(limit, base);
        }
        // The parser counts characters; they are bytes only where all are ASCII.
        let place = |index: usize| if ascii { base.saturating_add(index as u64) } else { base };
        match event {
            Ok((Event::StreamEnd, _)) => break,
            Ok((event, span)) => reading.event(event, place(span.start.index()), receiver),
            Err(error) => {
                let at = place(error.marker().index());
                context.issue(IssueKind::Malformed, at, format!("not YAML: {}", error.info()));
                break;
            }
        }
    }
    if reading.largest > MAX_EXPANDED.saturating_add(reading.written) {
        let message = format!("aliases that stand for {} values are not followed", reading.largest);
        context.issue(IssueKind::Budget, base, message);
    }
}

enum Frame {
    Sequence,
    /// Whether the next node is a key.
    Mapping {
        key_next: bool,
    },
}

/// A sequence or mapping that is open: its anchor, and how many values it holds with aliases expanded.
struct Extent {
    anchor: usize,
    values: u64,
}

#[derive(Default)]
struct Reading {
    path: Path,
    frames: Vec<Frame>,
    anchors: HashMap<usize, String>,
    extents: Vec<Extent>,
    /// How many values the sequences and mappings with an anchor hold, aliases expanded.
    expanded: HashMap<usize, u64>,
    /// The most that one node holds.
    largest: u64,
    /// How many values are written.
    written: u64,
}

impl Reading {
    fn event(&mut self, event: Event<'_>, offset: u64, receiver: &mut dyn Receiver) {
        match event {
            Event::DocumentStart(_) => {
                self.frames.clear();
                self.extents.clear();
                self.expanded.clear();
                self.path = Path::default();
            }
            Event::Scalar(text, style, anchor, tag) => {
                if anchor != 0 && self.anchors.len() < MAX_ANCHORS {
                    self.anchors.insert(anchor, text.chars().take(4096).collect());
                }
                self.written += 1;
                self.count(1);
                self.scalar(&text, style, tag, offset, receiver);
            }
            Event::Alias(anchor) => {
                self.count(self.expanded.get(&anchor).copied().unwrap_or(1));
                let text = self.anchors.get(&anchor).cloned().unwrap_or_default();
                self.scalar(&text, ScalarStyle::Plain, None, offset, receiver);
            }
            Event::SequenceStart(anchor, tag) => {
                self.extents.push(Extent { anchor, values: 1 });
                self.open(Frame::Sequence, tag, offset, receiver);
            }
            Event::MappingStart(anchor, tag) => {
                self.extents.push(Extent { anchor, values: 1 });
                self.open(Frame::Mapping { key_next: true }, tag, offset, receiver);
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.close_extent();
                self.frames.pop();
                self.path.pop();
                self.done();
            }
            _ => {}
        }
    }

    /// Counts values into the sequence or mapping that is open.
    fn count(&mut self, values: u64) {
        if let Some(open) = self.extents.last_mut() {
            open.values = open.values.saturating_add(values);
            self.largest = self.largest.max(open.values);
        }
    }

    fn close_extent(&mut self) {
        let Some(Extent { anchor, values }) = self.extents.pop() else { return };
        self.written += 1;
        if anchor != 0 && self.expanded.len() < MAX_COUNTED {
            self.expanded.insert(anchor, values);
        }
        self.count(values);
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<Cow<'_, Tag>>,
        offset: u64,
        receiver: &mut dyn Receiver,
    ) {
        if let Some(Frame::Mapping { key_next: key_next @ true }) = self.frames.last_mut() {
            *key_next = false;
            if let Some(last) = self.path.last_mut() {
                *last = Segment::Key(text.to_owned());
            }
            if let Some(tag) = tag {
                receiver.tag(&self.path, &spelled(&tag), offset);
            }
            return;
        }
        self.step_index();
        if let Some(tag) = &tag {
            receiver.tag(&self.path, &spelled(tag), offset);
        }
        receiver.scalar(&self.path, typed(text, style), offset);
        self.done();
    }

    fn open(&mut self, frame: Frame, tag: Option<Cow<'_, Tag>>, offset: u64, receiver: &mut dyn Receiver) {
        if let Some(Frame::Mapping { key_next: true }) = self.frames.last() {
            if let Some(last) = self.path.last_mut() {
                *last = Segment::Key("?".to_owned());
            }
        } else {
            self.step_index();
        }
        if let Some(tag) = tag {
            receiver.tag(&self.path, &spelled(&tag), offset);
        }
        receiver.open(&self.path);
        self.frames.push(frame);
        self.path.push(Segment::Index(usize::MAX));
    }

    /// Inside a sequence: the next element's index.
    fn step_index(&mut self) {
        if let (Some(Frame::Sequence), Some(Segment::Index(index))) =
            (self.frames.last(), self.path.last_mut())
        {
            *index = index.wrapping_add(1);
        }
    }

    /// A whole node was read: in a mapping the next one is of the other kind.
    fn done(&mut self) {
        if let Some(Frame::Mapping { key_next }) = self.frames.last_mut() {
            *key_next = !*key_next;
        }
    }
}

fn spelled(tag: &Tag) -> String {
    format!("{}{}", tag.handle, tag.suffix)
}

fn typed(text: &str, style: ScalarStyle) -> Scalar<'_> {
    if style != ScalarStyle::Plain {
        return Scalar::String(text);
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Scalar::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Scalar::Bool(false),
        _ if text.parse::<f64>().is_ok() && !text.contains(char::is_alphabetic) => Scalar::Number(text),
        _ => Scalar::String(text),
    }
}
