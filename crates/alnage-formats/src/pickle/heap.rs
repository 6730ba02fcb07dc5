//! The values of a symbolic run: small ones inline, the rest in an arena by index, nothing cloned.

use std::borrow::Cow;

use alnage_types::Source;

use super::tape::{Extent, fetch};

/// A value on the stack. Strings are ranges of the source or of the arena.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// An integer of more than 64 bits, little-endian two's complement.
    Long(u32, u64),
    /// A `str`, UTF-8 in bytes.
    Text(u32, u64),
    /// A `bytes`.
    Bytes(u32, u64),
    /// A `bytearray`, as long as nothing changes it.
    ByteArray(u32, u64),
    /// A `bytes`, `bytearray` or `str` too long for the above; index of its extent.
    Huge(u32),
    /// What the import system gives: a class, a function, a module (empty name). Index into the globals.
    Global(u32),
    /// Anything else, by index into the nodes.
    Node(u32),
    /// Not computed.
    Unknown,
}

/// A sequence of values, kept as a chain of chunks of the pool.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Items {
    first: u32,
    last: u32,
    /// How many values the program put in; more than are kept when plain data was dropped.
    pub(super) len: u64,
    /// Whether some plain values were not kept, or which comes when is not known.
    pub(super) dropped: bool,
}

impl Items {
    /// The same, `incomplete` or not in an order that is known.
    pub(super) fn dropped_if(self, incomplete: bool) -> Self {
        Self { dropped: self.dropped || incomplete, ..self }
    }
}

/// A value with parts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Node {
    Tuple(Items),
    List(Items),
    Set(Items),
    FrozenSet(Items),
    /// Keys and values alternate.
    Dict(Items),
    /// What a call gave back. `class` is the callee or the class a reconstructor was given.
    Instance {
        class: Value,
        arguments: Value,
        /// The states BUILD gave it.
        states: Items,
    },
    /// `getattr` on something that is not a global.
    Attribute {
        base: Value,
        name: Value,
    },
    /// `functools.partial(function, *arguments)`; also `types.MethodType(function, self)`.
    Partial {
        function: Value,
        arguments: Value,
    },
    /// `operator.attrgetter(*names)`.
    AttributeGetter(Value),
    /// `operator.itemgetter(*keys)`.
    ItemGetter(Value),
    /// `operator.methodcaller(name, *arguments)`: the whole argument tuple.
    MethodCaller(Value),
    /// `persistent_load(id)`.
    Persistent(Value),
    /// `globals()`-like: a module's dictionary.
    ModuleDict(Value),
}

struct Chunk {
    start: u32,
    len: u32,
    next: u32,
}

const IN_ARENA: u64 = 1 << 63;
/// Plain items kept in one container.
const KEPT_PLAIN: u64 = 4096;
/// Bytes of short strings copied from a source that is not in memory.
const MAX_ARENA: usize = 24 << 20;
const SHORT: u64 = 1024;

/// All values of a run.
#[derive(Default)]
pub(super) struct Heap {
    nodes: Vec<Node>,
    chunks: Vec<Chunk>,
    pool: Vec<Value>,
    arena: Vec<u8>,
    huge: Vec<Extent>,
    /// Where computed strings begin in the arena, rising.
    computed: Vec<u64>,
}

impl Heap {
    /// An empty heap with room for a small pickle: most are, and growing step by step costs more than they do.
    pub(super) fn new() -> Self {
        Self {
            nodes: Vec::with_capacity(16),
            chunks: Vec::with_capacity(16),
            pool: Vec::with_capacity(64),
            ..Self::default()
        }
    }

    pub(super) fn clear(&mut self) {
        self.nodes.clear();
        self.chunks.clear();
        self.pool.clear();
        self.arena.clear();
        self.huge.clear();
        self.computed.clear();
    }

    /// How much is kept, in units of about 50 bytes.
    pub(super) fn weight(&self) -> u64 {
        (self.nodes.len() + self.pool.len() / 3 + self.chunks.len() / 4 + self.arena.len() / 64) as u64
    }

    pub(super) fn node(&mut self, node: Node) -> Value {
        self.nodes.push(node);
        Value::Node((self.nodes.len() - 1) as u32)
    }

    pub(super) fn get(&self, value: Value) -> Option<Node> {
        match value {
            Value::Node(at) => self.nodes.get(at as usize).copied(),
            _ => None,
        }
    }

    pub(super) fn set(&mut self, value: Value, node: Node) {
        if let Value::Node(at) = value
            && let Some(slot) = self.nodes.get_mut(at as usize)
        {
            *slot = node;
        }
    }

    /// A string value of the source's bytes at `extent`.
    pub(super) fn string(
        &mut self,
        source: &dyn Source,
        extent: Extent,
        make: fn(u32, u64) -> Value,
    ) -> Value {
        if extent.len >= u64::from(u32::MAX) {
            self.huge.push(extent);
            return Value::Huge((self.huge.len() - 1) as u32);
        }
        if source.as_bytes().is_none() && extent.len <= SHORT && self.arena.len() < MAX_ARENA {
            let bytes = fetch(source, extent, SHORT);
            return self.owned(&bytes, make);
        }
        make(extent.len as u32, extent.start)
    }

    /// A string value of computed bytes.
    pub(super) fn owned(&mut self, bytes: &[u8], make: fn(u32, u64) -> Value) -> Value {
        if self.arena.len() + bytes.len() > 2 * MAX_ARENA {
            return Value::Unknown;
        }
        let start = self.arena.len() as u64 | IN_ARENA;
        self.arena.extend_from_slice(bytes);
        make(bytes.len() as u32, start)
    }

    /// A string that a call gives back.
    pub(super) fn computed(&mut self, bytes: &[u8], make: fn(u32, u64) -> Value) -> Value {
        let value = self.owned(bytes, make);
        if let Value::Text(_, start) = value {
            self.computed.push(start);
        }
        value
    }

    /// Whether a string was given back by a call.
    pub(super) fn is_computed(&self, value: Value) -> bool {
        matches!(value, Value::Text(_, start) if self.computed.binary_search(&start).is_ok())
    }

    /// Where a string lies in the source, when it does.
    pub(super) fn extent(&self, value: Value) -> Option<Extent> {
        match value {
            Value::Text(len, start) | Value::Bytes(len, start) | Value::ByteArray(len, start)
                if start & IN_ARENA == 0 =>
            {
                Some(Extent { start, len: len.into() })
            }
            Value::Huge(at) => self.huge.get(at as usize).copied(),
            _ => None,
        }
    }

    /// The bytes of a string or long, at most `max` of them.
    pub(super) fn bytes<'a>(
        &'a self,
        source: &'a dyn Source,
        value: Value,
        max: u64,
    ) -> Option<Cow<'a, [u8]>> {
        let (Value::Text(len, start)
        | Value::Bytes(len, start)
        | Value::ByteArray(len, start)
        | Value::Long(len, start)) = value
        else {
            return None;
        };
        let len = u64::from(len);
        if start & IN_ARENA != 0 {
            let start = (start & !IN_ARENA) as usize;
            return self.arena.get(start..start + len.min(max) as usize).map(Cow::Borrowed);
        }
        Some(fetch(source, Extent { start, len }, max))
    }

    /// The text of a `str`; `None` when it is longer than `max` bytes.
    pub(super) fn text<'a>(&'a self, source: &'a dyn Source, value: Value, max: u32) -> Option<Cow<'a, str>> {
        match value {
            Value::Text(len, _) if len <= max => Some(match self.bytes(source, value, max.into())? {
                Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
                Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
            }),
            _ => None,
        }
    }

    pub(super) fn items(&self, items: Items) -> impl Iterator<Item = Value> + '_ {
        let mut next = items.first;
        std::iter::from_fn(move || {
            let chunk = self.chunks.get(next.checked_sub(1)? as usize)?;
            next = chunk.next;
            Some(&self.pool[chunk.start as usize..(chunk.start + chunk.len) as usize])
        })
        .flatten()
        .copied()
    }

    /// A sequence of `values`, all of them kept.
    pub(super) fn sequence(&mut self, values: &[Value]) -> Items {
        let mut items = Items::default();
        self.push_chunk(&mut items, values);
        items.len = values.len() as u64;
        items
    }

    /// A tuple of `values`.
    pub(super) fn tuple(&mut self, values: &[Value]) -> Value {
        let items = self.sequence(values);
        self.node(Node::Tuple(items))
    }

    /// Adds `values` to `items`, keeping only some of long runs of plain data; `width` values belong together.
    pub(super) fn extend(&mut self, items: &mut Items, values: &[Value], width: usize) {
        items.len += values.len() as u64;
        if items.len <= KEPT_PLAIN {
            return self.push_chunk(items, values);
        }
        for group in values.chunks(width) {
            if group.iter().copied().all(is_plain) {
                items.dropped = true;
            } else {
                self.push_chunk(items, group);
            }
        }
    }

    fn push_chunk(&mut self, items: &mut Items, values: &[Value]) {
        if values.is_empty() {
            return;
        }
        let start = self.pool.len() as u32;
        self.pool.extend_from_slice(values);
        if let Some(last) = items.last.checked_sub(1).and_then(|at| self.chunks.get_mut(at as usize))
            && last.start + last.len == start
        {
            last.len += values.len() as u32;
            return;
        }
        self.chunks.push(Chunk { start, len: values.len() as u32, next: 0 });
        let at = self.chunks.len() as u32;
        match items.last.checked_sub(1).and_then(|last| self.chunks.get_mut(last as usize)) {
            Some(last) => last.next = at,
            None => items.first = at,
        }
        items.last = at;
    }

    /// How many times the innermost value is reached when the containers are walked that hold the same container
    /// several times: the measure of a reference bomb.
    pub(super) fn expansion(&self) -> f64 {
        const LOOKED_AT: usize = 256;
        let mut reached: Vec<f64> = Vec::with_capacity(self.nodes.len());
        let mut most: f64 = 1.0;
        for node in &self.nodes {
            let own = match *node {
                Node::Tuple(items)
                | Node::List(items)
                | Node::Set(items)
                | Node::FrozenSet(items)
                | Node::Dict(items) => {
                    let mut child = None;
                    let mut times = 0;
                    for item in self.items(items).take(LOOKED_AT) {
                        match (item, child) {
                            (Value::Node(at), None) => (child, times) = (Some(at), 1),
                            (Value::Node(at), Some(first)) if at == first => times += 1,
                            _ => {}
                        }
                    }
                    let below = child.and_then(|at| reached.get(at as usize)).copied().unwrap_or(1.0);
                    below * f64::from(times.max(1))
                }
                _ => 1.0,
            };
            most = most.max(own);
            reached.push(own);
        }
        most
    }

    /// The items of a tuple or list.
    pub(super) fn elements(&self, value: Value) -> Option<Items> {
        match self.get(value)? {
            Node::Tuple(items) | Node::List(items) | Node::Set(items) | Node::FrozenSet(items) => Some(items),
            _ => None,
        }
    }

    /// The pairs of a dictionary.
    pub(super) fn pairs(&self, items: Items) -> impl Iterator<Item = (Value, Value)> + '_ {
        let mut values = self.items(items);
        std::iter::from_fn(move || Some((values.next()?, values.next()?)))
    }
}

/// Whether a value is data through and through.
pub(super) fn is_plain(value: Value) -> bool {
    !matches!(value, Value::Global(_) | Value::Node(_) | Value::Unknown)
}
