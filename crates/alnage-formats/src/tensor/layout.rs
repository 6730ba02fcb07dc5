//! Whether tensors lie in their buffer as a format demands: side by side, inside it, none over another.

use std::ops::Range;

use serde::Serialize;

/// How many faults of a file are kept.
pub(crate) const MAX_FAULTS: usize = 64;

/// A way in which a file's tensors do not lie as they should.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LayoutFault {
    /// Which way.
    pub kind: LayoutFaultKind,
    /// The tensor, shortened; empty for bytes that belong to none.
    pub tensor: String,
    /// What was found.
    pub detail: String,
    /// First byte concerned, from the start of the file.
    pub start: u64,
    /// One past the last byte concerned.
    pub end: u64,
}

/// A way in which a file's tensors do not lie as they should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LayoutFaultKind {
    /// Two tensors share bytes.
    Overlap,
    /// Bytes between tensors, or before the first, belong to none.
    Hole,
    /// Bytes after the last tensor belong to none.
    Trailing,
    /// A tensor lies partly or wholly outside the file.
    OutOfBounds,
    /// A tensor's bytes are not as many as its shape and element type need.
    SizeMismatch,
    /// Shape times element size is more than 64 bits hold.
    Overflow,
    /// The element type is not known.
    UnknownType,
    /// The offset is not a multiple of the file's alignment.
    Misaligned,
}

/// A tensor's place, for the checks.
pub(crate) struct Placed<'a> {
    pub(crate) name: &'a str,
    pub(crate) range: Range<u64>,
}

/// Which bytes of `buffer` are shared between tensors, and which belong to none. `slack` is how many bytes of
/// padding may follow a tensor.
pub(crate) fn overlaps_and_holes(
    mut placed: Vec<Placed<'_>>,
    buffer: Range<u64>,
    slack: u64,
) -> Vec<LayoutFault> {
    placed.retain(|tensor| tensor.range.start < tensor.range.end);
    placed.sort_by_key(|tensor| (tensor.range.start, tensor.range.end));
    let mut faults = Vec::new();
    let mut covered = buffer.start;
    let mut before = "";
    for Placed { name, range } in &placed {
        if faults.len() >= MAX_FAULTS {
            return faults;
        }
        if range.start < covered {
            let shared = range.start..covered.min(range.end);
            let detail = format!("shares {} bytes with `{}`", shared.end - shared.start, quoted(before));
            faults.push(fault(LayoutFaultKind::Overlap, name, detail, shared));
        } else if range.start - covered > slack || (range.start > covered && before.is_empty()) {
            let detail = format!("{} bytes before it belong to no tensor", range.start - covered);
            faults.push(fault(LayoutFaultKind::Hole, name, detail, covered..range.start));
        }
        if range.end > covered {
            (covered, before) = (range.end, name);
        }
    }
    if buffer.end > covered && (buffer.end - covered > slack || before.is_empty()) {
        let detail = format!("{} bytes follow the last tensor", buffer.end - covered);
        faults.push(fault(LayoutFaultKind::Trailing, "", detail, covered..buffer.end));
    }
    faults
}

/// One fault, its name shortened.
pub(crate) fn fault(kind: LayoutFaultKind, tensor: &str, detail: String, at: Range<u64>) -> LayoutFault {
    LayoutFault { kind, tensor: quoted(tensor), detail, start: at.start, end: at.end }
}

/// A name fit for a message: shortened, control characters escaped.
pub(crate) fn quoted(name: &str) -> String {
    let shown: String = name.chars().take(80).flat_map(escaped).collect();
    if name.chars().nth(80).is_some() { shown + "…" } else { shown }
}

fn escaped(character: char) -> Vec<char> {
    if character.is_control() || character == '`' {
        character.escape_default().collect()
    } else {
        vec![character]
    }
}
