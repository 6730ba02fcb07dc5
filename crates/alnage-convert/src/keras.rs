//! HDF5 weights, as Keras keeps them: alone, or inside a `.keras` archive with their configuration.

use std::sync::Arc;

use alnage_formats::{
    container::ZipMember,
    framework::{Hdf5Values, hdf5_arrays},
};
use alnage_types::{Meter, Reader, Source};

use crate::{
    element::Element,
    graph::{Graph, Node, Piece, Value},
    read::{Checksum, Read},
    refusal::{Refusal, shown, unsupported},
    tensor::{Place, Storage, Tensor},
};

/// What deflated chunks may grow by before they count as made of nothing.
const MAX_RATIO: u64 = 100;
/// Texts beside the weights that are longer are left out.
const MAX_TEXT: u64 = 16 << 20;

/// Reads an HDF5 file.
pub(crate) fn hdf5(source: &Arc<dyn Source>, meter: &mut Meter) -> Result<Read, Refusal> {
    let mut graph = Graph::default();
    let mut pairs = Vec::new();
    let attributes = datasets(source, &mut graph, &mut pairs, meter)?;
    let root = graph.node(Node::Dict(pairs))?;
    let mut read = Read::new("hdf5", "tf", source.clone(), graph, root);
    read.leave_out(attributes, "attributes, such as the model's configuration");
    Ok(read)
}

/// Reads a `.keras` archive.
pub(crate) fn zip(
    source: &Arc<dyn Source>,
    members: &[ZipMember],
    meter: &mut Meter,
) -> Result<Read, Refusal> {
    let Some(weights) = members.iter().find(|member| member.name == "model.weights.h5") else {
        return Err(Refusal::Nothing("it is a zip without a checkpoint that is known".to_owned()));
    };
    let open = |member: &ZipMember, meter: &mut Meter| {
        let opened = member.open(source, meter);
        opened.map_err(|reason| {
            Refusal::Malformed(format!("`{}` cannot be read: {reason}", shown(&member.name)))
        })
    };
    let mut graph = Graph::default();
    let mut pairs = Vec::new();
    let attributes = datasets(&open(weights, meter)?, &mut graph, &mut pairs, meter)?;
    let mut others = 0;
    let mut checksums = Vec::new();
    for member in members {
        if member.is_stored() {
            let (range, crc32) = (member.data.clone(), member.crc32);
            checksums.push(Checksum { name: member.name.clone(), range, crc32 });
        }
        if member.name == weights.name {
            continue;
        }
        if !member.name.ends_with(".json") || member.size > MAX_TEXT {
            others += usize::from(member.size > 0);
            continue;
        }
        let content = open(member, meter)?;
        let text = Reader::new(content.as_ref()).take(content.len());
        let text = text.map_err(|_| Refusal::Unreadable(format!("`{}`", shown(&member.name))))?;
        let name = graph.piece(Piece::Made(member.name.as_bytes().into()))?;
        let text = graph.piece(Piece::Made(text.into_owned().into()))?;
        pairs.push((Value::Text(name), Value::Text(text)));
    }
    let root = graph.node(Node::Dict(pairs))?;
    let mut read = Read::new("keras", "tf", source.clone(), graph, root);
    read.checksums = checksums;
    read.leave_out(attributes, "attributes of the weights");
    read.leave_out(others, "other members of the archive");
    Ok(read)
}

/// Adds every dataset of numbers under its path; gives how many attributes there are.
fn datasets(
    source: &Arc<dyn Source>,
    graph: &mut Graph,
    pairs: &mut Vec<(Value, Value)>,
    meter: &mut Meter,
) -> Result<usize, Refusal> {
    let (arrays, attributes) = hdf5_arrays(source, meter).map_err(Refusal::Malformed)?;
    for array in arrays {
        let Some((element, big_endian)) = array.dtype.and_then(Element::numpy) else {
            graph.left_out.push(format!("the dataset `{}`, which holds no numbers", shown(&array.path)));
            continue;
        };
        let bytes = array.shape.iter().try_fold(element.size, |all, &size| all.checked_mul(size));
        let len = bytes.unwrap_or(u64::MAX);
        let (source, start) = match array.values {
            Hdf5Values::At(range) => (source.clone(), range.start),
            Hdf5Values::Chunked { values, stored } => {
                let room = stored.min(source.len()).saturating_mul(MAX_RATIO);
                graph.not_stored = graph.not_stored.saturating_add(len.saturating_sub(room));
                (values, 0)
            }
            Hdf5Values::Absent(_) if bytes == Some(0) => (source.clone(), 0),
            Hdf5Values::Absent(why) => {
                return unsupported(format!("the dataset `{}`: {why}", shown(&array.path)));
            }
        };
        let place = Place { source, start, len, big_endian };
        let storage =
            Storage { key: array.path.clone(), declared: len, item: element.size, place: Some(place) };
        let storage = graph.add_storage(storage)?;
        let tensor = graph.tensor(Tensor::contiguous(storage, element, 0, array.shape, false)?)?;
        let name = graph.piece(Piece::Made(array.path.replace('/', ".").into_bytes().into()))?;
        pairs.push((Value::Text(name), tensor));
    }
    Ok(usize::try_from(attributes).unwrap_or(usize::MAX))
}
