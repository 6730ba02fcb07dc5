//! NumPy's arrays as pickles rebuild them, joblib's that stand raw in the file included.

use std::sync::Arc;

use alnage_types::{MemorySource, Reader};

use crate::{
    element::Element,
    graph::{Node, Piece, Value},
    machine::{self, Machine, Setting},
    refusal::{Refusal, malformed, shown, unsupported},
    tensor::{Place, Storage, Tensor},
};

/// A data type that is more than one number: fields, or a subarray.
const STRUCTURED: &str = "structured";

/// `numpy.dtype('f8', …)`.
pub(crate) fn data_type(machine: &mut Machine<'_>, spelling: Value) -> Result<Value, Refusal> {
    let spelling = match spelling {
        Value::Global(at) => machine.graph.globals.get(at as usize).map(|(_, name)| name.clone()),
        text => machine.graph.text(machine.source, text, 256),
    };
    let Some(spelling) = spelling else { return malformed("a NumPy data type that is no text") };
    machine.graph.keep(spelling.len())?;
    machine.graph.node(Node::DataType(spelling))
}

/// `dtype.__setstate__((version, byte order, subarray, names, fields, …))`.
pub(crate) fn data_type_state(machine: &mut Machine<'_>, target: Value, state: Value) -> Result<(), Refusal> {
    let Some(parts) = machine.graph.items(state).map(<[Value]>::to_vec) else {
        return malformed("a NumPy data type without state");
    };
    let order =
        parts.get(1).and_then(|order| machine.graph.text(machine.source, *order, 4)).unwrap_or_default();
    let structured = parts.get(2..5).is_some_and(|parts| parts.iter().any(|part| *part != Value::None));
    if let Some(Node::DataType(spelling)) = machine.graph.get_mut(target) {
        if structured {
            *spelling = STRUCTURED.to_owned();
        } else if order == ">" {
            *spelling = format!(">{}", spelling.trim_start_matches(['<', '>', '=', '|']));
        }
    }
    Ok(())
}

fn spelling(machine: &Machine<'_>, value: Value) -> String {
    match machine.graph.get(value) {
        Some(Node::DataType(spelling)) => spelling.clone(),
        _ => String::new(),
    }
}

/// A place in the source, or in memory, for bytes of the pickle.
fn place(machine: &Machine<'_>, piece: u32) -> Option<Place> {
    Some(match machine.graph.pieces.get(piece as usize)? {
        Piece::At(range) => Place {
            source: machine.source.clone(),
            start: range.start,
            len: range.end - range.start,
            big_endian: false,
        },
        Piece::Made(bytes) => {
            let source = Arc::new(MemorySource::new(bytes.to_vec()));
            Place { source, start: 0, len: bytes.len() as u64, big_endian: false }
        }
    })
}

/// A tensor over bytes that no other one shares.
fn over(
    machine: &mut Machine<'_>,
    mut place: Place,
    (element, big_endian): (&'static Element, bool),
    shape: Vec<u64>,
    fortran: bool,
) -> Result<Value, Refusal> {
    place.big_endian = big_endian;
    let declared = place.len;
    let storage = Storage { key: String::new(), declared, item: element.size, place: Some(place) };
    let storage = machine.graph.add_storage(storage)?;
    let tensor = Tensor::contiguous(storage, element, 0, shape, fortran)?;
    if tensor.bytes() != declared {
        return malformed("an array whose bytes are not as many as its sizes need");
    }
    machine.graph.tensor(tensor)
}

/// Puts what `made` is in the place of `target`, which others may refer to.
fn become_node(machine: &mut Machine<'_>, target: Value, made: Value) {
    let node = machine.graph.get(made).cloned();
    if let (Some(slot), Some(node)) = (machine.graph.get_mut(target), node) {
        *slot = node;
    }
}

/// `ndarray.__setstate__((version, shape, dtype, is_fortran, data))`.
pub(crate) fn array_state(machine: &mut Machine<'_>, target: Value, state: Value) -> Result<(), Refusal> {
    let Some(parts) = machine.graph.items(state).map(<[Value]>::to_vec) else {
        return malformed("an array without state");
    };
    let &[.., shape, dtype, fortran, data] = parts.as_slice() else {
        return malformed("an array without state");
    };
    let Some(sizes) = machine.graph.sizes(shape) else {
        return malformed("an array whose sizes are no sizes");
    };
    let element = Element::numpy(&spelling(machine, dtype));
    let piece = match data {
        Value::Bytes(piece) | Value::Text(piece) => Some(piece),
        _ => None,
    };
    match (element, piece.and_then(|piece| place(machine, piece))) {
        (Some(element), Some(place)) => {
            let fortran = matches!(fortran, Value::Bool(true) | Value::Int(1));
            let made = over(machine, place, element, sizes, fortran)?;
            become_node(machine, target, made);
        }
        // Texts, dates, fields and Python objects: kept as the state says them.
        _ => {
            if let Some(Node::Object(object)) = machine.graph.get_mut(target) {
                object.state.push(state);
            }
        }
    }
    Ok(())
}

/// `numpy._core.numeric._frombuffer(buffer, dtype, shape, order)`.
pub(crate) fn from_buffer(machine: &mut Machine<'_>, given: &[Value]) -> Result<Value, Refusal> {
    let &[Value::Bytes(piece), dtype, shape, order, ..] = given else {
        return unsupported("an array whose bytes are kept elsewhere");
    };
    let spelling = spelling(machine, dtype);
    let Some(element) = Element::numpy(&spelling) else {
        return unsupported(format!("arrays of the data type `{}`", shown(&spelling)));
    };
    let (Some(place), Some(shape)) = (place(machine, piece), machine.graph.sizes(shape)) else {
        return malformed("an array whose sizes are no sizes");
    };
    let fortran = machine.graph.text(machine.source, order, 4).as_deref() == Some("F");
    over(machine, place, element, shape, fortran)
}

/// `numpy.core.multiarray.scalar(dtype, bytes)`: the number itself, where it is one.
pub(crate) fn scalar(
    machine: &mut Machine<'_>,
    global: u32,
    given: &[Value],
    arguments: Value,
) -> Result<Value, Refusal> {
    let known = match given {
        &[dtype, Value::Bytes(piece) | Value::Text(piece)] => {
            let element = Element::numpy(&spelling(machine, dtype));
            element.zip(machine.graph.bytes(machine.source, piece, 16))
        }
        _ => None,
    };
    let Some(((element, big), mut bytes)) = known else { return machine.object(global, arguments) };
    if big {
        bytes.reverse();
    }
    let number = match (element.name, bytes.as_slice()) {
        ("float64", bytes) => bytes.try_into().ok().map(|bytes| Value::Float(f64::from_le_bytes(bytes))),
        ("float32", bytes) => {
            bytes.try_into().ok().map(|bytes| Value::Float(f32::from_le_bytes(bytes).into()))
        }
        ("bool", &[byte]) => Some(Value::Bool(byte != 0)),
        ("int8" | "int16" | "int32" | "int64", bytes) => signed(bytes).map(Value::Int),
        ("uint8" | "uint16" | "uint32", bytes) => {
            let number = bytes.iter().rev().fold(0_u64, |number, &byte| number << 8 | u64::from(byte));
            i64::try_from(number).ok().map(Value::Int)
        }
        _ => None,
    };
    number.map_or_else(|| machine.object(global, arguments), Ok)
}

fn signed(bytes: &[u8]) -> Option<i64> {
    let fill = if *bytes.last()? >= 0x80 { 0xff } else { 0 };
    let mut wide = [fill; 8];
    wide.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(i64::from_le_bytes(wide))
}

/// joblib's array wrapper: the bytes stand in the file right here.
pub(crate) fn wrapped(machine: &mut Machine<'_>, target: Value, state: Value) -> Result<(), Refusal> {
    let mut fields = [Value::None; 4];
    for (key, value) in machine.graph.pairs(state).unwrap_or_default() {
        let name = machine.graph.text(machine.source, *key, 64).unwrap_or_default();
        let names = ["shape", "dtype", "order", "numpy_array_alignment_bytes"];
        if let Some(at) = names.iter().position(|known| *known == name) {
            fields[at] = *value;
        }
    }
    let [shape, dtype, order, alignment] = fields;
    let Some(shape) = machine.graph.sizes(shape) else {
        return malformed("an array whose sizes are no sizes");
    };
    let spelling = spelling(machine, dtype);
    let mut start = machine.instructions.raw_start();
    if spelling.trim_start_matches('|').starts_with('O') {
        return object_array(machine, target, start);
    }
    if matches!(alignment, Value::Int(_)) {
        let padding = Reader::at(machine.source.as_ref(), start).u8();
        let padding = padding.map_err(|_| Refusal::Malformed("the bytes end before an array".to_owned()))?;
        start += 1 + u64::from(padding);
    }
    let Some((element, big)) = Element::numpy(&spelling) else {
        return unsupported(format!("joblib arrays of the data type `{}`", shown(&spelling)));
    };
    let len = shape.iter().try_fold(element.size, |all, &size| all.checked_mul(size));
    let Some(len) = len else { return malformed("an array's sizes overflow") };
    let range = machine.instructions.skip_raw(start, len);
    let range = range.map_err(|_| Refusal::Malformed("the bytes end inside an array".to_owned()))?;
    let place = Place { source: machine.source.clone(), start: range.start, len, big_endian: false };
    let fortran = machine.graph.text(machine.source, order, 4).as_deref() == Some("F");
    let made = over(machine, place, (element, big), shape, fortran)?;
    become_node(machine, target, made);
    Ok(())
}

/// An array of Python objects: a pickle of its own, which stands in the file right here.
fn object_array(machine: &mut Machine<'_>, target: Value, start: u64) -> Result<(), Refusal> {
    const MAX_DEPTH: u32 = 16;
    if machine.depth >= MAX_DEPTH {
        return Err(Refusal::Limit("max-depth"));
    }
    let (unknown, depth) = (machine.unknown, machine.depth + 1);
    let ran = machine::run(machine.source, start, machine.graph, Setting::Alone, unknown, depth)?;
    let skipped = machine.instructions.skip_raw(start, ran.end - start);
    skipped.map_err(|_| Refusal::Malformed("the bytes end inside an array".to_owned()))?;
    become_node(machine, target, ran.root);
    Ok(())
}
