//! The objects that loading would make, as a graph without behaviour: values by index, so that what is one object
//! stays one object.

use std::{collections::HashMap, ops::Range};

use alnage_types::{Reader, Source};

use crate::{
    refusal::Refusal,
    tensor::{Storage, Tensor},
};

/// A value; what has parts is an index.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// An integer of more than 64 bits, by its bytes.
    Long(u32),
    /// The same in decimal digits, as a text.
    Digits(u32),
    Text(u32),
    Bytes(u32),
    /// A class or function, by name.
    Global(u32),
    Node(u32),
}

/// A value with parts.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    Tuple(Vec<Value>),
    List(Vec<Value>),
    Set(Vec<Value>),
    Dict(Vec<(Value, Value)>),
    Object(Box<Object>),
    /// A whole storage, or a part of one: the byte where it begins, and its element where it has one.
    Storage {
        storage: u32,
        start: u64,
        element: Option<&'static str>,
    },
    Tensor(u32),
    Composite(Box<Composite>),
    /// `numpy.dtype(…)`.
    DataType(String),
}

/// An instance of a class of which nothing but its state is known.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) class: u32,
    pub(crate) arguments: Value,
    pub(crate) state: Vec<Value>,
    pub(crate) pairs: Vec<(Value, Value)>,
    pub(crate) items: Vec<Value>,
}

/// A tensor that is written as several.
#[derive(Debug, Clone)]
pub(crate) struct Composite {
    /// What it is: `quantized`, `sparse_coo`.
    pub(crate) layout: String,
    /// The tensors, each with what is added to the name.
    pub(crate) parts: Vec<(&'static str, Value)>,
    /// What else there is to know, for `__metadata__`.
    pub(crate) properties: Vec<(&'static str, String)>,
}

/// A text or bytes.
#[derive(Debug, Clone)]
pub(crate) enum Piece {
    At(Range<u64>),
    Made(Box<[u8]>),
}

/// Everything loading would make.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) globals: Vec<(String, String)>,
    pub(crate) storages: Vec<Storage>,
    pub(crate) tensors: Vec<Tensor>,
    /// What could not be kept.
    pub(crate) left_out: Vec<String>,
    /// What persistent numbers name.
    pub(crate) known: HashMap<i64, Value>,
    /// What dictionaries were given besides their items.
    pub(crate) attributes: Vec<(Value, Value)>,
    /// Bytes of the storages that come of nothing in the source.
    pub(crate) not_stored: u64,
    by_name: HashMap<(String, String), u32>,
    by_key: HashMap<String, u32>,
    /// Bytes kept, roughly.
    weight: usize,
}

/// Bytes that a graph may take.
const MAX_WEIGHT: usize = 96 << 20;

fn index(len: usize) -> Result<u32, Refusal> {
    u32::try_from(len).map_err(|_| Refusal::Limit("max-nodes"))
}

impl Graph {
    /// Counts `bytes` that are about to be kept.
    pub(crate) fn keep(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.weight = self.weight.saturating_add(bytes);
        if self.weight > MAX_WEIGHT { Err(Refusal::Limit("max-nodes")) } else { Ok(()) }
    }

    pub(crate) fn node(&mut self, node: Node) -> Result<Value, Refusal> {
        self.keep(size_of::<Node>())?;
        self.nodes.push(node);
        Ok(Value::Node(index(self.nodes.len() - 1)?))
    }

    pub(crate) fn get(&self, value: Value) -> Option<&Node> {
        match value {
            Value::Node(at) => self.nodes.get(at as usize),
            _ => None,
        }
    }

    pub(crate) fn get_mut(&mut self, value: Value) -> Option<&mut Node> {
        match value {
            Value::Node(at) => self.nodes.get_mut(at as usize),
            _ => None,
        }
    }

    pub(crate) fn piece(&mut self, piece: Piece) -> Result<u32, Refusal> {
        let own = if let Piece::Made(bytes) = &piece { bytes.len() } else { 0 };
        self.keep(size_of::<Piece>() + own)?;
        self.pieces.push(piece);
        index(self.pieces.len() - 1)
    }

    pub(crate) fn global(&mut self, module: &str, name: &str) -> Result<u32, Refusal> {
        let key = (module.to_owned(), name.to_owned());
        if let Some(&at) = self.by_name.get(&key) {
            return Ok(at);
        }
        self.keep(128 + 2 * (module.len() + name.len()))?;
        let at = index(self.globals.len())?;
        self.globals.push(key.clone());
        self.by_name.insert(key, at);
        Ok(at)
    }

    /// `module.name`.
    pub(crate) fn path(&self, global: u32) -> String {
        self.globals
            .get(global as usize)
            .map_or_else(String::new, |(module, name)| format!("{module}.{name}"))
    }

    /// The storage `key`, made when it is new; its length in bytes is `declared`.
    pub(crate) fn storage(&mut self, key: &str, declared: u64, item: u64) -> Result<u32, Refusal> {
        if let Some(&at) = self.by_key.get(key) {
            let known = &mut self.storages[at as usize];
            // PyTorch allocates a storage when it is named first; one that grows later would be read past its end.
            if known.declared < declared {
                return Err(Refusal::Malformed(format!("storage `{key}` has two lengths")));
            }
            return Ok(at);
        }
        let at = self.add_storage(Storage { key: key.to_owned(), declared, item, place: None })?;
        self.by_key.insert(key.to_owned(), at);
        Ok(at)
    }

    pub(crate) fn add_storage(&mut self, storage: Storage) -> Result<u32, Refusal> {
        self.keep(size_of::<Storage>() + 3 * storage.key.len() + 64)?;
        self.storages.push(storage);
        index(self.storages.len() - 1)
    }

    /// Keeps a tensor once its view is known to be possible.
    pub(crate) fn tensor(&mut self, tensor: Tensor) -> Result<Value, Refusal> {
        let end = tensor.end()?;
        let declared = self.storages.get(tensor.storage as usize).map_or(0, |storage| storage.declared);
        if end > declared {
            return Err(Refusal::Malformed(format!(
                "a tensor reaches to byte {end} of a storage of {declared} bytes"
            )));
        }
        self.keep(size_of::<Tensor>() + 16 * tensor.shape.len())?;
        self.tensors.push(tensor);
        let at = index(self.tensors.len() - 1)?;
        self.node(Node::Tensor(at))
    }

    /// The bytes of a piece, when they are at most `max`.
    pub(crate) fn bytes(&self, source: &dyn Source, piece: u32, max: u64) -> Option<Vec<u8>> {
        match self.pieces.get(piece as usize)? {
            Piece::At(range) if range.end - range.start <= max => Reader::at(source, range.start)
                .take(range.end - range.start)
                .ok()
                .map(|bytes| bytes.into_owned()),
            Piece::Made(bytes) if bytes.len() as u64 <= max => Some(bytes.to_vec()),
            _ => None,
        }
    }

    /// A text of at most `max` bytes.
    pub(crate) fn text(&self, source: &dyn Source, value: Value, max: u64) -> Option<String> {
        let Value::Text(piece) = value else { return None };
        self.bytes(source, piece, max).map(|bytes| match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        })
    }

    /// The items of a tuple or list.
    pub(crate) fn items(&self, value: Value) -> Option<&[Value]> {
        match self.get(value)? {
            Node::Tuple(items) | Node::List(items) => Some(items),
            _ => None,
        }
    }

    /// The pairs of a dictionary.
    pub(crate) fn pairs(&self, value: Value) -> Option<&[(Value, Value)]> {
        match self.get(value)? {
            Node::Dict(pairs) => Some(pairs),
            _ => None,
        }
    }

    /// Sizes: a tuple of integers, or `torch.Size` of one.
    pub(crate) fn sizes(&self, value: Value) -> Option<Vec<u64>> {
        let items = self.items(value)?;
        items
            .iter()
            .map(|item| match item {
                Value::Int(size) => u64::try_from(*size).ok(),
                _ => None,
            })
            .collect()
    }
}
