//! NumPy's own files: `.npy` and `.npz`.

use std::sync::Arc;

use alnage_formats::container::{ZipMember, array_header};
use alnage_types::{Meter, Source};

use crate::{
    element::Element,
    graph::{Graph, Node, Piece, Value},
    machine::{self, Setting, UnknownCalls},
    read::{Checksum, Read},
    refusal::{Refusal, malformed, shown},
    tensor::{Place, Storage, Tensor},
    torch::in_member,
};

/// Whether a zip holds NumPy's arrays.
pub(crate) fn is_archive(members: &[ZipMember]) -> bool {
    members.iter().any(|member| member.name.ends_with(".npy"))
}

/// Reads a `.npy` file.
pub(crate) fn file(source: &Arc<dyn Source>, unknown: UnknownCalls) -> Result<Read, Refusal> {
    let mut graph = Graph::default();
    let (root, end) = array(source, &mut graph, unknown)?;
    let mut read = Read::new("numpy", "np", source.clone(), graph, root);
    read.leave_out_bytes(source.len().saturating_sub(end), "behind the array");
    Ok(read)
}

/// Reads a `.npz` file: a dictionary of arrays.
pub(crate) fn archive(
    source: &Arc<dyn Source>,
    members: &[ZipMember],
    unknown: UnknownCalls,
    meter: &mut Meter,
) -> Result<Read, Refusal> {
    let mut graph = Graph::default();
    let mut pairs = Vec::new();
    let mut checksums = Vec::new();
    let mut others = 0;
    for member in members {
        let Some(name) = member.name.strip_suffix(".npy") else {
            others += 1;
            continue;
        };
        let content = member.open(source, meter);
        let content = content.map_err(|reason| {
            Refusal::Malformed(format!("`{}` cannot be read: {reason}", shown(&member.name)))
        })?;
        if member.is_stored() {
            let (range, crc32) = (member.data.clone(), member.crc32);
            checksums.push(Checksum { name: member.name.clone(), range, crc32 });
        }
        let name = Value::Text(graph.piece(Piece::Made(name.as_bytes().into()))?);
        let (value, _) =
            array(&content, &mut graph, unknown).map_err(|refusal| in_member(refusal, &member.name))?;
        pairs.push((name, value));
    }
    let root = graph.node(Node::Dict(pairs))?;
    let mut read = Read::new("numpy-archive", "np", source.clone(), graph, root);
    read.checksums = checksums;
    read.leave_out(others, "members that are no arrays");
    Ok(read)
}

/// The array at the start of `source`, and where it ends.
fn array(
    source: &Arc<dyn Source>,
    graph: &mut Graph,
    unknown: UnknownCalls,
) -> Result<(Value, u64), Refusal> {
    let header = array_header(source.as_ref(), 0).map_err(|reason| Refusal::Malformed(reason.to_owned()))?;
    if header.object {
        // Pieces of the graph are ranges of one source, so these objects are only looked at for what they call.
        let ran = machine::run(source, header.data, &mut Graph::default(), Setting::Alone, unknown, 0)?;
        let kept = object(graph, &header.dtype, header.shape)?;
        return Ok((kept, ran.end));
    }
    let element = Element::numpy(&header.dtype);
    let len = header.shape.iter().try_fold(header.item_size, |all, &size| all.checked_mul(size));
    let end = len.and_then(|len| len.checked_add(header.data)).filter(|&end| end <= source.len());
    let (Some(len), Some(end)) = (len, end) else { return malformed("the bytes end inside the array") };
    let Some((element, big_endian)) = element else {
        return Ok((object(graph, &header.dtype, header.shape)?, end));
    };
    let place = Place { source: source.clone(), start: header.data, len, big_endian };
    let storage = Storage { key: String::new(), declared: len, item: element.size, place: Some(place) };
    let storage = graph.add_storage(storage)?;
    let tensor = Tensor::contiguous(storage, element, 0, header.shape, header.fortran_order)?;
    Ok((graph.tensor(tensor)?, end))
}

/// An array of what no tensor holds: texts, dates, fields, Python objects. Its type and shape are kept.
fn object(graph: &mut Graph, dtype: &str, shape: Vec<u64>) -> Result<Value, Refusal> {
    let class = graph.global("numpy", "ndarray")?;
    let spelling = graph.node(Node::DataType(dtype.to_owned()))?;
    let sizes = shape.into_iter().map(|size| Value::Int(i64::try_from(size).unwrap_or(i64::MAX))).collect();
    let sizes = graph.node(Node::Tuple(sizes))?;
    let arguments = graph.node(Node::Tuple(vec![sizes, spelling]))?;
    let object =
        crate::graph::Object { class, arguments, state: Vec::new(), pairs: Vec::new(), items: Vec::new() };
    graph.left_out.push(format!("the values of an array of the data type `{}`", shown(dtype)));
    graph.node(Node::Object(Box::new(object)))
}
