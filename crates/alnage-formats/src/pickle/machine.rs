//! The stack machine: one pickle, opcode by opcode, as CPython's unpicklers would run it.
//!
//! It stops only where every unpickler stops; where one of them goes on, it goes on.

use std::collections::HashMap;

use alnage_types::Source;

use super::{
    carried,
    facts::{AnomalyKind, Import, Role},
    heap::{Heap, Node, Value},
    literal::{self, Number, Spelling},
    opcode as op,
    readings::Reading,
    record::Record,
    run::{End, Limits, Run},
    tape::{Extent, Line, Place, Tape},
    torch, weights_only,
};

/// The machine with everything it keeps between opcodes, used again for the next pickle of the same file.
pub(super) struct Machine<'a> {
    pub(super) tape: Tape<'a>,
    pub(super) heap: Heap,
    pub(super) record: Record,
    pub(super) stack: Vec<Value>,
    marks: Vec<u32>,
    memo: Memo,
    pub(super) protocol: u8,
    /// `copyreg`'s registry as the pickles of this file fill it.
    pub(super) extensions: HashMap<i64, (Value, Value)>,
    /// Offset of the current opcode.
    pub(super) at: u64,
    pub(super) opcode: u8,
    pub(super) steps: u64,
    pub(super) limits: Limits,
    pub(super) calls: u64,
    pub(super) resolved: u64,
    pub(super) plausible: u64,
    pub(super) named_calls: u64,
    /// Whether this run only looks whether there is a pickle.
    pub(super) scouting: bool,
    /// Whether any global shows a scout that there is one.
    pub(super) named_suffices: bool,
    /// A loader reads a pickle of its own from the file before it goes on.
    pub(super) inline_from: Option<u64>,
    suspended: Vec<Suspended>,
    /// Where the last opcode ended that filled the memo.
    remembered_at: u64,
    /// Opcodes that only keep readers busy, over all pickles of the file.
    idled: u64,
    scratch: Vec<Value>,
}

/// Of the steps that a run may take, one in so many may be an opcode that only keeps readers busy. What stands behind
/// them is left to the search for hidden artifacts, for which there must be steps left.
const IDLE_SHARE: u64 = 6;

/// A pickle that waits for another one inside it to end.
struct Suspended {
    stack: Vec<Value>,
    marks: Vec<u32>,
    memo: Memo,
    protocol: u8,
    place: Place,
}

#[derive(Default)]
struct Memo {
    dense: Vec<Option<Value>>,
    sparse: HashMap<u64, Value>,
    len: u64,
}

impl Memo {
    fn get(&self, key: u64) -> Option<Value> {
        let dense = usize::try_from(key).ok().and_then(|key| self.dense.get(key)).copied().flatten();
        dense.or_else(|| if self.sparse.is_empty() { None } else { self.sparse.get(&key).copied() })
    }

    fn put(&mut self, key: u64, value: Value) {
        let slack = self.dense.len() as u64 + 1024;
        if key < slack {
            let key = key as usize;
            if key >= self.dense.len() {
                self.dense.resize(key + 1, None);
            }
            let new = self.dense[key].replace(value).is_none();
            let moved = !self.sparse.is_empty() && self.sparse.remove(&(key as u64)).is_some();
            self.len += u64::from(new && !moved);
        } else if self.sparse.insert(key, value).is_none() {
            self.len += 1;
        }
    }

    /// The numbers on both sides of a hole that no pickler leaves: they number what they remember one after another.
    fn hole(&self) -> Option<(u64, u64)> {
        const WIDE: u64 = 1 << 20;
        if self.sparse.is_empty() {
            return None;
        }
        let mut keys: Vec<u64> = self.sparse.keys().copied().collect();
        keys.extend((self.dense.len() as u64).checked_sub(1));
        keys.sort_unstable();
        keys.windows(2).map(|pair| (pair[0], pair[1])).find(|(low, high)| high - low > WIDE)
    }

    fn clear(&mut self) {
        self.dense.clear();
        self.sparse.clear();
        self.len = 0;
    }
}

impl<'a> Machine<'a> {
    pub(super) fn new(source: &'a dyn Source, reading: Reading, limits: Limits) -> Self {
        Self {
            tape: Tape::new(source, reading),
            heap: Heap::new(),
            record: Record::default(),
            stack: Vec::with_capacity(32),
            marks: Vec::new(),
            memo: Memo { dense: Vec::with_capacity(32), ..Memo::default() },
            protocol: 0,
            extensions: HashMap::new(),
            at: 0,
            opcode: 0,
            steps: 0,
            limits,
            calls: 0,
            resolved: 0,
            plausible: 0,
            named_calls: 0,
            scouting: false,
            named_suffices: false,
            inline_from: None,
            suspended: Vec::new(),
            remembered_at: u64::MAX,
            idled: 0,
            scratch: Vec::new(),
        }
    }

    /// A machine that only looks whether there is a pickle.
    pub(super) fn scout(source: &'a dyn Source, limits: Limits) -> Self {
        let mut machine = Self::new(source, Reading::default(), limits);
        machine.scouting = true;
        machine
    }

    /// Whether a scout has seen enough: nothing that follows can take it back.
    fn is_evident(&self) -> bool {
        (self.named_calls > 0 && self.plausible > 0) || (self.named_suffices && self.resolved > 0)
    }

    /// Runs the pickle at `start`.
    pub(super) fn run(&mut self, start: u64) -> Run {
        self.tape.start(start);
        if self.extensions.is_empty() {
            self.heap.clear();
        }
        self.record.forget_values();
        self.stack.clear();
        self.marks.clear();
        self.memo.clear();
        self.protocol = 0;
        self.suspended.clear();
        self.inline_from = None;
        (self.calls, self.resolved, self.plausible, self.named_calls) = (0, 0, 0, 0);
        let mut opcodes = 0;
        let mut result = Value::None;
        let ended = loop {
            if self.steps >= self.limits.steps {
                break End::Steps;
            }
            self.steps += 1;
            if self.steps & 0xff == 0 {
                if self.weight() > self.limits.nodes {
                    break End::Nodes;
                }
                if self.idled > self.limits.steps / IDLE_SHARE {
                    break End::Steps;
                }
            }
            self.at = self.tape.position();
            let opcode = match self.tape.opcode() {
                Ok(opcode) => opcode,
                Err(end) => break end.into(),
            };
            self.opcode = opcode;
            opcodes += 1;
            if opcode == op::STOP {
                match self.pop() {
                    Ok(value) => result = value,
                    Err(end) => break end,
                }
                match self.suspended.pop() {
                    Some(outer) => self.resume(outer),
                    None => break End::Stop,
                }
                continue;
            }
            if let Err(end) = self.execute(opcode) {
                break end;
            }
            if self.scouting && self.is_evident() {
                break End::Steps;
            }
            if let Some(start) = self.inline_from.take()
                && let Err(end) = self.suspend(start)
            {
                break end;
            }
        };
        const BOMB: f64 = 1e7;
        if !self.scouting && opcodes > 64 && self.heap.expansion() > BOMB {
            self.record.anomaly(
                AnomalyKind::Expansion,
                start,
                "references to references to references".to_owned(),
            );
        }
        if !self.scouting
            && let Some((low, high)) = self.memo.hole()
        {
            let detail = format!("nothing is numbered between {low} and {high}");
            self.record.anomaly(AnomalyKind::MemoHole, start, detail);
        }
        Run {
            start,
            end: self.tape.position().min(self.tape.len()),
            ended,
            opcodes,
            calls: self.calls,
            globals: self.resolved,
            plausible: self.plausible,
            named_calls: self.named_calls,
            result,
            frame_end: self.tape.open_frame().filter(|&end| end <= self.tape.len()),
        }
    }

    /// Leaves the current pickle for the one at `start`.
    fn suspend(&mut self, start: u64) -> Result<(), End> {
        const MAX_SUSPENDED: usize = 64;
        if self.suspended.len() >= MAX_SUSPENDED {
            return Err(End::Nodes);
        }
        self.suspended.push(Suspended {
            stack: std::mem::take(&mut self.stack),
            marks: std::mem::take(&mut self.marks),
            memo: std::mem::take(&mut self.memo),
            protocol: std::mem::take(&mut self.protocol),
            place: self.tape.place(),
        });
        self.tape.start(start);
        Ok(())
    }

    fn resume(&mut self, outer: Suspended) {
        self.stack = outer.stack;
        self.marks = outer.marks;
        self.memo = outer.memo;
        self.protocol = outer.protocol;
        self.tape.resume(outer.place);
    }

    fn weight(&self) -> u64 {
        let memo = self.memo.dense.len() / 3 + self.memo.sparse.len();
        self.heap.weight()
            + (self.stack.len() / 3 + self.marks.len() / 8 + memo) as u64
            + self.record.weight()
    }

    fn execute(&mut self, opcode: u8) -> Result<(), End> {
        weights_only::see(self, opcode);
        match opcode {
            op::MARK => self.marks.push(self.stack.len() as u32),
            op::POP => {
                self.idle();
                if self.stack.len() > self.fence() {
                    self.stack.pop();
                } else {
                    self.marks.pop().ok_or(End::StackUnderflow(opcode))?;
                }
            }
            op::POP_MARK => {
                self.idle();
                let mark = self.mark()?;
                self.stack.truncate(mark);
            }
            op::DUP => {
                self.idle();
                self.push(self.top()?);
            }
            op::NONE => self.push(Value::None),
            op::NEWTRUE => self.push(Value::Bool(true)),
            op::NEWFALSE => self.push(Value::Bool(false)),
            op::BININT => {
                let value = i32::from_le_bytes(self.tape.array()?);
                self.push(Value::Int(value.into()));
            }
            op::BININT1 => {
                let [value] = self.tape.array()?;
                self.push(Value::Int(value.into()));
            }
            op::BININT2 => {
                let value = u16::from_le_bytes(self.tape.array()?);
                self.push(Value::Int(value.into()));
            }
            op::BINFLOAT => {
                let value = f64::from_be_bytes(self.tape.array()?);
                self.push(Value::Float(value));
            }
            op::INT | op::LONG | op::FLOAT => self.text_number(opcode)?,
            op::LONG1 => {
                let [len] = self.tape.array()?;
                self.long(len.into())?;
            }
            op::LONG4 => {
                let len = i32::from_le_bytes(self.tape.array()?);
                self.long(u64::try_from(len).map_err(|_| End::BadOperand(opcode))?)?;
            }
            op::STRING | op::UNICODE => self.text_string(opcode)?,
            op::SHORT_BINSTRING | op::SHORT_BINUNICODE => {
                let [len] = self.tape.array()?;
                self.counted(len.into(), Value::Text)?;
            }
            op::BINSTRING => {
                let len = i32::from_le_bytes(self.tape.array()?);
                self.counted(u64::try_from(len).map_err(|_| End::BadOperand(opcode))?, Value::Text)?;
            }
            op::BINUNICODE => {
                let len = u32::from_le_bytes(self.tape.array()?);
                self.counted(len.into(), Value::Text)?;
            }
            op::BINUNICODE8 => {
                let len = u64::from_le_bytes(self.tape.array()?);
                self.counted(len, Value::Text)?;
            }
            op::SHORT_BINBYTES => {
                let [len] = self.tape.array()?;
                self.payload(len.into(), Value::Bytes)?;
            }
            op::BINBYTES => {
                let len = u32::from_le_bytes(self.tape.array()?);
                self.payload(len.into(), Value::Bytes)?;
            }
            op::BINBYTES8 => {
                let len = u64::from_le_bytes(self.tape.array()?);
                self.payload(len, Value::Bytes)?;
            }
            op::BYTEARRAY8 => {
                let len = u64::from_le_bytes(self.tape.array()?);
                self.payload(len, Value::ByteArray)?;
            }
            op::EMPTY_TUPLE => self.push_node(Node::Tuple(Default::default())),
            op::EMPTY_LIST => self.push_node(Node::List(Default::default())),
            op::EMPTY_DICT => self.push_node(Node::Dict(Default::default())),
            op::EMPTY_SET => self.push_node(Node::Set(Default::default())),
            op::TUPLE1 | op::TUPLE2 | op::TUPLE3 => {
                let count = usize::from(opcode - op::TUPLE1) + 1;
                let start = self.stack.len().checked_sub(count).filter(|&start| start >= self.fence());
                self.collect(start.ok_or(End::StackUnderflow(opcode))?, Node::Tuple);
            }
            op::TUPLE => {
                let mark = self.mark()?;
                self.collect(mark, Node::Tuple);
            }
            op::FROZENSET => {
                let mark = self.mark()?;
                self.collect(mark, Node::FrozenSet);
            }
            op::LIST => {
                let mark = self.mark()?;
                self.gather(mark, 1, Node::List);
            }
            op::DICT => {
                let mark = self.mark()?;
                self.gather(mark, 2, Node::Dict);
            }
            op::APPEND => {
                let value = self.pop()?;
                let target = self.top()?;
                self.append_to(target, &[value]);
            }
            op::APPENDS | op::ADDITEMS => {
                let items = self.take_marked()?;
                let target = self.top()?;
                self.append_to(target, &items);
                self.give_back(items);
            }
            op::SETITEM => {
                let value = self.pop()?;
                let key = self.pop()?;
                let target = self.top()?;
                self.set_items(target, &[key, value]);
            }
            op::SETITEMS => {
                let items = self.take_marked()?;
                let target = self.top()?;
                self.set_items(target, &items);
                self.give_back(items);
            }
            op::PUT => {
                let line = self.tape.line()?;
                let key = literal::memo_key(&self.line_bytes(&line)).ok_or(End::BadOperand(opcode))?;
                self.remember(key)?;
            }
            op::BINPUT => {
                let [key] = self.tape.array()?;
                self.remember(key.into())?;
            }
            op::LONG_BINPUT => {
                let key = u32::from_le_bytes(self.tape.array()?);
                self.remember(key.into())?;
            }
            op::MEMOIZE => {
                let key = self.memo.len;
                self.remember(key)?;
            }
            op::GET => {
                let line = self.tape.line()?;
                let key = literal::memo_key(&self.line_bytes(&line)).ok_or(End::UnknownMemo)?;
                self.push(self.memo.get(key).ok_or(End::UnknownMemo)?);
            }
            op::BINGET => {
                let [key] = self.tape.array()?;
                self.push(self.memo.get(key.into()).ok_or(End::UnknownMemo)?);
            }
            op::LONG_BINGET => {
                let key = u32::from_le_bytes(self.tape.array()?);
                self.push(self.memo.get(key.into()).ok_or(End::UnknownMemo)?);
            }
            op::GLOBAL => {
                let (module, name) = (self.tape.line()?, self.tape.line()?);
                let value = self.named_global(&module, &name, Import::Global);
                self.push(value);
            }
            op::STACK_GLOBAL => {
                let name = self.pop()?;
                let module = self.pop()?;
                let value = self.stack_global(module, name, Import::StackGlobal)?;
                self.push(value);
            }
            op::INST => {
                let (module, name) = (self.tape.line()?, self.tape.line()?);
                let class = self.named_global(&module, &name, Import::Inst);
                let mark = self.mark()?;
                let arguments = self.collect_value(mark, Node::Tuple);
                let instance = self.call(class, arguments, Value::None, Role::Call);
                self.push(instance);
            }
            op::OBJ => {
                let mark = self.mark()?;
                let class = *self.stack.get(mark).ok_or(End::StackUnderflow(opcode))?;
                let arguments = self.collect_value(mark + 1, Node::Tuple);
                self.stack.truncate(mark);
                let instance = self.call(class, arguments, Value::None, Role::Call);
                self.push(instance);
            }
            op::REDUCE => {
                let arguments = self.pop()?;
                let callee = self.pop()?;
                let value = self.call(callee, arguments, Value::None, Role::Call);
                self.push(value);
            }
            op::NEWOBJ => {
                let arguments = self.pop()?;
                let class = self.pop()?;
                let value = self.call(class, arguments, Value::None, Role::New);
                self.push(value);
            }
            op::NEWOBJ_EX => {
                let keywords = self.pop()?;
                let arguments = self.pop()?;
                let class = self.pop()?;
                let value = self.call(class, arguments, keywords, Role::New);
                self.push(value);
            }
            op::BUILD => {
                let state = self.pop()?;
                let target = self.top()?;
                self.build(target, state)?;
            }
            op::EXT1 => {
                let [code] = self.tape.array()?;
                self.extension(code.into())?;
            }
            op::EXT2 => {
                let code = u16::from_le_bytes(self.tape.array()?);
                self.extension(code.into())?;
            }
            op::EXT4 => {
                let code = i32::from_le_bytes(self.tape.array()?);
                self.extension(code.into())?;
            }
            op::PERSID => {
                let line = self.tape.line()?;
                let id = self.heap.string(self.tape.source(), line.extent, Value::Text);
                self.push_node(Node::Persistent(id));
            }
            op::BINPERSID => {
                let id = self.pop()?;
                let value = torch::persistent(self, id);
                self.push(value);
            }
            op::PROTO => {
                let [protocol] = self.tape.array()?;
                if self.protocol != 0 {
                    self.idle();
                    let detail = format!("protocol {protocol} after protocol {}", self.protocol);
                    self.anomaly(AnomalyKind::MisplacedProtocol, detail);
                }
                if protocol > 64 {
                    return Err(End::BadOperand(opcode));
                }
                self.protocol = protocol;
                self.record.protocol = self.record.protocol.max(protocol);
            }
            op::FRAME => {
                let len = u64::from_le_bytes(self.tape.array()?);
                if i64::try_from(len).is_err() {
                    return Err(End::BadOperand(opcode));
                }
                if len > self.tape.len().saturating_sub(self.tape.position()) {
                    self.anomaly(AnomalyKind::DeclaredLength, format!("a frame of {len} bytes"));
                }
                self.idle();
                self.tape.frame(len);
            }
            op::NEXT_BUFFER => self.push(Value::Unknown),
            op::READONLY_BUFFER => {
                self.idle();
                self.top()?;
            }
            _ => return Err(End::InvalidOpcode(opcode)),
        }
        Ok(())
    }

    /// Counts an opcode that picklers hardly ever write, and hostile files by the million.
    #[inline]
    fn idle(&mut self) {
        self.idled += 1;
    }

    /// Counts an entry of the memo; picklers never make two of one value.
    #[inline]
    fn remember(&mut self, key: u64) -> Result<(), End> {
        let value = self.top()?;
        if std::mem::replace(&mut self.remembered_at, self.tape.position()) == self.at {
            self.idle();
        }
        self.memo.put(key, value);
        Ok(())
    }

    pub(super) fn anomaly(&mut self, kind: AnomalyKind, detail: String) {
        self.record.anomaly(kind, self.at, detail);
    }

    #[inline]
    pub(super) fn push(&mut self, value: Value) {
        self.stack.push(value);
    }

    fn push_node(&mut self, node: Node) {
        let value = self.heap.node(node);
        self.stack.push(value);
    }

    fn fence(&self) -> usize {
        self.marks.last().map_or(0, |&mark| mark as usize)
    }

    fn pop(&mut self) -> Result<Value, End> {
        if self.stack.len() <= self.fence() {
            return Err(End::StackUnderflow(self.opcode));
        }
        self.stack.pop().ok_or(End::StackUnderflow(self.opcode))
    }

    fn top(&self) -> Result<Value, End> {
        if self.stack.len() <= self.fence() {
            return Err(End::StackUnderflow(self.opcode));
        }
        self.stack.last().copied().ok_or(End::StackUnderflow(self.opcode))
    }

    fn mark(&mut self) -> Result<usize, End> {
        self.marks.pop().map(|mark| mark as usize).ok_or(End::NoMark(self.opcode))
    }

    /// The values above the mark, in a buffer that [`give_back`](Self::give_back) returns.
    fn take_marked(&mut self) -> Result<Vec<Value>, End> {
        let mark = self.mark()?;
        let mut items = std::mem::take(&mut self.scratch);
        items.clear();
        items.extend(self.stack.drain(mark..));
        Ok(items)
    }

    fn give_back(&mut self, items: Vec<Value>) {
        self.scratch = items;
    }

    fn collect_value(&mut self, start: usize, make: fn(super::heap::Items) -> Node) -> Value {
        let items = self.heap.sequence(&self.stack[start..]);
        self.stack.truncate(start);
        self.heap.node(make(items))
    }

    fn collect(&mut self, start: usize, make: fn(super::heap::Items) -> Node) {
        let value = self.collect_value(start, make);
        self.push(value);
    }

    fn gather(&mut self, start: usize, width: usize, make: fn(super::heap::Items) -> Node) {
        let mut items = Default::default();
        for group in self.stack[start..].chunks(width * 1000) {
            self.heap.extend(&mut items, group, width);
        }
        self.stack.truncate(start);
        self.push_node(make(items));
    }

    /// A line's bytes as the unpickler that takes it sees them.
    pub(super) fn line_bytes(&self, line: &Line) -> std::borrow::Cow<'a, [u8]> {
        const LONGEST: u64 = 1 << 20;
        let len = line.extent.len - u64::from(line.cut && line.extent.len > 0);
        self.tape.bytes(Extent { start: line.extent.start, len }, LONGEST)
    }

    fn named_global(&mut self, module: &Line, name: &Line, how: Import) -> Value {
        if module.cut || name.cut {
            self.anomaly(AnomalyKind::UnterminatedLine, "a global's name".to_owned());
        }
        let (module, name) = (self.line_bytes(module), self.line_bytes(name));
        self.global(&String::from_utf8_lossy(&module), &String::from_utf8_lossy(&name), how)
    }

    fn text_number(&mut self, opcode: u8) -> Result<(), End> {
        let line = self.tape.line()?;
        let text = self.line_bytes(&line);
        if opcode == op::FLOAT {
            let value = literal::float(&text).ok_or(End::BadOperand(opcode))?;
            self.push(Value::Float(value));
            return Ok(());
        }
        let parsed = if opcode == op::INT { literal::int(&text) } else { literal::long(&text) };
        let (number, spelling) = parsed.ok_or(End::BadOperand(opcode))?;
        if spelling == Spelling::Odd {
            let shown = String::from_utf8_lossy(&text[..text.len().min(40)]).escape_debug().to_string();
            self.anomaly(AnomalyKind::OddNumber, format!("{} {shown}", op::name(opcode)));
        }
        self.push(match number {
            Number::Bool(value) => Value::Bool(value),
            Number::Int(value) => Value::Int(value),
            Number::Big => Value::Long(0, 0),
        });
        Ok(())
    }

    fn text_string(&mut self, opcode: u8) -> Result<(), End> {
        let line = self.tape.line()?;
        const LONGEST: u64 = 16 << 20;
        let source = self.tape.source();
        if opcode == op::UNICODE {
            let bytes = self.tape.bytes(line.extent, LONGEST);
            let plain = bytes.iter().all(|&byte| byte.is_ascii() && byte != b'\\');
            let value = if plain {
                self.look_into_text(line.extent);
                self.heap.string(source, line.extent, Value::Text)
            } else {
                self.heap.owned(literal::raw_unicode(&bytes).as_bytes(), Value::Text)
            };
            self.push(value);
            return Ok(());
        }
        let bytes = self.tape.bytes(line.extent, LONGEST);
        let text = literal::string(&bytes).ok_or(End::BadOperand(opcode))?;
        let value = match text {
            std::borrow::Cow::Borrowed(inner) => {
                let extent = Extent { start: line.extent.start + 1, len: inner.len() as u64 };
                self.look_into_text(extent);
                self.heap.string(source, extent, Value::Text)
            }
            std::borrow::Cow::Owned(inner) => {
                if !self.scouting && carried::may_begin(&inner) && carried::is_program(&inner) {
                    self.record.carried(self.at, &inner, None);
                }
                self.heap.owned(&inner, Value::Text)
            }
        };
        self.push(value);
        Ok(())
    }

    fn long(&mut self, len: u64) -> Result<(), End> {
        let Extent { start, len } = self.declared(len)?;
        let value = if len <= 8 {
            let bytes = self.tape.bytes(Extent { start, len }, 8);
            let sign = if bytes.last().is_some_and(|&byte| byte >= 0x80) { 0xff } else { 0 };
            let mut wide = [sign; 8];
            wide[..bytes.len()].copy_from_slice(&bytes);
            Value::Int(i64::from_le_bytes(wide))
        } else {
            Value::Long(len.min(u32::MAX.into()) as u32, start)
        };
        self.push(value);
        Ok(())
    }

    fn counted(&mut self, len: u64, make: fn(u32, u64) -> Value) -> Result<(), End> {
        let extent = self.declared(len)?;
        let value = self.heap.string(self.tape.source(), extent, make);
        self.look_into_text(extent);
        self.push(value);
        Ok(())
    }

    fn payload(&mut self, len: u64, make: fn(u32, u64) -> Value) -> Result<(), End> {
        let extent = self.declared(len)?;
        let value = self.heap.string(self.tape.source(), extent, make);
        if len >= 8 {
            self.look_into(extent);
        }
        self.push(value);
        Ok(())
    }

    /// Looks whether a string carries a program.
    fn look_into(&mut self, extent: Extent) {
        if !self.scouting {
            let cost = self.record.maybe_nested(&self.tape, extent, self.at);
            self.steps = self.steps.saturating_add(cost);
        }
    }

    /// The same for a `str`, which is rarely anything but a name.
    #[inline]
    fn look_into_text(&mut self, extent: Extent) {
        const SHORTEST: u64 = 24;
        if extent.len < SHORTEST || self.scouting {
            return;
        }
        let head = self.tape.bytes(extent, 64);
        if carried::is_encoded(&head) || head.iter().any(|byte| byte.is_ascii_control() || !byte.is_ascii()) {
            self.look_into(extent);
        }
    }

    fn declared(&mut self, len: u64) -> Result<Extent, End> {
        let left = self.tape.len().saturating_sub(self.tape.position());
        self.tape.extent(len).map_err(|end| {
            if len > left {
                let detail = format!("{} of {len} bytes with {left} left", op::name(self.opcode));
                self.record.anomaly(AnomalyKind::DeclaredLength, self.at, detail);
            }
            end.into()
        })
    }
}
