//! The language part of an R file: cells of lists and calls, and the calls put together again from them.

use std::{
    collections::{BTreeMap, HashMap},
    rc::Rc,
};

use serde::Serialize;

use super::{super::text::short, RFacts, function::RFunction};

/// A call in a function, a promise or a language object.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RCall {
    /// The function: `system`, without its package. Empty when the function is itself computed.
    pub function: String,
    /// The package that is named with it: `base` of `base::system`.
    pub package: Option<String>,
    /// The first arguments.
    pub arguments: Vec<RArgument>,
    /// The call as R would print it, shortened.
    pub text: String,
    /// `function`, `promise` or `data`.
    pub region: &'static str,
    /// Where it starts in the file.
    pub offset: u64,
}

/// An argument of a call.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind", content = "value")]
pub enum RArgument {
    /// A symbol.
    Name(String),
    /// A text, shortened.
    Text(String),
    /// A call of this function.
    Call(String),
    /// Something else.
    Other,
}

/// A promise that nobody has evaluated yet: whoever touches it runs its call.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RPromise {
    /// The call, shortened.
    pub call: String,
    /// The functions that are called in it; empty text for one that is computed. At most 32.
    pub functions: Vec<String>,
    /// Whether it stands where R itself never writes one: as the object itself, in a list or an attribute. In
    /// environments they are the arguments of functions that have not been used.
    pub planted: bool,
    /// Where it starts in the file.
    pub offset: u64,
}

/// What code surrounds an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Region {
    Data,
    Function,
    Promise,
}

/// Whether an object belongs to the frame of an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frame {
    Outside,
    /// The frame, or the hash table of frames.
    Table,
    /// The value of a variable.
    Binding,
}

/// Where an object stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) region: Region,
    pub(super) frame: Frame,
}

impl Place {
    /// Something that belongs to an object and is no code of it.
    pub(super) fn data(self) -> Self {
        Self { region: Region::Data, frame: Frame::Outside }
    }

    pub(super) fn framed(self) -> Self {
        Self { frame: Frame::Table, ..self }
    }

    pub(super) fn within(self, region: Region) -> Self {
        Self { region, frame: Frame::Outside }
    }

    /// An element of a vector: a hash table is a vector of frames.
    pub(super) fn element(self) -> Self {
        let frame = if self.frame == Frame::Table { Frame::Table } else { Frame::Outside };
        Self { frame, ..self }
    }

    /// The head of a cell: in a frame it is a variable, and `...` is a list of promises.
    pub(super) fn element_of_list(self) -> Self {
        let frame = if self.frame == Frame::Outside { Frame::Outside } else { Frame::Binding };
        Self { frame, ..self }
    }
}

/// The kinds of cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    Unbound,
    Other,
    Number,
    Symbol(Rc<str>),
    Text(Rc<str>),
    List,
    Call,
    Function,
    Promise,
}

/// A cell with what hangs on it, by number.
#[derive(Debug, Clone)]
pub(super) struct Node {
    cell: Cell,
    place: Place,
    offset: u64,
    pub(super) tag: u32,
    pub(super) head: u32,
    pub(super) rest: u32,
}

/// All cells of a file.
pub(super) struct Code {
    nodes: Vec<Node>,
    names: HashMap<Rc<str>, u32>,
    max: u64,
    full: bool,
}

impl Code {
    pub(super) const NULL: u32 = 0;
    pub(super) const UNBOUND: u32 = 1;
    pub(super) const OTHER: u32 = 2;
    pub(super) const NUMBER: u32 = 3;

    pub(super) fn new(max: u64) -> Self {
        let place = Place { region: Region::Data, frame: Frame::Outside };
        let node = |cell| Node { cell, place, offset: 0, tag: 0, head: 0, rest: 0 };
        let nodes = [Cell::Null, Cell::Unbound, Cell::Other, Cell::Number].map(node).to_vec();
        Self { nodes, names: HashMap::new(), max: max.min(u64::from(u32::MAX >> 1)), full: false }
    }

    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    fn push(&mut self, cell: Cell, place: Place, offset: u64, children: u32) -> u32 {
        if self.nodes.len() as u64 >= self.max {
            self.full = true;
            return Self::OTHER;
        }
        self.nodes.push(Node { cell, place, offset, tag: Self::NULL, head: children, rest: children });
        (self.nodes.len() - 1) as u32
    }

    pub(super) fn cell(&mut self, cell: Cell, place: Place, offset: u64) -> u32 {
        // What is cut off stays unbound, so that half a promise is still one.
        self.push(cell, place, offset, Self::UNBOUND)
    }

    pub(super) fn symbol(&mut self, name: &str) -> u32 {
        if let Some(&known) = self.names.get(name) {
            return known;
        }
        let name: Rc<str> = name.into();
        let place = Place { region: Region::Data, frame: Frame::Outside };
        let symbol = self.push(Cell::Symbol(Rc::clone(&name)), place, 0, Self::NULL);
        self.names.insert(name, symbol);
        symbol
    }

    pub(super) fn text(&mut self, text: String) -> u32 {
        let place = Place { region: Region::Data, frame: Frame::Outside };
        self.push(Cell::Text(text.into()), place, 0, Self::NULL)
    }

    /// A cell that can be filled: never one of the shared ones.
    pub(super) fn get_mut(&mut self, index: u32) -> Option<&mut Node> {
        if index <= Self::NUMBER { None } else { self.nodes.get_mut(index as usize) }
    }

    fn get(&self, index: u32) -> Option<&Node> {
        self.nodes.get(index as usize)
    }

    fn cell_of(&self, index: u32) -> &Cell {
        self.get(index).map_or(&Cell::Other, |node| &node.cell)
    }

    fn name(&self, index: u32) -> Option<&str> {
        match self.cell_of(index) {
            Cell::Symbol(name) | Cell::Text(name) => Some(name),
            _ => None,
        }
    }

    /// The cells of a list, at most `max`.
    fn list(&self, start: u32, max: usize) -> impl Iterator<Item = &Node> {
        let mut next = start;
        std::iter::from_fn(move || {
            let node = self.get(next).filter(|node| matches!(node.cell, Cell::List | Cell::Call))?;
            next = node.rest;
            Some(node)
        })
        .take(max)
    }

    /// The function of a call and its package; `None` when it is computed.
    fn function(&self, call: &Node) -> Option<(&str, Option<&str>)> {
        if let Some(name) = self.name(call.head) {
            return Some((name, None));
        }
        let head = self.get(call.head).filter(|node| node.cell == Cell::Call)?;
        if !matches!(self.name(head.head)?, "::" | ":::") {
            return None;
        }
        let mut arguments = self.list(head.rest, 2);
        let package = self.name(arguments.next()?.head)?;
        Some((self.name(arguments.next()?.head)?, Some(package)))
    }

    /// How R prints an object, roughly; nested to a fixed depth.
    fn print(&self, index: u32, depth: u32, out: &mut String) {
        const LONGEST: usize = 400;
        if out.len() > LONGEST {
            return;
        }
        match self.cell_of(index) {
            Cell::Null => out.push_str("NULL"),
            Cell::Symbol(name) => out.push_str(&short(name, 120)),
            Cell::Text(text) => out.push_str(&format!("{:?}", short(text, 200))),
            Cell::Number => out.push_str("<number>"),
            Cell::Function => out.push_str("<function>"),
            Cell::Promise => out.push_str("<promise>"),
            Cell::Other | Cell::Unbound | Cell::List => out.push('…'),
            Cell::Call if depth == 0 => out.push('…'),
            Cell::Call => {
                let Some(node) = self.get(index) else { return };
                match self.function(node) {
                    Some((name, Some(package))) => {
                        out.push_str(&format!("{}::{}", short(package, 80), short(name, 120)));
                    }
                    _ => self.print(node.head, depth - 1, out),
                }
                out.push('(');
                for (position, argument) in self.list(node.rest, 16).enumerate() {
                    if position > 0 {
                        out.push_str(", ");
                    }
                    if let Some(tag) = self.name(argument.tag) {
                        out.push_str(&short(tag, 60));
                        out.push_str(" = ");
                    }
                    self.print(argument.head, depth - 1, out);
                }
                out.push(')');
            }
        }
    }

    fn printed(&self, index: u32) -> String {
        let mut out = String::new();
        self.print(index, 5, &mut out);
        short(&out, 400)
    }

    fn argument(&self, index: u32) -> RArgument {
        match self.cell_of(index) {
            Cell::Symbol(name) => RArgument::Name(short(name, 200)),
            Cell::Text(text) => RArgument::Text(short(text, 400)),
            Cell::Call => {
                let function = self.get(index).and_then(|call| self.function(call));
                RArgument::Call(function.map_or_else(String::new, |(name, _)| short(name, 200)))
            }
            _ => RArgument::Other,
        }
    }

    /// The functions called within an expression, itself included.
    fn functions(&self, index: u32) -> Vec<String> {
        const MAX_FUNCTIONS: usize = 32;
        const MAX_CELLS: u32 = 4096;
        let (mut functions, mut stack, mut left) = (Vec::new(), vec![index], MAX_CELLS);
        while let Some(index) = stack.pop() {
            left -= 1;
            if left == 0 || functions.len() == MAX_FUNCTIONS {
                break;
            }
            let Some(node) = self.get(index) else { continue };
            match node.cell {
                Cell::Call => {
                    let name = self.function(node).map_or_else(String::new, |(name, _)| short(name, 200));
                    if !functions.contains(&name) {
                        functions.push(name);
                    }
                    stack.push(node.rest);
                    stack.push(node.head);
                }
                Cell::List | Cell::Function => stack.extend([node.rest, node.head]),
                _ => {}
            }
        }
        functions
    }

    /// Puts calls and promises into the facts. False when there are more different functions than are kept.
    pub(super) fn summarise(self, facts: &mut RFacts) -> bool {
        const MAX_FUNCTIONS: usize = 1 << 14;
        const MAX_EACH: u32 = 16;
        const MAX_ACTING: u32 = 1 << 14;
        const MAX_PROMISES: usize = 256;
        const MAX_NAMES: usize = 256;
        let mut seen: BTreeMap<(Option<&str>, &str), u32> = BTreeMap::new();
        let mut complete = true;
        for (index, node) in self.nodes.iter().enumerate() {
            let index = index as u32;
            match node.cell {
                Cell::Call => {
                    let function = self.function(node);
                    let (name, package) = function.unwrap_or_default();
                    if !seen.contains_key(&(package, name)) && seen.len() == MAX_FUNCTIONS {
                        complete = false;
                        continue;
                    }
                    let times = seen.entry((package, name)).or_insert(0);
                    *times += 1;
                    // What acts on its arguments may act otherwise at each call.
                    if *times > MAX_EACH && !RFunction(name).acts_on_arguments() {
                        continue;
                    }
                    if *times > MAX_ACTING {
                        complete = false;
                        continue;
                    }
                    facts.calls.push(RCall {
                        function: short(name, 200),
                        package: package.map(|package| short(package, 100)),
                        arguments: self.list(node.rest, 8).map(|cell| self.argument(cell.head)).collect(),
                        text: self.printed(index),
                        region: match node.place.region {
                            Region::Data => "data",
                            Region::Function => "function",
                            Region::Promise => "promise",
                        },
                        offset: node.offset,
                    });
                }
                Cell::Promise if node.head == Self::UNBOUND && facts.promises.len() < MAX_PROMISES => {
                    let functions = self.functions(node.rest);
                    let planted = node.place.frame != Frame::Binding;
                    // A variable or a constant runs nothing.
                    if !functions.is_empty() || *self.cell_of(node.rest) == Cell::Unbound {
                        let call = self.printed(node.rest);
                        facts.promises.push(RPromise { call, functions, planted, offset: node.offset });
                    }
                }
                _ => {}
            }
        }
        if facts.workspace {
            // The first cell is the list of the workspace's objects: nothing else comes before it.
            let first = self.nodes.iter().position(|node| node.cell == Cell::List).unwrap_or(0) as u32;
            let names = self.list(first, MAX_NAMES).filter_map(|cell| self.name(cell.tag));
            facts.names = names.map(|name| short(name, 200)).collect();
        }
        complete
    }
}
