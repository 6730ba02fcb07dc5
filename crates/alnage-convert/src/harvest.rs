//! Gives tensors their names: the path on which loading would find them, dots between its parts.

use std::collections::{HashMap, HashSet};

use crate::{
    graph::{Graph, Node, Value},
    reach,
    read::Read,
    refusal::Refusal,
    tensor::Tensor,
};

/// What else there is to know of a tensor that is written as several.
type Properties = Vec<(&'static str, String)>;

/// What was found in the graph.
#[derive(Debug, Default)]
pub(crate) struct Harvest {
    /// Names with the tensors' indices, each view of a storage once, in the order of the source.
    pub(crate) tensors: Vec<(String, u32)>,
    /// Further names, each with the name it is an alias of.
    pub(crate) aliases: Vec<(String, String)>,
    /// What stands for a tensor in the side-car.
    pub(crate) names: HashMap<u32, String>,
    /// Layouts of tensors that are written as several: name, layout, properties.
    pub(crate) layouts: Vec<(String, String, Properties)>,
    /// The same for the side-car, by node.
    pub(crate) composites: HashMap<u32, String>,
    /// Whether there is more than tensors, their names and the containers around them.
    pub(crate) has_state: bool,
    /// What the names leave out, when all tensors stand under one key: `state_dict`.
    pub(crate) unwrapped: Option<String>,
}

/// Values that are looked at; what is reached on several paths is looked at several times.
const MAX_VISITS: u64 = 5_000_000;
/// How deep values may nest.
const MAX_DEPTH: u32 = 256;
/// Bytes of all names.
const MAX_NAMES: usize = 32 << 20;

/// Keys under which checkpoints keep the state of a model.
const WRAPPERS: &[&str] = &[
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "net",
    "module",
    "network",
    "weights",
    "params",
];

/// A value still to be looked at.
struct Visit {
    value: Value,
    path: u32,
    /// A second way to what a module holds, by an attribute that its state leaves out.
    aside: bool,
}

/// A part of a path; index of the path before it.
struct Step {
    before: u32,
    depth: u32,
    name: String,
    node: Option<u32>,
}

struct Walk<'a> {
    graph: &'a Graph,
    leads: Vec<bool>,
    read: &'a Read,
    steps: Vec<Step>,
    queue: Vec<Visit>,
    found: Harvest,
    views: HashMap<View, String>,
    taken: HashSet<String>,
    named_bytes: usize,
}

/// What makes two tensors one: the same elements of the same storage in the same order.
type View = (u32, u64, &'static str, Vec<(u64, u64)>, bool, bool);

fn view(tensor: &Tensor) -> View {
    let sizes = tensor.shape.iter().zip(&tensor.strides);
    let sizes = sizes.map(|(&size, &stride)| (size, if size == 1 { 0 } else { stride })).collect();
    (tensor.storage, tensor.start, tensor.element.name, sizes, tensor.conjugate, tensor.negative)
}

/// Names the tensors of what was read.
pub(crate) fn harvest(read: &Read) -> Result<Harvest, Refusal> {
    let mut walk = Walk {
        graph: &read.graph,
        leads: reach::leading_to_tensors(&read.graph),
        read,
        steps: vec![Step { before: 0, depth: 0, name: String::new(), node: None }],
        queue: vec![Visit { value: read.root, path: 0, aside: false }],
        found: Harvest { has_state: !read.graph.attributes.is_empty(), ..Harvest::default() },
        views: HashMap::new(),
        taken: HashSet::from(["__metadata__".to_owned()]),
        named_bytes: 0,
    };
    let mut visits = 0;
    while let Some(visit) = walk.queue.pop() {
        visits += 1;
        if visits > MAX_VISITS {
            return Err(Refusal::Limit("max-steps"));
        }
        walk.visit(visit)?;
    }
    let mut found = walk.found;
    unwrap(read, &mut found);
    Ok(found)
}

impl Walk<'_> {
    fn visit(&mut self, Visit { value, path, aside }: Visit) -> Result<(), Refusal> {
        let Value::Node(at) = value else {
            self.found.has_state = true;
            return Ok(());
        };
        match self.graph.get(value) {
            Some(Node::Tensor(tensor)) => return self.tensor(*tensor, path, "", aside).map(drop),
            Some(Node::Composite(composite)) => {
                let name = self.name(path);
                let mut first = None;
                for (suffix, part) in &composite.parts {
                    if let Some(Node::Tensor(tensor)) = self.graph.get(*part) {
                        let known = self.tensor(*tensor, path, suffix, aside)?;
                        first.get_or_insert(known);
                    }
                }
                self.found.composites.entry(at).or_insert_with(|| name.clone());
                self.found.layouts.push((name, composite.layout.clone(), composite.properties.clone()));
                return Ok(());
            }
            _ => {}
        }
        if self.is_inside(path, at) {
            // A value that holds itself; its tensors have their names from the first round.
            return Ok(());
        }
        let depth = self.steps[path as usize].depth;
        if depth >= MAX_DEPTH {
            return Err(Refusal::Limit("max-depth"));
        }
        let first = self.queue.len();
        match self.graph.get(value) {
            Some(Node::Tuple(items) | Node::List(items) | Node::Set(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.push(*item, path, index.to_string(), at, aside)?;
                }
            }
            Some(Node::Dict(pairs)) => self.dictionary(pairs, path, at, aside)?,
            Some(Node::Object(object)) => {
                self.found.has_state = true;
                for state in object.state.iter().copied().chain([object.arguments]) {
                    self.state(state, path, at, aside)?;
                }
                self.dictionary(&object.pairs, path, at, aside)?;
                for (index, item) in object.items.iter().enumerate() {
                    self.push(*item, path, index.to_string(), at, aside)?;
                }
            }
            _ => self.found.has_state = true,
        }
        // The queue gives the last first, and names go by the order of the source.
        self.queue[first..].reverse();
        Ok(())
    }

    /// The state of an object: a module's parameters, buffers and modules without those words between; or whatever
    /// attributes it has. A pair of attributes and slots counts as both.
    fn state(&mut self, state: Value, path: u32, node: u32, aside: bool) -> Result<(), Refusal> {
        let Some(pairs) = self.graph.pairs(state) else {
            let items = self.graph.items(state).unwrap_or_default();
            for (index, item) in items.iter().enumerate() {
                let name = if items.len() == 1 { String::new() } else { index.to_string() };
                match self.graph.pairs(*item) {
                    Some(pairs) => self.dictionary(pairs, path, node, aside)?,
                    None => self.push(*item, path, name, node, aside)?,
                }
            }
            return Ok(());
        };
        const OWN: [&str; 3] = ["_parameters", "_buffers", "_modules"];
        let key = |value: &Value| self.graph.text(self.read.source.as_ref(), *value, 64).unwrap_or_default();
        let is_module = pairs.iter().any(|(name, _)| key(name) == OWN[0]);
        if !is_module {
            return self.dictionary(pairs, path, node, aside);
        }
        let (own, other): (Vec<_>, Vec<_>) =
            pairs.iter().partition(|(name, _)| OWN.contains(&key(name).as_str()));
        for (_, held) in &own {
            if let Some(held) = self.graph.pairs(*held) {
                self.dictionary(held, path, node, aside)?;
            }
        }
        self.dictionary(&other, path, node, true)
    }

    fn dictionary(
        &mut self,
        pairs: &[(Value, Value)],
        path: u32,
        node: u32,
        aside: bool,
    ) -> Result<(), Refusal> {
        let mut last: HashMap<String, usize> = HashMap::new();
        let mut named: Vec<(String, Value)> = Vec::new();
        for (index, (key, value)) in pairs.iter().enumerate() {
            let name = match key {
                Value::Int(number) => number.to_string(),
                key => match self.graph.text(self.read.source.as_ref(), *key, 4096) {
                    Some(name) => name,
                    None => format!("#{index}"),
                },
            };
            // A key that is set again keeps its place and takes the new value.
            match last.get(&name) {
                Some(&at) => named[at].1 = *value,
                None => {
                    last.insert(name.clone(), named.len());
                    named.push((name, *value));
                }
            }
        }
        for (name, value) in named {
            self.push(value, path, name, node, aside)?;
        }
        Ok(())
    }

    fn push(&mut self, value: Value, path: u32, name: String, node: u32, aside: bool) -> Result<(), Refusal> {
        let leads = matches!(value, Value::Node(at) if self.leads.get(at as usize) == Some(&true));
        if !leads {
            // Absent parameters and empty containers are no state.
            self.found.has_state |= value != Value::None && !reach::is_empty(self.graph, value);
            return Ok(());
        }
        self.named_bytes += size_of::<Step>() + name.len();
        if self.named_bytes > 2 * MAX_NAMES {
            return Err(Refusal::Limit("max-nodes"));
        }
        let depth = self.steps[path as usize].depth + 1;
        self.steps.push(Step { before: path, depth, name, node: Some(node) });
        let path = u32::try_from(self.steps.len() - 1).map_err(|_| Refusal::Limit("max-nodes"))?;
        self.queue.push(Visit { value, path, aside });
        Ok(())
    }

    fn is_inside(&self, mut path: u32, node: u32) -> bool {
        while path != 0 {
            let step = &self.steps[path as usize];
            if step.node == Some(node) {
                return true;
            }
            path = step.before;
        }
        false
    }

    fn name(&self, mut path: u32) -> String {
        let mut parts = Vec::new();
        while path != 0 {
            let step = &self.steps[path as usize];
            if !step.name.is_empty() {
                parts.push(step.name.as_str());
            }
            path = step.before;
        }
        parts.reverse();
        parts.join(".")
    }

    /// Names a tensor; gives the name that its bytes are written under.
    fn tensor(&mut self, index: u32, path: u32, suffix: &str, aside: bool) -> Result<String, Refusal> {
        let Some(tensor) = self.graph.tensors.get(index as usize) else { return Ok(String::new()) };
        let view = view(tensor);
        let known = if tensor.elements() == 0 { None } else { self.views.get(&view).cloned() };
        if let (Some(known), true) = (&known, aside) {
            self.found.names.entry(index).or_insert_with(|| known.clone());
            return Ok(known.clone());
        }
        let mut name = self.name(path);
        if name.is_empty() && suffix.is_empty() {
            name = "tensor".to_owned();
        }
        name.push_str(suffix);
        self.named_bytes += 3 * name.len() + 64;
        if self.named_bytes > 2 * MAX_NAMES {
            return Err(Refusal::Limit("max-nodes"));
        }
        let mut free = name.clone();
        let mut number = 2;
        while !self.taken.insert(free.clone()) {
            free = format!("{name}#{number}");
            number += 1;
        }
        match known {
            Some(known) => {
                self.found.names.entry(index).or_insert_with(|| known.clone());
                self.found.aliases.push((free, known.clone()));
                Ok(known)
            }
            None => {
                self.views.insert(view, free.clone());
                self.found.names.entry(index).or_insert_with(|| free.clone());
                self.found.tensors.push((free.clone(), index));
                Ok(free)
            }
        }
    }
}

/// Takes the key off the names under which a checkpoint keeps its model, when nothing else has tensors.
fn unwrap(read: &Read, found: &mut Harvest) {
    let Some(pairs) = read.graph.pairs(read.root) else { return };
    let holds_parts = |value: &Value| matches!(read.graph.get(*value), Some(Node::Dict(_) | Node::Object(_)));
    let keys: Vec<(String, bool)> = (pairs.iter())
        .filter_map(|(key, value)| {
            Some((read.graph.text(read.source.as_ref(), *key, 4096)?, holds_parts(value)))
        })
        .collect();
    let names =
        || found.tensors.iter().map(|(name, _)| name).chain(found.aliases.iter().map(|(name, _)| name));
    let stands_under = |name: &str, wrapper: &str| {
        name.strip_prefix(wrapper).is_some_and(|rest| rest.len() > 1 && rest.starts_with('.'))
    };
    let Some(wrapper) = WRAPPERS.iter().find(|wrapper| {
        keys.iter().any(|(key, holds_parts)| key == **wrapper && *holds_parts)
            && !keys.iter().any(|(key, _)| stands_under(key, wrapper))
            && names().next().is_some()
            && names().all(|name| stands_under(name, wrapper))
    }) else {
        return;
    };
    let cut = |name: &mut String| *name = name.get(wrapper.len() + 1..).unwrap_or_default().to_owned();
    found.tensors.iter_mut().for_each(|(name, _)| cut(name));
    found.aliases.iter_mut().for_each(|(name, target)| {
        cut(name);
        cut(target);
    });
    found.names.values_mut().for_each(cut);
    found.layouts.iter_mut().for_each(|(name, ..)| cut(name));
    found.composites.values_mut().for_each(cut);
    found.unwrapped = Some((*wrapper).to_owned());
}
