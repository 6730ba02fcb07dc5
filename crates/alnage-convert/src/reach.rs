//! Which values lead to tensors: only those are walked on every path, and plain data of any size costs nothing.

use crate::graph::{Graph, Node, Value};

/// Calls `each` with every node that `node` refers to.
fn children(node: &Node, mut each: impl FnMut(u32)) {
    let mut see = |value: &Value| {
        if let Value::Node(at) = value {
            each(*at);
        }
    };
    match node {
        Node::Tuple(items) | Node::List(items) | Node::Set(items) => items.iter().for_each(see),
        Node::Dict(pairs) => pairs.iter().for_each(|(_, value)| see(value)),
        Node::Object(object) => {
            see(&object.arguments);
            object.state.iter().for_each(&mut see);
            object.items.iter().for_each(&mut see);
            object.pairs.iter().for_each(|(_, value)| see(value));
        }
        Node::Composite(composite) => composite.parts.iter().for_each(|(_, value)| see(value)),
        Node::Tensor(_) | Node::Storage { .. } | Node::DataType(_) => {}
    }
}

/// For each node, whether a tensor is reached from it.
pub(crate) fn leading_to_tensors(graph: &Graph) -> Vec<bool> {
    let count = graph.nodes.len();
    // Parents of each node, as one list with where each node's part of it begins.
    let mut begins = vec![0_u32; count + 1];
    for node in &graph.nodes {
        children(node, |child| begins[child as usize + 1] += 1);
    }
    for at in 0..count {
        begins[at + 1] += begins[at];
    }
    let mut filled = begins.clone();
    let mut parents = vec![0_u32; begins.last().copied().unwrap_or(0) as usize];
    for (at, node) in graph.nodes.iter().enumerate() {
        children(node, |child| {
            let slot = &mut filled[child as usize];
            parents[*slot as usize] = at as u32;
            *slot += 1;
        });
    }
    let mut leads = vec![false; count];
    let tensors = graph.nodes.iter().enumerate().filter(|(_, node)| matches!(node, Node::Tensor(_)));
    let mut queue: Vec<u32> = tensors.map(|(at, _)| at as u32).collect();
    queue.iter().for_each(|at| leads[*at as usize] = true);
    while let Some(at) = queue.pop() {
        let (from, to) = (begins[at as usize] as usize, begins[at as usize + 1] as usize);
        for &parent in &parents[from..to] {
            if !std::mem::replace(&mut leads[parent as usize], true) {
                queue.push(parent);
            }
        }
    }
    leads
}

/// Whether a value is a container without anything in it.
pub(crate) fn is_empty(graph: &Graph, value: Value) -> bool {
    match graph.get(value) {
        Some(Node::Tuple(items) | Node::List(items) | Node::Set(items)) => items.is_empty(),
        Some(Node::Dict(pairs)) => pairs.is_empty(),
        _ => false,
    }
}
