//! Runs a pickle without its effects: opcodes build the graph, and a call either has a meaning that is known here, or
//! makes an object of which nothing is known, or ends the conversion.

use std::{collections::HashMap, sync::Arc};

use alnage_formats::pickle::{Instruction, Instructions, Operand, Text, opcode as op};
use alnage_types::Source;

use crate::{
    graph::{Graph, Node, Object, Piece, Value},
    meaning,
    refusal::{Refusal, malformed, unsupported},
    torch_storage,
};

/// Where a pickle stands, which decides what it may do besides building data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting {
    /// A file of its own: joblib's arrays may stand between its opcodes.
    Alone,
    /// Inside a PyTorch file: persistent ids name storages.
    Torch,
    /// The same, of a TorchScript program, whose classes stand beside the pickle.
    Script,
    /// Inside a tar, as PyTorch wrote before 0.1.10: persistent ids are numbers of tensors.
    Tar,
}

/// What is done with calls of which nothing is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UnknownCalls {
    /// They end the conversion.
    #[default]
    Refused,
    /// Their results are left out and listed. What is known to be dangerous still ends the conversion.
    LeftOut,
}

/// How a class is made an instance of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Called.
    Call,
    /// Without `__init__`.
    New,
}

/// Opcodes of one pickle that are run.
const MAX_STEPS: u64 = 50_000_000;
/// Values on the stack and in the memo at a time.
const MAX_HELD: usize = 4 << 20;
/// Containers that are open at a time; Python gives up at a few thousand when it writes them.
const MAX_MARKS: usize = 100_000;
/// Opcodes that only undo others; a pickle of data has next to none.
const MAX_UNDONE: u32 = 1 << 20;

pub(crate) struct Machine<'a> {
    pub(crate) source: &'a Arc<dyn Source>,
    pub(crate) instructions: Instructions<'a>,
    pub(crate) graph: &'a mut Graph,
    pub(crate) setting: Setting,
    pub(crate) unknown: UnknownCalls,
    /// How many pickles this one stands inside.
    pub(crate) depth: u32,
    /// Offset of the current opcode.
    pub(crate) at: u64,
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: Vec<Option<Value>>,
    sparse: HashMap<i64, Value>,
    remembered: i64,
    /// How many opcodes undid others.
    undone: u32,
}

/// A pickle that was run.
pub(crate) struct Ran {
    /// What loading it gives.
    pub(crate) root: Value,
    /// Where it ends.
    pub(crate) end: u64,
}

/// Runs the pickle at `start`.
pub(crate) fn run(
    source: &Arc<dyn Source>,
    start: u64,
    graph: &mut Graph,
    setting: Setting,
    unknown: UnknownCalls,
    depth: u32,
) -> Result<Ran, Refusal> {
    let mut machine = Machine {
        source,
        instructions: Instructions::at(source.as_ref(), start),
        graph,
        setting,
        unknown,
        depth,
        at: start,
        stack: Vec::new(),
        marks: Vec::new(),
        memo: Vec::new(),
        sparse: HashMap::new(),
        remembered: 0,
        undone: 0,
    };
    for _ in 0..MAX_STEPS {
        let next = machine.instructions.step();
        let instruction = next.map_err(|broken| broken_off(machine.instructions.position(), &broken))?;
        if instruction.opcode == op::STOP {
            let root = machine.pop()?;
            return Ok(Ran { root, end: machine.instructions.position() });
        }
        machine.at = instruction.offset;
        machine.execute(instruction)?;
        if machine.stack.len().max(machine.memo.len() + machine.sparse.len()) > MAX_HELD {
            return Err(Refusal::Limit("max-nodes"));
        }
    }
    Err(Refusal::Limit("max-steps"))
}

fn broken_off(at: u64, broken: &alnage_formats::pickle::Broken) -> Refusal {
    use alnage_formats::pickle::Broken;
    let message = format!("the pickle breaks off at byte {at}: {broken}");
    match broken {
        Broken::TornFrame => Refusal::Ambiguous(message),
        Broken::Unreadable => Refusal::Unreadable(message),
        _ => Refusal::Malformed(message),
    }
}

impl Machine<'_> {
    fn execute(&mut self, Instruction { opcode, operand, .. }: Instruction) -> Result<(), Refusal> {
        let value = match opcode {
            op::PROTO | op::FRAME | op::READONLY_BUFFER => return Ok(()),
            op::MARK => {
                self.marks.push(self.stack.len());
                return if self.marks.len() > MAX_MARKS { Err(Refusal::Limit("max-nodes")) } else { Ok(()) };
            }
            op::POP => {
                self.undo()?;
                if self.marks.last() == Some(&self.stack.len()) {
                    self.marks.pop();
                } else {
                    self.pop()?;
                }
                return Ok(());
            }
            op::POP_MARK => {
                self.undo()?;
                return self.marked().map(drop);
            }
            op::DUP => self.top()?,
            op::NONE => Value::None,
            op::NEWTRUE => Value::Bool(true),
            op::NEWFALSE => Value::Bool(false),
            op::EMPTY_TUPLE => self.graph.node(Node::Tuple(Vec::new()))?,
            op::EMPTY_LIST => self.graph.node(Node::List(Vec::new()))?,
            op::EMPTY_DICT => self.graph.node(Node::Dict(Vec::new()))?,
            op::EMPTY_SET => self.graph.node(Node::Set(Vec::new()))?,
            op::TUPLE1 | op::TUPLE2 | op::TUPLE3 => {
                let count = usize::from(opcode - op::TUPLE1) + 1;
                let mut items = Vec::with_capacity(count);
                for _ in 0..count {
                    items.push(self.pop()?);
                }
                items.reverse();
                self.sequence(items, Node::Tuple)?
            }
            op::TUPLE => {
                let items = self.marked()?;
                self.sequence(items, Node::Tuple)?
            }
            op::LIST => {
                let items = self.marked()?;
                self.sequence(items, Node::List)?
            }
            op::FROZENSET => {
                let items = self.marked()?;
                self.sequence(items, Node::Set)?
            }
            op::DICT => {
                let items = self.marked()?;
                let pairs = paired(&items)?;
                self.graph.keep(32 * pairs.len())?;
                self.graph.node(Node::Dict(pairs))?
            }
            op::APPEND => {
                let item = self.pop()?;
                let target = self.top()?;
                return self.append(target, vec![item]);
            }
            op::APPENDS | op::ADDITEMS => {
                let items = self.marked()?;
                let target = self.top()?;
                return self.append(target, items);
            }
            op::SETITEM => {
                let value = self.pop()?;
                let key = self.pop()?;
                let target = self.top()?;
                return self.set(target, &[key, value]);
            }
            op::SETITEMS => {
                let items = self.marked()?;
                let target = self.top()?;
                return self.set(target, &items);
            }
            op::PUT | op::BINPUT | op::LONG_BINPUT => {
                let Operand::Int(key) = operand else { return malformed("a memo key that is no number") };
                return self.remember(key);
            }
            op::MEMOIZE => return self.remember(self.remembered),
            op::GET | op::BINGET | op::LONG_BINGET => {
                let Operand::Int(key) = operand else { return malformed("a memo key that is no number") };
                let dense = usize::try_from(key).ok().and_then(|key| self.memo.get(key)).copied().flatten();
                match dense.or_else(|| self.sparse.get(&key).copied()) {
                    Some(value) => value,
                    None => return malformed(format!("the memo has no entry {key}")),
                }
            }
            op::GLOBAL => self.named(&operand)?,
            op::STACK_GLOBAL => {
                let (name, module) = (self.pop()?, self.pop()?);
                let read = |value| self.graph.text(self.source, value, 4096);
                let (Some(module), Some(name)) = (read(module), read(name)) else {
                    return malformed("the name of a global is no text");
                };
                let (module, name) = self.instructions.modern(&module, &name);
                Value::Global(self.graph.global(&module, &name)?)
            }
            op::INST => {
                let class = self.named(&operand)?;
                let arguments = self.marked()?;
                let arguments = self.sequence(arguments, Node::Tuple)?;
                self.call(class, arguments, Role::Call)?
            }
            op::OBJ => {
                let mut arguments = self.marked()?;
                if arguments.is_empty() {
                    return malformed("OBJ finds no class");
                }
                let class = arguments.remove(0);
                let arguments = self.sequence(arguments, Node::Tuple)?;
                self.call(class, arguments, Role::Call)?
            }
            op::REDUCE | op::NEWOBJ => {
                let (arguments, callee) = (self.pop()?, self.pop()?);
                self.call(callee, arguments, if opcode == op::REDUCE { Role::Call } else { Role::New })?
            }
            op::NEWOBJ_EX => {
                let (keywords, arguments, class) = (self.pop()?, self.pop()?, self.pop()?);
                let made = self.call(class, arguments, Role::New)?;
                if let Some(Node::Object(object)) = self.graph.get_mut(made) {
                    object.state.push(keywords);
                }
                made
            }
            op::BUILD => {
                let state = self.pop()?;
                let target = self.top()?;
                return meaning::build(self, target, state);
            }
            op::BINPERSID => {
                let id = self.pop()?;
                self.persistent(id)?
            }
            op::PERSID => {
                let id = self.literal(operand)?;
                self.persistent(id)?
            }
            op::EXT1 | op::EXT2 | op::EXT4 => return unsupported("the pickle uses the extension registry"),
            op::NEXT_BUFFER => return unsupported("the pickle's buffers are kept elsewhere"),
            _ => self.literal(operand)?,
        };
        self.stack.push(value);
        Ok(())
    }

    fn literal(&mut self, operand: Operand) -> Result<Value, Refusal> {
        Ok(match operand {
            Operand::Bool(value) => Value::Bool(value),
            Operand::Int(value) => Value::Int(value),
            Operand::Float(value) => Value::Float(value),
            Operand::Long(range) => Value::Long(self.graph.piece(Piece::At(range))?),
            Operand::Digits(text) => Value::Digits(self.graph.piece(Piece::Made(text.into_bytes().into()))?),
            Operand::Text(Text::At(range)) => Value::Text(self.graph.piece(Piece::At(range))?),
            Operand::Text(Text::Made(text)) => {
                Value::Text(self.graph.piece(Piece::Made(text.into_bytes().into()))?)
            }
            Operand::Bytes(range) => Value::Bytes(self.graph.piece(Piece::At(range))?),
            Operand::None | Operand::Global(..) => return malformed("an opcode without its operand"),
        })
    }

    fn named(&mut self, operand: &Operand) -> Result<Value, Refusal> {
        let Operand::Global(module, name) = operand else { return malformed("a global without a name") };
        Ok(Value::Global(self.graph.global(module, name)?))
    }

    fn call(&mut self, callee: Value, arguments: Value, role: Role) -> Result<Value, Refusal> {
        match callee {
            Value::Global(global) => meaning::call(self, global, arguments, role),
            Value::Node(_) => Err(meaning::refused("an object that is made while loading", None, self.at)),
            _ => malformed("plain data is called"),
        }
    }

    fn persistent(&mut self, id: Value) -> Result<Value, Refusal> {
        match self.setting {
            Setting::Torch | Setting::Script => torch_storage::persistent(self.graph, self.source, id),
            Setting::Tar => {
                let number = match id {
                    Value::Int(number) => Some(number),
                    text => self.graph.text(self.source, text, 32).and_then(|text| text.trim().parse().ok()),
                };
                let known = number.and_then(|number| self.graph.known.get(&number)).copied();
                known.ok_or_else(|| {
                    Refusal::Malformed("the pickle names a tensor that is not there".to_owned())
                })
            }
            Setting::Alone => unsupported("the pickle names objects that are kept elsewhere"),
        }
    }

    /// A node of `items`.
    pub(crate) fn sequence(
        &mut self,
        items: Vec<Value>,
        make: fn(Vec<Value>) -> Node,
    ) -> Result<Value, Refusal> {
        self.graph.keep(16 * items.len())?;
        self.graph.node(make(items))
    }

    /// An instance of a class of which nothing is known.
    pub(crate) fn object(&mut self, class: u32, arguments: Value) -> Result<Value, Refusal> {
        self.graph.keep(size_of::<Object>())?;
        let object = Object { class, arguments, state: Vec::new(), pairs: Vec::new(), items: Vec::new() };
        self.graph.node(Node::Object(Box::new(object)))
    }

    fn append(&mut self, target: Value, more: Vec<Value>) -> Result<(), Refusal> {
        // A list that doubles its room holds up to twice what is in it.
        self.graph.keep(32 * more.len())?;
        match self.graph.get_mut(target) {
            Some(Node::List(items) | Node::Set(items)) => items.extend(more),
            Some(Node::Object(object)) => object.items.extend(more),
            _ => return malformed("items are added to what is no list or set"),
        }
        Ok(())
    }

    fn set(&mut self, target: Value, items: &[Value]) -> Result<(), Refusal> {
        let more = paired(items)?;
        self.graph.keep(64 * more.len())?;
        match self.graph.get_mut(target) {
            Some(Node::Dict(pairs)) => pairs.extend(more),
            Some(Node::Object(object)) => object.pairs.extend(more),
            _ => return malformed("items are set on what is no dictionary"),
        }
        Ok(())
    }

    fn remember(&mut self, key: i64) -> Result<(), Refusal> {
        let value = self.top()?;
        let new = match usize::try_from(key) {
            Ok(at) if at < self.memo.len() + 1024 => {
                if at >= self.memo.len() {
                    self.memo.resize(at + 1, None);
                }
                self.memo[at].replace(value).is_none() && self.sparse.remove(&key).is_none()
            }
            _ => self.sparse.insert(key, value).is_none(),
        };
        self.remembered += i64::from(new);
        Ok(())
    }

    fn undo(&mut self) -> Result<(), Refusal> {
        self.undone += 1;
        if self.undone > MAX_UNDONE { Err(Refusal::Limit("max-steps")) } else { Ok(()) }
    }

    fn fence(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self) -> Result<Value, Refusal> {
        if self.stack.len() <= self.fence() {
            return malformed(format!("the stack is empty at byte {}", self.at));
        }
        self.stack.pop().ok_or_else(|| Refusal::Malformed("the stack is empty".to_owned()))
    }

    fn top(&self) -> Result<Value, Refusal> {
        match self.stack.last() {
            Some(&top) if self.stack.len() > self.fence() => Ok(top),
            _ => malformed(format!("the stack is empty at byte {}", self.at)),
        }
    }

    fn marked(&mut self) -> Result<Vec<Value>, Refusal> {
        match self.marks.pop() {
            Some(mark) if mark <= self.stack.len() => Ok(self.stack.split_off(mark)),
            _ => malformed(format!("no MARK at byte {}", self.at)),
        }
    }
}

fn paired(items: &[Value]) -> Result<Vec<(Value, Value)>, Refusal> {
    if !items.len().is_multiple_of(2) {
        return malformed("a key without a value");
    }
    Ok(items.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect())
}
