//! PyTorch's first files: a tar of storages, tensors and a pickle that names them by number.

use std::{ops::Range, sync::Arc};

use alnage_types::{Reader, Source, WindowSource};

use crate::{
    element::Element,
    graph::{Graph, Node, Value},
    machine::{self, Setting, UnknownCalls},
    read::Read,
    refusal::{Refusal, malformed, unsupported},
    tensor::Tensor,
    torch,
};

/// Most storages and tensors that are read.
const MOST: i64 = 1_000_000;

/// Whether a tar holds what PyTorch would load.
pub(crate) fn is_checkpoint(members: &[(String, Range<u64>)]) -> bool {
    ["storages", "tensors", "pickle"].iter().all(|name| members.iter().any(|(member, _)| member == name))
}

/// Reads the tar.
pub(crate) fn read(
    source: &Arc<dyn Source>,
    members: &[(String, Range<u64>)],
    unknown: UnknownCalls,
) -> Result<Read, Refusal> {
    let find = |name: &str| -> Result<Arc<dyn Source>, Refusal> {
        let Some((_, range)) = members.iter().find(|(member, _)| member == name) else {
            return malformed(format!("no `{name}`"));
        };
        Ok(Arc::new(WindowSource::new(source.clone(), range.start, range.end - range.start)))
    };
    let mut graph = Graph::default();
    storages(&find("storages")?, &mut graph)?;
    tensors(&find("tensors")?, &mut graph)?;
    let pickle = find("pickle")?;
    let ran = machine::run(&pickle, 0, &mut graph, Setting::Tar, unknown, 0)
        .map_err(|refusal| torch::in_member(refusal, "pickle"))?;
    Ok(Read::new("pytorch-tar", "pt", pickle, graph, ran.root))
}

/// A pickle of plain data at `at`: its value and where it ends.
fn plain(source: &Arc<dyn Source>, at: u64, graph: &mut Graph) -> Result<(Value, u64), Refusal> {
    let ran = machine::run(source, at, graph, Setting::Alone, UnknownCalls::Refused, 0)?;
    Ok((ran.root, ran.end))
}

fn count(value: Value) -> Result<i64, Refusal> {
    match value {
        Value::Int(count @ 0..=MOST) => Ok(count),
        _ => malformed("a count that is no count"),
    }
}

fn storages(source: &Arc<dyn Source>, graph: &mut Graph) -> Result<(), Refusal> {
    let (number, mut at) = plain(source, 0, graph)?;
    for _ in 0..count(number)? {
        let (description, after) = plain(source, at, graph)?;
        let Some(&[Value::Int(key), _location, Value::Global(class)]) = graph.items(description) else {
            return malformed("a storage without key, location and class");
        };
        let class = graph.globals.get(class as usize).map(|(_, name)| name.clone()).unwrap_or_default();
        let Some(element) = Element::of_storage(&class) else {
            return unsupported("storages of another class");
        };
        let elements = Reader::at(source.as_ref(), after).u64le().ok();
        let Some(declared) = elements.and_then(|elements| elements.checked_mul(element.size)) else {
            return malformed("a storage of an impossible length");
        };
        let storage = graph.storage(&key.to_string(), declared, element.size)?;
        let Some(slot) = graph.storages.get_mut(storage as usize) else {
            return malformed("no such storage");
        };
        at = torch::place_storage(source, after, slot, false)?;
        let node = graph.node(Node::Storage { storage, start: 0, element: Some(element.name) })?;
        graph.known.insert(key, node);
    }
    let (views, _) = plain(source, at, graph)?;
    for view in graph.items(views).unwrap_or_default().to_vec() {
        let Some(&[Value::Int(target), Value::Int(root), Value::Int(offset), Value::Int(_)]) =
            graph.items(view)
        else {
            return malformed("a view of a storage without its place");
        };
        let Some(Node::Storage { storage, element, .. }) =
            graph.known.get(&root).and_then(|root| graph.get(*root)).cloned()
        else {
            return malformed("a view of a storage that is not there");
        };
        let size = element.and_then(Element::named).map_or(1, |element| element.size);
        let start = u64::try_from(offset).ok().and_then(|offset| offset.checked_mul(size));
        let Some(start) = start else { return malformed("a view of a storage at an impossible place") };
        let node = graph.node(Node::Storage { storage, start, element })?;
        graph.known.insert(target, node);
    }
    Ok(())
}

fn tensors(source: &Arc<dyn Source>, graph: &mut Graph) -> Result<(), Refusal> {
    let (number, mut at) = plain(source, 0, graph)?;
    for _ in 0..count(number)? {
        let (description, after) = plain(source, at, graph)?;
        let Some(&[Value::Int(key), Value::Int(storage), Value::Global(_)]) = graph.items(description) else {
            return malformed("a tensor without key, storage and class");
        };
        let Some(&Node::Storage { storage, start, element: Some(element) }) =
            graph.known.get(&storage).and_then(|storage| graph.get(*storage))
        else {
            return malformed("a tensor of a storage that is not there");
        };
        let Some(element) = Element::named(element) else { return malformed("a tensor without a type") };
        let mut reader = Reader::at(source.as_ref(), after);
        let read = |reader: &mut Reader<'_>| -> Option<(Vec<u64>, Vec<u64>, u64)> {
            let dimensions = reader.i32le().ok().filter(|dimensions| (0..=64).contains(dimensions))?;
            reader.skip(4).ok()?;
            let mut sizes = || (0..dimensions).map(|_| reader.u64le().ok()).collect::<Option<Vec<u64>>>();
            let (shape, strides) = (sizes()?, sizes()?);
            Some((shape, strides, reader.u64le().ok()?))
        };
        let Some((shape, strides, offset)) = read(&mut reader) else {
            return malformed("the bytes end inside a tensor's description");
        };
        let start = offset.checked_mul(element.size).and_then(|offset| offset.checked_add(start));
        let Some(start) = start else { return malformed("a tensor at an impossible place") };
        let tensor = Tensor { storage, element, start, shape, strides, conjugate: false, negative: false };
        let value = graph.tensor(tensor)?;
        graph.known.insert(key, value);
        at = reader.position();
    }
    Ok(())
}
