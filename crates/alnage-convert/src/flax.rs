//! Flax's MessagePack: nested maps, arrays as extension values.

use std::sync::Arc;

use alnage_types::{ReadEnd, Reader, Source};

use crate::{
    element::Element,
    graph::{Graph, Node, Piece, Value},
    read::Read,
    refusal::{Refusal, malformed, unsupported},
    tensor::{Place, Storage, Tensor},
};

/// A container that is being filled.
struct Open {
    items: Vec<Value>,
    left: u64,
    is_map: bool,
}

/// Values that are read.
const MAX_VALUES: u64 = 5_000_000;
const MAX_DEPTH: usize = 256;

fn cut(_: ReadEnd) -> Refusal {
    Refusal::Malformed("the bytes end inside a MessagePack value".to_owned())
}

/// Reads a document.
pub(crate) fn read(source: &Arc<dyn Source>) -> Result<Read, Refusal> {
    let mut graph = Graph::default();
    let mut reader = Reader::new(source.as_ref());
    let mut open: Vec<Open> = Vec::new();
    for _ in 0..MAX_VALUES {
        let mut value = match head(&mut reader)? {
            Head::Map(count) | Head::Sequence(count) if open.len() >= MAX_DEPTH && count > 0 => {
                return Err(Refusal::Limit("max-depth"));
            }
            Head::Map(count) if count > 0 => {
                open.push(Open { items: Vec::new(), left: count.saturating_mul(2), is_map: true });
                continue;
            }
            Head::Sequence(count) if count > 0 => {
                open.push(Open { items: Vec::new(), left: count, is_map: false });
                continue;
            }
            Head::Map(_) => graph.node(Node::Dict(Vec::new()))?,
            Head::Sequence(_) => graph.node(Node::List(Vec::new()))?,
            Head::Plain(value) => value,
            Head::Text(len) => Value::Text(graph.piece(skip(&mut reader, len)?)?),
            Head::Bytes(len) => Value::Bytes(graph.piece(skip(&mut reader, len)?)?),
            Head::Extension(code, len) => {
                let start = reader.position();
                reader.skip(len).map_err(cut)?;
                extension(source, &mut graph, code, start, len)?
            }
        };
        // A value fills its container, and a container that is full is a value of the one around it.
        loop {
            let Some(inner) = open.last_mut() else {
                let mut read = Read::new("flax-msgpack", "flax", source.clone(), graph, value);
                read.leave_out_bytes(source.len().saturating_sub(reader.position()), "behind the document");
                return Ok(read);
            };
            graph.keep(32)?;
            inner.items.push(value);
            inner.left -= 1;
            if inner.left > 0 {
                break;
            }
            let Some(full) = open.pop() else { break };
            value = match full.is_map {
                true => graph
                    .node(Node::Dict(full.items.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()))?,
                false => graph.node(Node::List(full.items))?,
            };
        }
    }
    Err(Refusal::Limit("max-nodes"))
}

enum Head {
    Map(u64),
    Sequence(u64),
    Text(u64),
    Bytes(u64),
    Extension(i8, u64),
    Plain(Value),
}

fn skip(reader: &mut Reader<'_>, len: u64) -> Result<Piece, Refusal> {
    let start = reader.position();
    reader.skip(len).map_err(cut)?;
    Ok(Piece::At(start..start + len))
}

fn head(reader: &mut Reader<'_>) -> Result<Head, Refusal> {
    let byte = reader.u8().map_err(cut)?;
    let read = |reader: &mut Reader<'_>, bytes: u32| -> Result<u64, Refusal> {
        (0..bytes).try_fold(0, |number, _| Ok(number << 8 | u64::from(reader.u8().map_err(cut)?)))
    };
    let signed = |number: u64, bytes: u32| {
        let shift = 64 - 8 * bytes;
        Value::Int(((number << shift) as i64) >> shift)
    };
    Ok(match byte {
        0x00..=0x7f => Head::Plain(Value::Int(byte.into())),
        0xe0..=0xff => Head::Plain(Value::Int((byte as i8).into())),
        0x80..=0x8f => Head::Map((byte & 15).into()),
        0x90..=0x9f => Head::Sequence((byte & 15).into()),
        0xa0..=0xbf => Head::Text((byte & 31).into()),
        0xc0 => Head::Plain(Value::None),
        0xc2 => Head::Plain(Value::Bool(false)),
        0xc3 => Head::Plain(Value::Bool(true)),
        0xc4..=0xc6 => Head::Bytes(read(reader, 1 << (byte - 0xc4))?),
        0xc7..=0xc9 => {
            let len = read(reader, 1 << (byte - 0xc7))?;
            Head::Extension(reader.u8().map_err(cut)? as i8, len)
        }
        0xca => Head::Plain(Value::Float(reader.f32be().map_err(cut)?.into())),
        0xcb => Head::Plain(Value::Float(reader.f64be().map_err(cut)?)),
        0xcc..=0xcf => {
            let number = read(reader, 1 << (byte - 0xcc))?;
            Head::Plain(i64::try_from(number).map_or(Value::Float(number as f64), Value::Int))
        }
        0xd0..=0xd3 => {
            let bytes = 1 << (byte - 0xd0);
            Head::Plain(signed(read(reader, bytes)?, bytes))
        }
        0xd4..=0xd8 => Head::Extension(reader.u8().map_err(cut)? as i8, 1 << (byte - 0xd4)),
        0xd9..=0xdb => Head::Text(read(reader, 1 << (byte - 0xd9))?),
        0xdc => Head::Sequence(read(reader, 2)?),
        0xdd => Head::Sequence(read(reader, 4)?),
        0xde => Head::Map(read(reader, 2)?),
        0xdf => Head::Map(read(reader, 4)?),
        0xc1 => return malformed("a byte that starts no MessagePack value"),
    })
}

/// Flax's extension values: 1 is an array, 3 a scalar, both `(shape, type, bytes)`.
fn extension(
    source: &Arc<dyn Source>,
    graph: &mut Graph,
    code: i8,
    start: u64,
    len: u64,
) -> Result<Value, Refusal> {
    if !matches!(code, 1 | 3) {
        let piece = graph.piece(Piece::At(start..start + len))?;
        return Ok(Value::Bytes(piece));
    }
    let wrong = || Refusal::Malformed("an array that is not shape, type and bytes".to_owned());
    let mut reader = Reader::at(source.as_ref(), start);
    if !matches!(head(&mut reader)?, Head::Sequence(3)) {
        return Err(wrong());
    }
    let Head::Sequence(dimensions @ 0..=64) = head(&mut reader)? else { return Err(wrong()) };
    let mut shape = Vec::new();
    for _ in 0..dimensions {
        match head(&mut reader)? {
            Head::Plain(Value::Int(size)) => shape.push(u64::try_from(size).map_err(|_| wrong())?),
            _ => return Err(wrong()),
        }
    }
    let Head::Text(name_len @ 0..=64) = head(&mut reader)? else { return Err(wrong()) };
    let name = reader.take(name_len).map_err(cut)?;
    let name = String::from_utf8_lossy(&name).into_owned();
    let Head::Bytes(bytes) = head(&mut reader)? else { return Err(wrong()) };
    let Some((element, _)) = Element::numpy(&name) else {
        return unsupported(format!("arrays of the data type `{}`", crate::refusal::shown(&name)));
    };
    let at = reader.position();
    if at.checked_add(bytes) != start.checked_add(len) {
        return Err(wrong());
    }
    let place = Place { source: source.clone(), start: at, len: bytes, big_endian: false };
    let storage = Storage { key: String::new(), declared: bytes, item: element.size, place: Some(place) };
    let storage = graph.add_storage(storage)?;
    graph.tensor(Tensor::contiguous(storage, element, 0, shape, false)?)
}
