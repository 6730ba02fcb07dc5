//! NumPy: `.npy` arrays, their headers' arithmetic and the pickle inside object arrays; `.npz` archives of them.

mod dtype;
mod literal;

use std::sync::Arc;

use alnage_types::{IssueKind, ReadEnd, Reader, Source, WindowSource};
use serde::Serialize;

use self::{dtype::DataType, literal::Literal};
use super::{
    ContainerFacts,
    archive::{is_zero, shorten},
    zip,
};
use crate::{Context, Facts, Format, LoadEffect, pickle};

/// The row of `.npy`.
pub(super) static ARRAY: Format = Format {
    id: "numpy-array",
    title: "NumPy array",
    extensions: &["npy"],
    load_effect: LoadEffect::MayExecute,
    reads: "type, shape and order; the pickle of an object array as an artifact of its own",
    cannot: "the values",
    identify: |probe| probe.starts_with(MAGIC),
    parse: parse_array,
};

/// The row of `.npz`.
pub(super) static ARCHIVE: Format = Format {
    id: "numpy-archive",
    title: "NumPy archive",
    extensions: &["npz"],
    load_effect: LoadEffect::MayExecute,
    reads: "the names of its arrays; each array is analysed as an artifact of its own",
    cannot: "the values",
    identify: |probe| {
        zip::ZIP_MAGIC.iter().any(|magic| probe.starts_with(magic))
            && zip::names(probe.source).iter().any(|name| name.ends_with(".npy"))
    },
    parse: parse_archive,
};

const MAGIC: &[u8] = b"\x93NUMPY";
/// NumPy itself reads headers up to 10,000 characters unless pickles are allowed.
const MAX_HEADER: u64 = 1 << 20;
/// How many arrays that follow each other in one file are read.
const MAX_ARRAYS: u64 = 10_000;

/// Facts about a `.npy` file.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ArrayFacts {
    /// Version of the header's format: `1.0`.
    pub version: String,
    /// The data type as the header spells it, shortened.
    pub dtype: String,
    /// The shape, at most 64 dimensions.
    pub shape: Vec<u64>,
    /// Whether the first index varies fastest.
    pub fortran_order: bool,
    /// Whether the values are Python objects: then the payload is a pickle.
    pub object: bool,
    /// Bytes of the payload.
    pub payload: u64,
    /// Further arrays in the same file.
    #[serde(skip_serializing_if = "is_zero")]
    pub further_arrays: u64,
    /// Bytes behind the last array.
    #[serde(skip_serializing_if = "is_zero")]
    pub appended: u64,
    /// The header, shortened, when it is no plain literal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable_header: Option<String>,
}

/// Facts about a `.npz` file.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ArrayArchiveFacts {
    /// Names of the arrays, at most 256.
    pub arrays: Vec<String>,
    /// Members that are no arrays.
    pub other_members: u64,
}

/// How an array lies in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrayHeader {
    /// The data type as the header spells it: `<f4`.
    pub dtype: String,
    /// Bytes of a value.
    pub item_size: u64,
    /// Whether the values are Python objects.
    pub object: bool,
    /// Whether the first index varies fastest.
    pub fortran_order: bool,
    /// The sizes.
    pub shape: Vec<u64>,
    /// Where the values begin.
    pub data: u64,
}

/// The header of the array at `start`; the error says what is wrong with it.
pub fn array_header(source: &dyn Source, start: u64) -> Result<ArrayHeader, &'static str> {
    let mut reader = Reader::at(source, start);
    if !starts_array(&mut reader) {
        return Err("no NumPy header");
    }
    let header = read_header(&mut reader).map_err(|_| "the bytes end inside the NumPy header")?;
    let (Some(dtype), Some(_)) = (header.dtype, header.expected) else {
        return Err("the NumPy header is no plain literal of type, order and shape");
    };
    if header.facts.shape.len() >= MAX_DIMENSIONS {
        return Err("more dimensions than NumPy knows");
    }
    Ok(ArrayHeader {
        dtype: dtype.spelling,
        item_size: dtype.item_size,
        object: dtype.object,
        fortran_order: header.facts.fortran_order,
        shape: header.facts.shape,
        data: reader.position(),
    })
}

/// How many sizes of a shape are kept.
const MAX_DIMENSIONS: usize = 64;

fn parse_archive(source: &Arc<dyn Source>, _context: &mut Context<'_>) -> Facts {
    let names = zip::names(source.as_ref());
    let (arrays, others): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| name.ends_with(".npy"));
    let arrays = arrays.iter().take(256).map(|name| shorten(name.trim_end_matches(".npy"), 200)).collect();
    let facts = ArrayArchiveFacts { arrays, other_members: others.len() as u64 };
    Facts::Container(Box::new(ContainerFacts::ArrayArchive(facts)))
}

fn parse_array(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    let mut facts = ArrayFacts::default();
    let mut reader = Reader::new(source.as_ref());
    let mut count = 0;
    // `np.save` into an open file writes one array behind the other.
    while count == 0 || count < MAX_ARRAYS && starts_array(&mut reader) {
        let start = reader.position();
        let header = match read_header(&mut reader) {
            Ok(header) => header,
            Err(end) => {
                context.read_end(end, start, "a NumPy header");
                break;
            }
        };
        let end = read_payload(source, &header, reader.position(), count, context);
        context.claim(start..end);
        if count == 0 {
            facts = header.facts;
            facts.payload = end - reader.position();
        }
        count += 1;
        reader.seek(end);
    }
    facts.further_arrays = count.saturating_sub(1);
    facts.appended = reader.remaining();
    Facts::Container(Box::new(ContainerFacts::Array(facts)))
}

fn starts_array(reader: &mut Reader<'_>) -> bool {
    let start = reader.position();
    let found = reader.array::<6>();
    reader.seek(start);
    found.as_ref().map(<[u8; 6]>::as_slice) == Ok(MAGIC)
}

/// A header: the facts it gives, and the bytes its payload needs when that can be told.
struct Header {
    facts: ArrayFacts,
    dtype: Option<DataType>,
    expected: Option<u64>,
}

fn read_header(reader: &mut Reader<'_>) -> Result<Header, ReadEnd> {
    let [.., major, minor] = reader.array::<8>()?;
    let length = if major < 2 { u64::from(reader.u16le()?) } else { u64::from(reader.u32le()?) };
    if length > reader.remaining() {
        return Err(ReadEnd::Truncated);
    }
    let bytes = reader.take(length.min(MAX_HEADER))?.into_owned();
    reader.skip(length - bytes.len() as u64)?;
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        // Versions 1 and 2 are Latin-1.
        Err(error) => error.as_bytes().iter().map(|&byte| char::from(byte)).collect(),
    };
    let facts = ArrayFacts { version: format!("{major}.{minor}"), ..ArrayFacts::default() };
    let mut header = Header { facts, dtype: None, expected: None };
    if read_fields(&text, &mut header).is_none() {
        header.facts.unreadable_header = Some(shorten(text.trim(), 200));
    }
    Ok(header)
}

fn read_fields(text: &str, header: &mut Header) -> Option<()> {
    let Literal::Dictionary(pairs) = literal::read(text)? else { return None };
    let field = |name: &str| {
        pairs
            .iter()
            .rev()
            .find_map(|(key, value)| matches!(key, Literal::Text(key) if key == name).then_some(value))
    };
    let dtype = dtype::read(field("descr")?)?;
    let Literal::Boolean(fortran_order) = *field("fortran_order")? else { return None };
    let Literal::Sequence(shape) = field("shape")? else { return None };
    let shape: Vec<u64> = shape
        .iter()
        .map(|size| match size {
            Literal::Integer(size) => Some(*size),
            _ => None,
        })
        .collect::<Option<_>>()?;
    let values = shape.iter().try_fold(1u64, |product, &size| product.checked_mul(size));
    header.expected = values.and_then(|values| values.checked_mul(dtype.item_size));
    header.facts.dtype = shorten(&dtype.spelling, 200);
    header.facts.object = dtype.object;
    header.facts.fortran_order = fortran_order;
    header.facts.shape = shape.into_iter().take(MAX_DIMENSIONS).collect();
    header.dtype = Some(dtype);
    Some(())
}

/// Judges the payload at `start` and says where it ends.
fn read_payload(
    source: &Arc<dyn Source>,
    header: &Header,
    start: u64,
    count: u64,
    context: &mut Context<'_>,
) -> u64 {
    let rest = source.len() - start.min(source.len());
    let Some(dtype) = &header.dtype else {
        context.issue(
            IssueKind::Malformed,
            start,
            "the NumPy header is no plain literal of type, order and shape",
        );
        return start;
    };
    if dtype.object {
        if rest > 0 && !pickle::is_expected_pickle(source.as_ref(), start) {
            context.issue(
                IssueKind::Malformed,
                start,
                "the values are Python objects, and no pickle of them is there",
            );
        }
        let name = if count == 0 { "object".to_owned() } else { format!("object#{}", count + 1) };
        context.member(name, Arc::new(WindowSource::new(source.clone(), start, rest)));
        return source.len();
    }
    match header.expected {
        Some(expected) if expected <= rest => start + expected,
        Some(expected) => {
            let message = format!("shape and type ask for {expected} bytes, {rest} are there");
            context.issue(IssueKind::Truncated, start, message);
            source.len()
        }
        None => {
            context.issue(
                IssueKind::Malformed,
                start,
                "shape and type ask for more bytes than can be counted",
            );
            source.len()
        }
    }
}
