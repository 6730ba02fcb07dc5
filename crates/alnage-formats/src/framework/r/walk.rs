//! Walks the objects of an R file in the order they are written, with a stack of what is still to come.

use std::{collections::HashMap, sync::Arc};

use alnage_types::{IssueKind, ReadEnd, Source, WindowSource};

use super::{
    Encoding, RFacts,
    call::{self, Cell, Code, Place, Region},
    token::Tokens,
};
use crate::Context;

/// Something still to be read.
enum Task {
    /// One object, for this place in a cell.
    Item(Target, Place),
    /// So many objects of a vector.
    Items(u64, Place),
    /// The constants of byte code.
    Constants(u64, Place),
    /// A language object of byte code; its type is already read, or comes first.
    ByteCodeLanguage(Option<i32>, Target, Place),
    /// The code vector of byte code, its constants behind it.
    ByteCode(Place),
    /// The number of constants, and they.
    ConstantCount(Place),
}

/// Where an object goes: a cell and its field, or nowhere.
type Target = Option<(u32, Field)>;

/// The fields of a cell of a list.
#[derive(Clone, Copy)]
enum Field {
    Tag,
    Head,
    Rest,
}

/// Why the walk ended early.
enum Stop {
    End(ReadEnd),
    /// A type of object that R does not write.
    Unknown(u8),
}

impl From<ReadEnd> for Stop {
    fn from(end: ReadEnd) -> Self {
        Self::End(end)
    }
}

struct Walk<'a, 'b> {
    source: &'a Arc<dyn Source>,
    tokens: &'a mut Tokens<'b>,
    facts: &'a mut RFacts,
    tasks: Vec<Task>,
    /// What later objects refer to by number: symbols, environments, packages.
    references: Vec<u32>,
    /// What later byte code refers to by number.
    shared: HashMap<i32, u32>,
    code: Code,
    members: Vec<(u64, u64)>,
}

pub(super) fn walk(
    source: &Arc<dyn Source>,
    tokens: &mut Tokens<'_>,
    facts: &mut RFacts,
    context: &mut Context<'_>,
) {
    let place = Place { region: Region::Data, frame: call::Frame::Outside };
    let max_cells = context.meter().budget().max_nodes;
    let mut walk = Walk {
        source,
        tokens,
        facts,
        tasks: vec![Task::Item(None, place)],
        references: Vec::new(),
        shared: HashMap::new(),
        code: Code::new(max_cells),
        members: Vec::new(),
    };
    while let Some(task) = walk.tasks.pop() {
        let at = walk.tokens.reader.position();
        if let Err(limit) = context.meter().step(1) {
            context.exhausted(limit, at);
            break;
        }
        match walk.step(task) {
            Ok(()) => {}
            Err(Stop::End(end)) => {
                context.read_end(end, at, "an object of R");
                break;
            }
            Err(Stop::Unknown(kind)) => {
                context.issue(IssueKind::Malformed, at, format!("{kind} is no type of object R writes"));
                break;
            }
        }
    }
    if walk.code.is_full() {
        context.issue(IssueKind::Budget, None, "more lists and calls than the limit `max-nodes`");
    }
    let Walk { facts, code, members, .. } = walk;
    for (start, length) in members {
        let window = WindowSource::new(Arc::clone(source), start, length);
        context.member(format!("@raw/{start}"), Arc::new(window));
    }
    if !code.summarise(facts) {
        context.issue(IssueKind::Budget, None, "more different functions are called than are kept");
    }
}

impl Walk<'_, '_> {
    fn step(&mut self, task: Task) -> Result<(), Stop> {
        match task {
            Task::Items(0, _) | Task::Constants(0, _) => Ok(()),
            Task::Items(left, place) => {
                self.tasks.push(Task::Items(left - 1, place));
                self.item(None, place)
            }
            Task::Item(target, place) => self.item(target, place),
            Task::ByteCode(place) => {
                self.tasks.push(Task::ConstantCount(place));
                self.item(None, place)
            }
            Task::ConstantCount(place) => {
                let count = self.tokens.length()?;
                self.tasks.push(Task::Constants(count, place));
                Ok(())
            }
            Task::Constants(left, place) => {
                self.tasks.push(Task::Constants(left - 1, place));
                match self.tokens.int()? {
                    21 => self.tasks.push(Task::ByteCode(place)),
                    kind @ (2 | 6 | 239 | 240 | 243 | 244) => {
                        self.tasks.push(Task::ByteCodeLanguage(Some(kind), None, place));
                    }
                    _ => self.tasks.push(Task::Item(None, place)),
                }
                Ok(())
            }
            Task::ByteCodeLanguage(kind, target, place) => self.byte_code_language(kind, target, place),
        }
    }

    /// Lists of byte code have no flags: their type, perhaps attributes, and always a tag.
    fn byte_code_language(&mut self, kind: Option<i32>, target: Target, place: Place) -> Result<(), Stop> {
        let at = self.tokens.reader.position();
        let mut shared = None;
        let mut kind = match kind {
            Some(kind) => kind,
            None => self.tokens.int()?,
        };
        match kind {
            // A cell that was there before.
            243 => {
                let number = self.tokens.int()?;
                let known = self.shared.get(&number).copied().unwrap_or(Code::OTHER);
                self.set(target, known);
                return Ok(());
            }
            244 => {
                shared = Some(self.tokens.int()?);
                kind = self.tokens.int()?;
            }
            _ => {}
        }
        let cell = match kind {
            6 | 240 => Cell::Call,
            2 | 239 => Cell::List,
            // R makes a shared cell of whatever type it is told to.
            5 if shared.is_some() => Cell::Promise,
            _ if shared.is_some() => Cell::List,
            _ => {
                self.tasks.push(Task::Item(target, place));
                return Ok(());
            }
        };
        let cell = self.code.cell(cell, place, at);
        if let Some(number) = shared {
            self.shared.insert(number, cell);
        }
        self.set(target, cell);
        let field = |field| Some((cell, field));
        self.tasks.push(Task::ByteCodeLanguage(None, field(Field::Rest), place));
        self.tasks.push(Task::ByteCodeLanguage(None, field(Field::Head), place));
        self.tasks.push(Task::Item(field(Field::Tag), place));
        if matches!(kind, 239 | 240) {
            self.tasks.push(Task::Item(None, place.data()));
        }
        Ok(())
    }

    fn set(&mut self, target: Target, value: u32) {
        let Some((cell, field)) = target else { return };
        if let Some(cell) = self.code.get_mut(cell) {
            match field {
                Field::Tag => cell.tag = value,
                Field::Head => cell.head = value,
                Field::Rest => cell.rest = value,
            }
        }
    }

    fn count(&mut self, kind: &'static str) {
        *self.facts.types.entry(kind).or_insert(0) += 1;
    }

    /// One object; what it holds goes onto the stack.
    fn item(&mut self, target: Target, place: Place) -> Result<(), Stop> {
        let at = self.tokens.reader.position();
        let flags = self.tokens.int()?.cast_unsigned();
        let kind = flags as u8;
        let has_attributes = flags & 1 << 9 != 0;
        let attributes = |walk: &mut Self| {
            if has_attributes {
                walk.tasks.push(Task::Item(None, place.data()));
            }
        };
        let value = match kind {
            0 | 254 => Code::NULL,
            252 => Code::UNBOUND,
            241 | 242 | 250 | 251 | 253 => Code::OTHER,
            255 => {
                let packed = flags >> 8;
                let index = if packed == 0 { self.tokens.int()?.cast_unsigned() } else { packed };
                let index = index.wrapping_sub(1) as usize;
                self.references.get(index).copied().unwrap_or(Code::OTHER)
            }
            1 => {
                // A symbol is written as its name, a text of its own.
                self.count("symbol");
                self.tokens.int()?;
                let name = self.string()?.unwrap_or_default();
                let symbol = self.code.symbol(&name);
                self.references.push(symbol);
                symbol
            }
            247..=249 => {
                self.tokens.int()?;
                let count = self.tokens.length()?;
                self.references.push(Code::OTHER);
                self.tasks.push(Task::Items(count, place.data()));
                Code::OTHER
            }
            4 => {
                self.count("environment");
                self.tokens.int()?;
                self.references.push(Code::OTHER);
                // Enclosing environment, frame, hash table, attributes.
                self.tasks.push(Task::Item(None, place.data()));
                self.tasks.push(Task::Item(None, place.data().framed()));
                self.tasks.push(Task::Item(None, place.data().framed()));
                self.tasks.push(Task::Item(None, place.data()));
                Code::OTHER
            }
            2 | 3 | 5 | 6 | 17 => return self.list(kind, flags, at, target, place),
            7 | 8 => {
                self.count("builtin");
                let length = self.tokens.length()?;
                let name = self.tokens.text(length)?;
                attributes(self);
                self.code.symbol(&name)
            }
            9 => {
                let text = self.string()?;
                attributes(self);
                match target {
                    Some(_) => self.code.text(text.unwrap_or_default()),
                    None => Code::OTHER,
                }
            }
            10 | 13 | 14 | 15 | 24 => self.numbers(kind, target, has_attributes, place)?,
            16 => {
                self.count("character");
                let count = self.tokens.length()?;
                attributes(self);
                self.strings(count, target, place)?
            }
            19 | 20 => {
                self.count(if kind == 19 { "list" } else { "expression" });
                let count = self.tokens.length()?;
                attributes(self);
                self.tasks.push(Task::Items(count, place.element()));
                Code::OTHER
            }
            21 => {
                self.count("bytecode");
                // How many cells are shared; they are numbered, not listed.
                self.tokens.int()?;
                attributes(self);
                self.tasks.push(Task::ByteCode(place));
                Code::OTHER
            }
            22 => {
                self.count("external pointer");
                self.references.push(Code::OTHER);
                attributes(self);
                self.tasks.push(Task::Item(None, place.data()));
                self.tasks.push(Task::Item(None, place.data()));
                Code::OTHER
            }
            23 => {
                self.references.push(Code::OTHER);
                attributes(self);
                Code::OTHER
            }
            25 => {
                self.count("s4");
                attributes(self);
                Code::OTHER
            }
            238 => {
                self.count("alternative representation");
                self.tasks.push(Task::Item(None, place.data()));
                self.tasks.push(Task::Item(None, place.data()));
                self.tasks.push(Task::Item(None, place.data()));
                Code::OTHER
            }
            other => return Err(Stop::Unknown(other)),
        };
        self.set(target, value);
        Ok(())
    }

    /// A cell of a list, a call, a function or a promise: attributes, tag, head, rest.
    fn list(&mut self, kind: u8, flags: u32, at: u64, target: Target, place: Place) -> Result<(), Stop> {
        let (has_attributes, has_tag) = (flags & 1 << 9 != 0, flags & 1 << 10 != 0);
        let (cell, head, rest) = match kind {
            6 => (Cell::Call, place.element(), place.element()),
            3 => {
                self.count("function");
                (Cell::Function, place.within(Region::Function), place.within(Region::Function))
            }
            5 => {
                self.count("promise");
                (Cell::Promise, place.data(), place.within(Region::Promise))
            }
            _ => (Cell::List, place.element_of_list(), place),
        };
        let cell = self.code.cell(cell, place, at);
        self.set(target, cell);
        self.tasks.push(Task::Item(Some((cell, Field::Rest)), rest));
        self.tasks.push(Task::Item(Some((cell, Field::Head)), head));
        if has_tag {
            self.tasks.push(Task::Item(Some((cell, Field::Tag)), place.data()));
        }
        if has_attributes {
            self.tasks.push(Task::Item(None, place.data()));
        }
        Ok(())
    }

    fn numbers(&mut self, kind: u8, target: Target, has_attributes: bool, place: Place) -> Result<u32, Stop> {
        let (name, width, words) = match kind {
            10 => ("logical", 4, 1),
            13 => ("integer", 4, 1),
            14 => ("double", 8, 1),
            15 => ("complex", 16, 2),
            _ => ("raw", 1, 1),
        };
        self.count(name);
        let count = self.tokens.length()?;
        let start = self.tokens.reader.position();
        self.tokens.skip(count, width, words)?;
        const MAX_MEMBERS: usize = 256;
        const SHORTEST: u64 = 64;
        let whole = self.tokens.encoding != Encoding::Ascii;
        if kind == 24 && whole && count >= SHORTEST && self.members.len() < MAX_MEMBERS {
            self.members.push((start, count.min(self.source.len().saturating_sub(start))));
        }
        if has_attributes {
            self.tasks.push(Task::Item(None, place.data()));
        }
        Ok(if target.is_some() && count == 1 { Code::NUMBER } else { Code::OTHER })
    }

    /// A character vector; of one that stands in a call the first text is kept.
    fn strings(&mut self, count: u64, target: Target, place: Place) -> Result<u32, Stop> {
        // Attributes on texts are only in files of old versions; then the slow way is taken.
        if count == 0 || target.is_none() {
            self.tasks.push(Task::Items(count, place.data()));
            return Ok(Code::OTHER);
        }
        let flags = self.tokens.int()?.cast_unsigned();
        if flags as u8 != 9 {
            return Err(Stop::Unknown(flags as u8));
        }
        let text = self.string()?;
        self.tasks.push(Task::Items(count - 1, place.data()));
        if flags & 1 << 9 != 0 {
            self.tasks.push(Task::Item(None, place.data()));
        }
        Ok(self.code.text(text.unwrap_or_else(|| "NA".to_owned())))
    }

    /// The length and bytes of a text whose flags are read; `None` for the text that is not available.
    fn string(&mut self) -> Result<Option<String>, Stop> {
        match self.tokens.int()? {
            -1 => Ok(None),
            length => {
                let length = u64::try_from(length).map_err(|_| ReadEnd::Truncated)?;
                Ok(Some(self.tokens.text(length)?))
            }
        }
    }
}
