//! The side-car: everything a checkpoint holds besides tensors, as JSON.
//!
//! What JSON has no word for is an object with one key that begins with `$`; `docs/convert.md` lists them.

use std::{
    collections::{BTreeMap, HashMap},
    io::{self, Write},
};

use serde_json::Value as Json;

use crate::{
    graph::{Graph, Node, Value},
    harvest::Harvest,
    read::Read,
};

/// Texts and bytes longer than this are left out.
const MAX_TEXT: u64 = 1 << 20;

/// What is still to be written.
enum Task {
    Value(Value),
    Text(String),
    Fixed(&'static str),
}

struct Writer<'a> {
    graph: &'a Graph,
    read: &'a Read,
    harvest: &'a Harvest,
    attributes: HashMap<u32, Vec<Value>>,
    /// The number of each container that was written.
    seen: HashMap<u32, u64>,
    tasks: Vec<Task>,
    left_out: BTreeMap<String, u64>,
}

/// Writes the side-car; gives what it leaves out.
pub(crate) fn write(read: &Read, harvest: &Harvest, out: &mut dyn Write) -> io::Result<Vec<String>> {
    let mut attributes: HashMap<u32, Vec<Value>> = HashMap::new();
    for (target, state) in &read.graph.attributes {
        if let Value::Node(at) = target {
            attributes.entry(*at).or_default().push(*state);
        }
    }
    let mut writer = Writer {
        graph: &read.graph,
        read,
        harvest,
        attributes,
        seen: HashMap::new(),
        tasks: vec![Task::Fixed("\n"), Task::Value(read.root)],
        left_out: BTreeMap::new(),
    };
    while let Some(task) = writer.tasks.pop() {
        match task {
            Task::Fixed(text) => out.write_all(text.as_bytes())?,
            Task::Text(text) => out.write_all(text.as_bytes())?,
            Task::Value(value) => {
                let text = writer.value(value);
                out.write_all(text.as_bytes())?;
            }
        }
    }
    let counted = writer.left_out.into_iter();
    Ok(counted.map(|(what, count)| if count > 1 { format!("{count} × {what}") } else { what }).collect())
}

fn json(text: &str) -> String {
    Json::from(text).to_string()
}

impl Writer<'_> {
    /// The text of a value, or of its beginning; the rest is put on the tasks.
    fn value(&mut self, value: Value) -> String {
        match value {
            Value::None => "null".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::Int(number) => number.to_string(),
            Value::Float(number) if number.is_finite() => Json::from(number).to_string(),
            Value::Float(number) => format!("{{\"$float\":{}}}", json(&number.to_string())),
            Value::Long(piece) => {
                let mut bytes =
                    self.graph.bytes(self.read.source.as_ref(), piece, MAX_TEXT).unwrap_or_default();
                bytes.reverse();
                format!("{{\"$int\":\"0x{}\"}}", hex(&bytes))
            }
            Value::Digits(piece) => {
                let digits = self.graph.bytes(self.read.source.as_ref(), piece, MAX_TEXT).unwrap_or_default();
                format!("{{\"$int\":{}}}", json(&String::from_utf8_lossy(&digits)))
            }
            Value::Text(_) => match self.graph.text(self.read.source.as_ref(), value, MAX_TEXT) {
                Some(text) => json(&text),
                None => self.leave_out("a text of more than 1 MiB"),
            },
            Value::Bytes(piece) => match self.graph.bytes(self.read.source.as_ref(), piece, MAX_TEXT) {
                Some(bytes) => format!("{{\"$bytes\":\"{}\"}}", hex(&bytes)),
                None => self.leave_out("bytes, more than 1 MiB of them"),
            },
            Value::Global(at) => format!("{{\"$global\":{}}}", json(&self.graph.path(at))),
            Value::Node(at) => self.node(at),
        }
    }

    fn leave_out(&mut self, what: &str) -> String {
        *self.left_out.entry(what.to_owned()).or_insert(0) += 1;
        format!("{{\"$left_out\":{}}}", json(what))
    }

    fn node(&mut self, at: u32) -> String {
        let Some(node) = self.graph.nodes.get(at as usize) else { return "null".to_owned() };
        match node {
            Node::Tensor(tensor) => {
                let name = self.harvest.names.get(tensor).map_or("", String::as_str);
                return format!("{{\"$tensor\":{}}}", json(name));
            }
            Node::Composite(_) => {
                let name = self.harvest.composites.get(&at).map_or("", String::as_str);
                return format!("{{\"$tensor\":{}}}", json(name));
            }
            Node::Storage { storage, .. } => {
                let key =
                    self.graph.storages.get(*storage as usize).map_or("", |storage| storage.key.as_str());
                let what = format!("the storage `{}`, which is no tensor", crate::refusal::shown(key));
                return self.leave_out(&what);
            }
            Node::DataType(spelling) => return format!("{{\"$dtype\":{}}}", json(spelling)),
            _ => {}
        }
        if let Some(number) = self.seen.get(&at) {
            return format!("{{\"$ref\":{number}}}");
        }
        self.seen.insert(at, self.seen.len() as u64);
        match node {
            Node::List(items) => self.list("[", items, "]"),
            Node::Tuple(items) => self.list("{\"$tuple\":[", items, "]}"),
            Node::Set(items) => self.list("{\"$set\":[", items, "]}"),
            Node::Dict(pairs) => match self.attributes.remove(&at) {
                None => self.dictionary(pairs),
                Some(states) => {
                    self.tasks.push(Task::Fixed("]}"));
                    self.listed(&states);
                    self.tasks.push(Task::Fixed(",\"attributes\":["));
                    let begun = self.dictionary(pairs);
                    format!("{{\"$dict_with_attributes\":{begun}")
                }
            },
            Node::Object(object) => {
                let mut more: Vec<(&'static str, &[Value])> = Vec::new();
                if !object.state.is_empty() {
                    more.push((",\"state\":[", &object.state));
                }
                if !object.items.is_empty() {
                    more.push((",\"items\":[", &object.items));
                }
                self.tasks.push(Task::Fixed("}"));
                if !object.pairs.is_empty() {
                    let begun = self.dictionary(&object.pairs);
                    self.tasks.push(Task::Text(begun));
                    self.tasks.push(Task::Fixed(",\"entries\":"));
                }
                for (name, values) in more.into_iter().rev() {
                    self.tasks.push(Task::Fixed("]"));
                    self.listed(values);
                    self.tasks.push(Task::Fixed(name));
                }
                self.tasks.push(Task::Value(object.arguments));
                format!("{{\"$object\":{},\"arguments\":", json(&self.graph.path(object.class)))
            }
            _ => "null".to_owned(),
        }
    }

    fn list(&mut self, open: &str, items: &[Value], close: &'static str) -> String {
        self.tasks.push(Task::Fixed(close));
        self.listed(items);
        open.to_owned()
    }

    fn listed(&mut self, items: &[Value]) {
        for (index, item) in items.iter().enumerate().rev() {
            self.tasks.push(Task::Value(*item));
            if index > 0 {
                self.tasks.push(Task::Fixed(","));
            }
        }
    }

    /// An object when all keys are texts that begin with no `$`, else a list of pairs.
    fn dictionary(&mut self, pairs: &[(Value, Value)]) -> String {
        let text = |key: &Value| self.graph.text(self.read.source.as_ref(), *key, 4096);
        let keys: Vec<Option<String>> = pairs.iter().map(|(key, _)| text(key)).collect();
        let plain: Option<Vec<String>> =
            keys.into_iter().map(|key| key.filter(|key| !key.starts_with('$'))).collect();
        let Some(keys) = plain else {
            self.tasks.push(Task::Fixed("]}"));
            for (index, (key, value)) in pairs.iter().enumerate().rev() {
                let parts = [
                    Task::Fixed("]"),
                    Task::Value(*value),
                    Task::Fixed(","),
                    Task::Value(*key),
                    Task::Fixed(if index > 0 { ",[" } else { "[" }),
                ];
                self.tasks.extend(parts);
            }
            return "{\"$dict\":[".to_owned();
        };
        // Of a key that is set twice the last value counts.
        let mut last: HashMap<&str, usize> = HashMap::new();
        keys.iter().enumerate().for_each(|(index, key)| _ = last.insert(key, index));
        let kept: Vec<usize> =
            (0..pairs.len()).filter(|index| last.get(keys[*index].as_str()) == Some(index)).collect();
        self.tasks.push(Task::Fixed("}"));
        for (order, &index) in kept.iter().enumerate().rev() {
            self.tasks.push(Task::Value(pairs[index].1));
            let comma = if order > 0 { "," } else { "" };
            self.tasks.push(Task::Text(format!("{comma}{}:", json(&keys[index]))));
        }
        "{".to_owned()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
