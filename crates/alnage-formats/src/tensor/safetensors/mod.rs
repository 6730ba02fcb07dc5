//! Safetensors: a JSON header and the tensors' bytes, nothing else.

mod dtype;
mod header;

use std::{
    collections::{BTreeMap, HashSet},
    ops::Range,
    sync::Arc,
};

use alnage_types::{Exhausted, IssueKind, Reader, Source};
use serde::Serialize;

use super::{
    Carried, ElementTotals, LayoutFault, LayoutFaultKind, MetadataEntry, TensorFacts, TensorSummary,
    embedded,
    layout::{self, MAX_FAULTS, Placed},
    summary,
};
use crate::{Context, Facts, Format, LoadEffect, Probe};
use header::{DeclaredTensor, Header, MetadataValue};

/// Longer headers are refused by the reference loader.
pub const MAX_HEADER: u64 = 100_000_000;

/// The row.
pub(crate) static FORMAT: Format = Format {
    id: "safetensors",
    title: "Safetensors",
    extensions: &["safetensors"],
    load_effect: LoadEffect::Data,
    reads: "The whole header with repeated keys, every tensor's place, size and type, metadata and what it carries, \
            bytes that belong to no tensor.",
    cannot: "Whether the weights themselves were tampered with.",
    identify,
    parse,
};

/// What a safetensors file says about itself.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SafetensorsFacts {
    /// Bytes of the JSON header as declared.
    pub header_length: u64,
    /// Whether the tensors' bytes start at a multiple of eight.
    pub aligned: bool,
    /// How many tensors.
    pub tensors: u64,
    /// How many elements in all tensors.
    pub parameters: u64,
    /// Totals by element type.
    pub dtypes: BTreeMap<String, ElementTotals>,
    /// `__metadata__`, shortened.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metadata: Vec<MetadataEntry>,
    /// The first tensors.
    pub first_tensors: Vec<TensorSummary>,
    /// The last tensors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub last_tensors: Vec<TensorSummary>,
    /// What is wrong with the header itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub header_faults: Vec<HeaderFault>,
    /// Tensors that do not lie as they should.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub layout_faults: Vec<LayoutFault>,
    /// Metadata values that carry something else.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub carried: Vec<Carried>,
    /// Every tensor, for comparing with an index.
    #[serde(skip)]
    pub all: Arc<[Tensor]>,
}

/// A tensor of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    /// Its name.
    pub name: String,
    /// Its element type as the format spells it.
    pub dtype: Box<str>,
    /// Its dimensions.
    pub shape: Box<[u64]>,
}

/// Something wrong with the header itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HeaderFault {
    /// What.
    pub kind: HeaderFaultKind,
    /// What was found.
    pub detail: String,
    /// First byte concerned.
    pub start: u64,
    /// One past the last byte concerned.
    pub end: u64,
}

/// Something wrong with the header itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum HeaderFaultKind {
    /// The declared length goes past the end of the file.
    LengthBeyondFile,
    /// The declared length is more than the reference loader takes.
    TooLong,
    /// The header does not start with `{`.
    LeadingWhiteSpace,
    /// The header is no JSON object of tensors.
    NotTensors,
    /// A key stands more than once: loaders differ in which one they take.
    RepeatedKey,
    /// A tensor's entry has a key that the format does not know.
    UnknownKey,
    /// A value of `__metadata__` is no string.
    MetadataNotText,
    /// A tensor's name leads out of a folder: tools that keep each tensor in a file of its name follow it.
    NameLeadsOut,
    /// A tensor's name has control characters: it forges lines where names are shown or sent.
    NameWithControls,
}

/// A declared header length and an opening brace behind it. The upper bytes of any length that a file can have are
/// zero, which text never is.
fn identify(probe: &Probe<'_>) -> bool {
    let Some((length, rest)) = probe.head.split_first_chunk::<8>() else { return false };
    let length = u64::from_le_bytes(*length);
    let first = rest.iter().find(|byte| !byte.is_ascii_whitespace());
    let possible = (2..1 << 40).contains(&length) || probe.extension() == Some("safetensors");
    if !possible || first != Some(&b'{') {
        return false;
    }
    // Behind the brace stands a key or the end.
    let brace = rest.iter().position(|&byte| byte == b'{').unwrap_or(0);
    let next = rest.get(brace + 1..).unwrap_or_default().iter().find(|byte| !byte.is_ascii_whitespace());
    matches!(next, Some(b'"' | b'}') | None)
}

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    let facts = read(source, context).unwrap_or_default();
    Facts::Tensor(Box::new(TensorFacts::Safetensors(Box::new(facts))))
}

fn read(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Option<SafetensorsFacts> {
    let mut reader = Reader::new(source.as_ref());
    let length = match reader.u64le() {
        Ok(length) => length,
        Err(end) => {
            context.read_end(end, 0, "the header's length");
            return None;
        }
    };
    let size = source.len();
    let mut facts = SafetensorsFacts { header_length: length, ..SafetensorsFacts::default() };
    let data_start = match length.checked_add(8).filter(|&end| end <= size) {
        Some(end) => end,
        None => {
            let detail = format!("declares {length} bytes, the file has {} left", size - 8);
            facts.header_fault(HeaderFaultKind::LengthBeyondFile, detail, 0..8);
            context.issue(IssueKind::Truncated, 0, "the header ends beyond the file");
            return Some(facts);
        }
    };
    facts.aligned = data_start.is_multiple_of(8);
    if length > MAX_HEADER {
        facts.header_fault(HeaderFaultKind::TooLong, format!("declares {length} bytes"), 0..8);
        context.issue(IssueKind::Malformed, 0, "the header is longer than any loader takes");
        return Some(facts);
    }
    if length > context.meter().budget().max_member_memory {
        context.exhausted(Exhausted { limit: "max-member-memory" }, 8);
        return Some(facts);
    }
    if reader.peek().is_ok_and(|first| first != b'{') {
        facts.header_fault(HeaderFaultKind::LeadingWhiteSpace, "starts with white space".into(), 8..9);
    }
    let (header, result, position) = header::read(source.as_ref(), 8..data_start, context.meter());
    match (&result, header.exhausted) {
        (Ok(()), _) => context.claim(0..data_start),
        (Err(_), Some(limit)) => context.exhausted(limit, position),
        (Err(error), None) => {
            facts.header_fault(HeaderFaultKind::NotTensors, error.to_string(), 8..data_start);
            context.issue(IssueKind::Malformed, position, format!("the header is malformed: {error}"));
        }
    }
    facts.take_keys(&header);
    facts.take_metadata(&header, context);
    if result.is_ok() {
        facts.take_layout(&header.tensors, data_start..size, source, context);
    }
    facts.take_tensors(header.tensors);
    Some(facts)
}

impl SafetensorsFacts {
    fn header_fault(&mut self, kind: HeaderFaultKind, detail: String, at: Range<u64>) {
        if self.header_faults.len() < MAX_FAULTS {
            self.header_faults.push(HeaderFault { kind, detail, start: at.start, end: at.end });
        }
    }

    fn take_keys(&mut self, header: &Header) {
        let kinds = [
            (HeaderFaultKind::RepeatedKey, &header.repeated),
            (HeaderFaultKind::UnknownKey, &header.unknown_keys),
        ];
        for (kind, keys) in kinds {
            for (key, offset) in keys {
                let start =
                    if kind == HeaderFaultKind::RepeatedKey { *offset } else { offset.saturating_sub(1) };
                self.header_fault(kind, layout::quoted(key), start..start + 1);
            }
        }
    }

    fn take_metadata(&mut self, header: &Header, context: &mut Context<'_>) {
        for (key, value, offset) in &header.metadata {
            let text = match value {
                MetadataValue::Text(text) => text,
                MetadataValue::Other(json) => {
                    let at = *offset..offset.saturating_add(json.len() as u64);
                    self.header_fault(HeaderFaultKind::MetadataNotText, layout::quoted(key), at);
                    json
                }
            };
            let end = offset.saturating_add(text.len() as u64);
            summary::keep_entry(&mut self.metadata, key, text, *offset..end);
            let place = format!("__metadata__.{key}");
            if key.contains("chat_template") {
                context.member(place, Arc::new(alnage_types::MemorySource::new(text.as_bytes())));
            } else {
                embedded::look(&place, text.as_bytes(), *offset, &mut self.carried, context);
            }
        }
    }

    fn take_layout(
        &mut self,
        tensors: &[DeclaredTensor],
        buffer: Range<u64>,
        source: &Arc<dyn Source>,
        context: &mut Context<'_>,
    ) {
        let mut placed = Vec::new();
        for tensor in tensors {
            let entry = tensor.entry.0..tensor.entry.1;
            if leads_out(&tensor.name) {
                self.header_fault(HeaderFaultKind::NameLeadsOut, layout::quoted(&tensor.name), entry.clone());
            } else if tensor.name.chars().any(char::is_control) {
                let kind = HeaderFaultKind::NameWithControls;
                self.header_fault(kind, layout::quoted(&tensor.name), entry.clone());
            }
            if let Some((kind, detail)) = size_fault(tensor) {
                self.layout_fault(kind, &tensor.name, detail, entry.clone());
            }
            let (start, end) = tensor.offsets;
            match (buffer.start.checked_add(start), buffer.start.checked_add(end)) {
                (Some(start), Some(end)) if start <= end && end <= buffer.end => {
                    if matches!(tensor.dtype.as_str(), "U8" | "I8") {
                        let carried = &mut self.carried;
                        embedded::look_at_tensor(&tensor.name, start..end, source, carried, context);
                    }
                    placed.push(Placed { name: &tensor.name, range: start..end });
                }
                _ => {
                    let length = buffer.end - buffer.start;
                    let detail = format!("data_offsets [{start}, {end}] of {length} bytes");
                    self.layout_fault(LayoutFaultKind::OutOfBounds, &tensor.name, detail, entry);
                }
            }
        }
        let mut ranges: Vec<Range<u64>> = placed.iter().map(|tensor| tensor.range.clone()).collect();
        ranges.sort_unstable_by_key(|range| range.start);
        ranges.into_iter().for_each(|range| context.claim(range));
        // Of a repeated name, loaders that keep the entries in a table take the last.
        placed.reverse();
        let mut seen = HashSet::new();
        placed.retain(|tensor| seen.insert(tensor.name));
        let room = MAX_FAULTS.saturating_sub(self.layout_faults.len());
        self.layout_faults.extend(layout::overlaps_and_holes(placed, buffer, 0).into_iter().take(room));
    }

    fn layout_fault(&mut self, kind: LayoutFaultKind, name: &str, detail: String, at: Range<u64>) {
        if self.layout_faults.len() < MAX_FAULTS {
            self.layout_faults.push(layout::fault(kind, name, detail, at));
        }
    }

    fn take_tensors(&mut self, tensors: Vec<DeclaredTensor>) {
        const SHOWN: usize = 8;
        let show = |tensor: &DeclaredTensor| TensorSummary::new(&tensor.name, &tensor.dtype, &tensor.shape);
        self.tensors = tensors.len() as u64;
        self.first_tensors = tensors.iter().take(SHOWN).map(show).collect();
        self.last_tensors =
            tensors.iter().skip(SHOWN.max(tensors.len().saturating_sub(SHOWN))).map(show).collect();
        for tensor in &tensors {
            let parameters = dtype::elements(&tensor.shape).unwrap_or(0);
            let bytes = tensor.offsets.1.saturating_sub(tensor.offsets.0);
            self.parameters = self.parameters.saturating_add(parameters);
            summary::add_to(&mut self.dtypes, &tensor.dtype, parameters, bytes);
        }
        let all = tensors.into_iter().map(|tensor| Tensor {
            name: tensor.name,
            dtype: tensor.dtype.into(),
            shape: tensor.shape.into(),
        });
        self.all = all.collect();
    }
}

/// Whether a name is a path out of the folder it is used in.
pub fn leads_out(name: &str) -> bool {
    let drive = name.as_bytes().get(1) == Some(&b':') && name.contains(['/', '\\']);
    name.starts_with(['/', '\\'])
        || name.contains('\0')
        || drive
        || name.split(['/', '\\']).any(|part| part == "..")
}

/// Whether a tensor's bytes are not as many as its shape and type need.
fn size_fault(tensor: &DeclaredTensor) -> Option<(LayoutFaultKind, String)> {
    let Some(bits) = dtype::bits(&tensor.dtype) else {
        return Some((LayoutFaultKind::UnknownType, format!("dtype `{}`", layout::quoted(&tensor.dtype))));
    };
    let shape = || {
        let mut shown = format!("{:?}", tensor.shape.iter().take(8).collect::<Vec<_>>());
        if tensor.shape.len() > 8 {
            shown.push('…');
        }
        shown
    };
    let declared = tensor.offsets.1.checked_sub(tensor.offsets.0)?;
    match dtype::bytes(&tensor.shape, bits) {
        None => Some((LayoutFaultKind::Overflow, format!("shape {} of {}", shape(), tensor.dtype))),
        Some(needed) if needed != declared => {
            let detail =
                format!("shape {} of {} needs {needed} bytes, has {declared}", shape(), tensor.dtype);
            Some((LayoutFaultKind::SizeMismatch, detail))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests;
