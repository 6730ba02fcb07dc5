//! GGUF, versions 1 to 3 in both byte orders: metadata, a table of tensors, the tensors' bytes.

mod cursor;
mod element;
mod metadata;
mod tensors;
mod value;

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use alnage_types::{IssueKind, Reader, Source};
use serde::Serialize;

use super::{Carried, ElementTotals, LayoutFault, MetadataEntry, TensorFacts, TensorSummary, layout};
use crate::{Context, Facts, Format, LoadEffect};
use cursor::{ABSURD, Cursor, Stop};

/// The row.
pub(crate) static FORMAT: Format = Format {
    id: "gguf",
    title: "GGUF",
    extensions: &["gguf"],
    load_effect: LoadEffect::MayExecute,
    reads: "All metadata of every type, chat templates, the tensor table with its arithmetic, bytes that belong to no \
            tensor.",
    cannot: "Whether the weights themselves were tampered with.",
    identify: |probe| probe.starts_with(b"GGUF"),
    parse,
};

/// What a GGUF file says about itself.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GgufFacts {
    /// The format's version.
    pub version: u32,
    /// Whether numbers are stored big end first.
    pub big_endian: bool,
    /// How many metadata entries the header declares.
    pub metadata_count: u64,
    /// How many tensors the header declares.
    pub tensor_count: u64,
    /// `general.alignment`, or the default.
    pub alignment: u64,
    /// `general.architecture`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// `general.name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `general.license`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// The quantisation of most tensors, by `general.file_type`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantization: Option<String>,
    /// The models this one was made from: `general.base_model.*`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub base_models: Vec<String>,
    /// Tokens of context the model was trained for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_length: Option<u64>,
    /// Layers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_count: Option<u64>,
    /// Width of the embedding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embedding_length: Option<u64>,
    /// Attention heads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head_count: Option<u64>,
    /// Tokens of the vocabulary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vocabulary_size: Option<u64>,
    /// `tokenizer.ggml.model`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokenizer_model: Option<String>,
    /// The keys that hold chat templates.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub chat_templates: Vec<String>,
    /// Which part of a split model this is, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split_number: Option<u64>,
    /// Of how many parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split_count: Option<u64>,
    /// How many elements in all tensors.
    pub parameters: u64,
    /// Totals by element type.
    pub types: BTreeMap<String, ElementTotals>,
    /// Metadata, shortened.
    pub metadata: Vec<MetadataEntry>,
    /// The first tensors.
    pub first_tensors: Vec<TensorSummary>,
    /// The last tensors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub last_tensors: Vec<TensorSummary>,
    /// What is wrong with the header, the metadata or the tensor table.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<GgufFault>,
    /// Tensors that do not lie as they should.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub layout_faults: Vec<LayoutFault>,
    /// Metadata values that carry something else.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub carried: Vec<Carried>,
    /// The names of all tensors.
    #[serde(skip)]
    pub names: Arc<[String]>,
}

/// Something wrong with the header, the metadata or the tensor table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GgufFault {
    /// What.
    pub kind: GgufFaultKind,
    /// What was found.
    pub detail: String,
    /// First byte concerned.
    pub start: u64,
    /// One past the last byte concerned.
    pub end: u64,
}

/// Something wrong with the header, the metadata or the tensor table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum GgufFaultKind {
    /// A count or length that no file can have: loaders that multiply it overflow.
    CountOverflow,
    /// A count or length that goes past the end of this file.
    CountBeyondFile,
    /// A metadata key stands more than once.
    RepeatedKey,
    /// A tensor's name stands more than once.
    RepeatedTensor,
    /// A metadata value or array element of a type that does not exist.
    UnknownValueType,
    /// An alignment that is no power of two.
    BadAlignment,
    /// A tensor with more dimensions than loaders have room for.
    TooManyDimensions,
    /// A tensor's name longer than loaders have room for.
    LongTensorName,
}

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    let mut facts = GgufFacts { alignment: 32, ..GgufFacts::default() };
    let mut reader = Reader::new(source.as_ref());
    reader.seek(4);
    let mut cursor = Cursor { source, reader: &mut reader, big_endian: false, narrow: false };
    if let Err(stop) = read(&mut cursor, &mut facts, context) {
        facts.take_stop(stop, cursor.position(), context);
    }
    Facts::Tensor(Box::new(TensorFacts::Gguf(Box::new(facts))))
}

fn read(cursor: &mut Cursor<'_, '_>, facts: &mut GgufFacts, context: &mut Context<'_>) -> Result<(), Stop> {
    let version = cursor.u32()?;
    cursor.big_endian = version != 0 && version & 0xffff == 0;
    facts.big_endian = cursor.big_endian;
    facts.version = if cursor.big_endian { version.swap_bytes() } else { version };
    if !(1..=3).contains(&facts.version) {
        let message = format!("version {} of the format is not known", facts.version);
        context.issue(IssueKind::Unsupported, 4, message);
        return Ok(());
    }
    cursor.narrow = facts.version == 1;
    let width = cursor.count_width();
    let start = cursor.position();
    facts.tensor_count = cursor.count()?;
    facts.metadata_count = cursor.count()?;
    // Both counts are judged before anything is read by them, and reading goes on all the same: what can be read
    // before the end is what a loader has seen when it fails.
    let counts = [
        ("the number of tensors", facts.tensor_count, width + 4 + 4 + 8, start),
        ("the number of metadata entries", facts.metadata_count, width + 4 + 1, start + width),
    ];
    for (what, declared, least, at) in counts {
        if let Err(stop) = cursor.check(what, declared, least, at) {
            facts.take_stop(stop, at, context);
        }
    }
    metadata::read(cursor, facts, context)?;
    tensors::read(cursor, facts, context)
}

impl GgufFacts {
    fn fault(&mut self, kind: GgufFaultKind, detail: String, at: Range<u64>) {
        if self.faults.len() < layout::MAX_FAULTS {
            self.faults.push(GgufFault { kind, detail, start: at.start, end: at.end });
        }
    }

    /// Why reading stopped, as a fault when it is one, and always as an issue.
    fn take_stop(&mut self, stop: Stop, position: u64, context: &mut Context<'_>) {
        match stop {
            Stop::Read(end) => context.read_end(end, position, "the header"),
            Stop::Exhausted(limit) => context.exhausted(limit, position),
            Stop::UnknownType(kind) => {
                let at = position.saturating_sub(4)..position;
                self.fault(GgufFaultKind::UnknownValueType, format!("type {kind}"), at);
                context.issue(IssueKind::Malformed, position, format!("a value of the unknown type {kind}"));
            }
            Stop::Beyond(beyond) => {
                let absurd = beyond.bytes > ABSURD;
                let kind = if absurd { GgufFaultKind::CountOverflow } else { GgufFaultKind::CountBeyondFile };
                self.fault(kind, format!("{} is {}", beyond.what, beyond.declared), beyond.at.clone());
                let message = format!("{} goes beyond the file", beyond.what);
                context.issue(IssueKind::Truncated, beyond.at.start, message);
            }
        }
    }
}

#[cfg(test)]
mod tests;
