//! What PyTorch's persistent ids name: storages, whole or in part.

use alnage_types::Source;

use crate::{
    element::Element,
    graph::{Graph, Node, Value},
    refusal::{Refusal, malformed, shown, unsupported},
};

/// `('storage', class, key, location, elements[, view])`, or in very old files `('module', class, …)`.
pub(crate) fn persistent(graph: &mut Graph, source: &dyn Source, id: Value) -> Result<Value, Refusal> {
    let Some(parts) = graph.items(id).map(<[Value]>::to_vec) else {
        return unsupported("a persistent id of an unknown kind");
    };
    let kind = parts.first().and_then(|kind| graph.text(source, *kind, 32)).unwrap_or_default();
    match (kind.as_str(), parts.as_slice()) {
        ("module", [_, class, ..]) => Ok(*class),
        ("storage", [_, Value::Global(class), key, _location, Value::Int(count), view @ ..]) => {
            let key = match key {
                Value::Int(key) => key.to_string(),
                key => match graph.text(source, *key, 4096) {
                    Some(key) => key,
                    None => return malformed("a storage's key is no text"),
                },
            };
            let class = graph.globals.get(*class as usize).map(|(_, name)| name.clone()).unwrap_or_default();
            let element = Element::of_storage(&class);
            if element.is_none() && !matches!(class.as_str(), "UntypedStorage" | "_UntypedStorage") {
                return unsupported(format!("storages of the class `{}`", shown(&class)));
            }
            let size = element.map_or(1, |element| element.size);
            let count = u64::try_from(*count).ok().and_then(|count| count.checked_mul(size));
            let Some(declared) = count else { return malformed("a storage of an impossible length") };
            let storage = graph.storage(&key, declared, size)?;
            let start = view_start(graph, view.first().copied(), size)?;
            graph.node(Node::Storage { storage, start, element: element.map(|element| element.name) })
        }
        _ => unsupported("a persistent id of an unknown kind"),
    }
}

/// `(key, offset, size)`: a part of the storage, as PyTorch before 0.4 could have.
fn view_start(graph: &Graph, view: Option<Value>, size: u64) -> Result<u64, Refusal> {
    let Some(parts) = view.and_then(|view| graph.items(view)) else { return Ok(0) };
    match parts {
        [_, Value::Int(offset), _] => {
            let start = u64::try_from(*offset).ok().and_then(|offset| offset.checked_mul(size));
            start.ok_or_else(|| Refusal::Malformed("a part of a storage at an impossible place".to_owned()))
        }
        _ => malformed("a part of a storage without its place"),
    }
}
