//! Marshalled code objects of Python 2.7 and 3.0 to 3.14: the names and constants they use, nothing decompiled.

use std::ops::Range;

/// What a code object and those inside it use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Code {
    /// Globals, attributes and modules (`co_names`), in order of first use.
    pub(crate) names: Vec<String>,
    /// The strings among the constants.
    pub(crate) constants: Vec<String>,
    /// The outermost object, whose statements run when it is imported.
    pub(crate) outermost: Outermost,
    /// Bytes read.
    pub(crate) len: usize,
}

/// What the instructions of the outermost code object refer to by number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outermost {
    /// Where the instructions are.
    pub(crate) instructions: Range<usize>,
    /// `co_names`.
    pub(crate) names: Vec<String>,
    /// `co_consts`; only the strings.
    pub(crate) constants: Vec<Option<String>>,
}

/// Objects looked at.
const MAX_OBJECTS: usize = 200_000;
/// Names and constants kept, and the longest piece of each.
const MAX_KEPT: usize = 64;
const MAX_TEXT: usize = 120;
const FLAG_REF: u8 = 0x80;

/// What an object is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Name,
    Constant,
    Other,
    /// The same of the outermost code object: each name, all constants, each of them, its instructions.
    OutermostName,
    OutermostConstants,
    OutermostConstant,
    OutermostInstructions,
}

impl Slot {
    /// The use of what stands in a container.
    fn inner(self) -> Self {
        match self {
            Self::OutermostConstants => Self::OutermostConstant,
            Self::OutermostConstant => Self::Constant,
            slot => slot,
        }
    }
}

/// What is read next.
#[derive(Debug, Clone, Copy)]
enum Task {
    Object(Slot),
    /// As many objects of the same use.
    Objects(u32, Slot),
    /// Keys and values up to a NULL.
    Dict(Slot),
    Skip(usize),
    /// Behind the third tuple of a code object: a newer layout goes on with the kinds of its variables.
    Variables,
}

/// What a back reference leads to.
#[derive(Debug, Clone)]
enum Kept {
    Text(String),
    Bytes,
    Other,
}

/// Reads the code object at the start of `bytes`; `None` when there is none, or it does not end.
pub(crate) fn code(bytes: &[u8]) -> Option<Code> {
    let mut walk =
        Walk { bytes, at: 0, kept: Vec::new(), interned: Vec::new(), begun: false, found: Code::default() };
    if walk.peek()? & !FLAG_REF != b'c' {
        return None;
    }
    walk.run()?;
    walk.found.len = walk.at;
    Some(walk.found)
}

/// The same behind the header of a `.pyc` file.
pub(crate) fn module(bytes: &[u8]) -> Option<Code> {
    code(bytes).or_else(|| match bytes {
        [_, _, b'\r', b'\n', ..] => [16, 12, 8].into_iter().find_map(|header| code(bytes.get(header..)?)),
        _ => None,
    })
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    kept: Vec<Kept>,
    /// Python 2 numbers its interned strings apart.
    interned: Vec<String>,
    /// Whether the outermost code object was met.
    begun: bool,
    found: Code,
}

impl Walk<'_> {
    fn run(&mut self) -> Option<()> {
        let mut tasks = vec![Task::Object(Slot::Other)];
        for _ in 0..MAX_OBJECTS {
            match tasks.pop() {
                None => return Some(()),
                Some(Task::Object(slot)) => self.object(slot, &mut tasks)?,
                Some(Task::Objects(0, _)) => {}
                Some(Task::Objects(count, slot)) => {
                    tasks.push(Task::Objects(count - 1, slot));
                    tasks.push(Task::Object(slot));
                }
                Some(Task::Dict(slot)) => {
                    if self.peek()? == b'0' {
                        self.at += 1;
                    } else {
                        tasks.extend([Task::Dict(slot), Task::Object(slot), Task::Object(slot)]);
                    }
                }
                Some(Task::Skip(count)) => self.skip(count)?,
                Some(Task::Variables) => self.variables(&mut tasks)?,
            }
        }
        None
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.take(count).map(|_| ())
    }

    fn take(&mut self, count: usize) -> Option<&[u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn byte(&mut self) -> Option<usize> {
        self.take(1)?.first().map(|&byte| usize::from(byte))
    }

    fn long(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn object(&mut self, slot: Slot, tasks: &mut Vec<Task>) -> Option<()> {
        let code = *self.take(1)?.first()?;
        let (kind, flagged) = (code & !FLAG_REF, code & FLAG_REF != 0);
        if slot == Slot::OutermostConstant {
            self.found.outermost.constants.push(None);
        }
        let reference = flagged.then(|| {
            self.kept.push(Kept::Other);
            self.kept.len() - 1
        });
        let keep = |walk: &mut Self, kept| {
            if let Some(slot) = reference.and_then(|at| walk.kept.get_mut(at)) {
                *slot = kept;
            }
        };
        match kind {
            b'N' | b'F' | b'T' | b'S' | b'.' | b'0' => {}
            b'i' => self.skip(4)?,
            b'I' | b'g' => self.skip(8)?,
            b'y' => self.skip(16)?,
            b'f' => {
                let len = self.byte()?;
                self.skip(len)?;
            }
            b'x' => {
                for _ in 0..2 {
                    let len = self.byte()?;
                    self.skip(len)?;
                }
            }
            b'l' => {
                let digits = (self.long()? as i32).unsigned_abs();
                self.skip(digits as usize * 2)?;
            }
            b's' => {
                let len = self.long()? as usize;
                let start = self.at;
                let text = text(self.take(len)?, false);
                // Python 2 writes names this way.
                match slot {
                    Slot::Name | Slot::OutermostName => self.use_text(&text, slot),
                    Slot::Constant | Slot::OutermostConstant if text.chars().all(|c| !c.is_control()) => {
                        self.use_text(&text, slot);
                    }
                    Slot::OutermostInstructions => self.found.outermost.instructions = start..self.at,
                    _ => {}
                }
                keep(self, Kept::Bytes);
            }
            b't' => {
                let len = self.long()? as usize;
                let text = text(self.take(len)?, false);
                self.use_text(&text, slot);
                self.interned.push(text.clone());
                keep(self, Kept::Text(text));
            }
            b'R' => {
                let at = self.long()? as usize;
                let text = self.interned.get(at)?.clone();
                self.use_text(&text, slot);
            }
            b'u' | b'a' | b'A' => {
                let len = self.long()? as usize;
                let text = text(self.take(len)?, kind != b'u');
                self.use_text(&text, slot);
                keep(self, Kept::Text(text));
            }
            b'z' | b'Z' => {
                let len = self.byte()?;
                let text = text(self.take(len)?, true);
                self.use_text(&text, slot);
                keep(self, Kept::Text(text));
            }
            b'r' => {
                let at = self.long()? as usize;
                if let Kept::Text(text) = self.kept.get(at)? {
                    let text = text.clone();
                    self.use_text(&text, slot);
                }
            }
            b')' => {
                let count = self.byte()? as u32;
                tasks.push(Task::Objects(count, slot.inner()));
            }
            b'(' | b'[' | b'<' | b'>' => {
                let count = self.long()?;
                // Each takes a byte at least.
                self.bytes.get(self.at..self.at.checked_add(count as usize)?)?;
                tasks.push(Task::Objects(count, slot.inner()));
            }
            b'{' => tasks.push(Task::Dict(slot.inner())),
            b':' => tasks.push(Task::Objects(3, slot.inner())),
            b'c' => self.code_object(tasks)?,
            _ => return None,
        }
        Some(())
    }

    /// The layout shows in how many numbers stand before the bytecode: 4 in Python 2, 5 in 3.0 to 3.7 and again from
    /// 3.11 on, 6 between.
    fn code_object(&mut self, tasks: &mut Vec<Task>) -> Option<()> {
        let numbers = [5, 6, 4].into_iter().find(|&numbers| self.bytecode_at(numbers * 4))?;
        if numbers == 5 {
            tasks.push(Task::Variables);
        } else {
            // Cell and free variables, file, name, first line, line table.
            tasks.extend([Task::Object(Slot::Other), Task::Skip(4), Task::Objects(4, Slot::Other)]);
        }
        let [name, constant, instructions] = match std::mem::replace(&mut self.begun, true) {
            false => [Slot::OutermostName, Slot::OutermostConstants, Slot::OutermostInstructions],
            true => [Slot::Name, Slot::Constant, Slot::Other],
        };
        // Bytecode, constants, names, variables.
        tasks.extend([
            Task::Object(Slot::Other),
            Task::Object(name),
            Task::Object(constant),
            Task::Object(instructions),
            Task::Skip(numbers * 4),
        ]);
        Some(())
    }

    /// Whether bytecode, and a tuple behind it, stand `skipped` bytes on.
    fn bytecode_at(&self, skipped: usize) -> bool {
        let Some(rest) = self.at.checked_add(skipped).and_then(|at| self.bytes.get(at..)) else {
            return false;
        };
        let behind = match rest {
            [kind, a, b, c, d, ..] if kind & !FLAG_REF == b's' => {
                (u32::from_le_bytes([*a, *b, *c, *d]) as usize).saturating_add(5)
            }
            [b'r', ..] => 5,
            _ => return false,
        };
        matches!(rest.get(behind).map(|kind| kind & !FLAG_REF), Some(b'(' | b')' | b'r'))
    }

    fn variables(&mut self, tasks: &mut Vec<Task>) -> Option<()> {
        let kinds = match self.bytes.get(self.at..self.at.checked_add(5)?)? {
            [kind, ..] if kind & !FLAG_REF == b's' => true,
            [b'r', a, b, c, d] => {
                let at = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
                matches!(self.kept.get(at), Some(Kept::Bytes))
            }
            _ => false,
        };
        let tail: &[Task] = if kinds {
            // Exception and line tables, first line; kinds, file, name, qualified name.
            &[Task::Objects(2, Slot::Other), Task::Skip(4), Task::Objects(4, Slot::Other)]
        } else {
            &[Task::Object(Slot::Other), Task::Skip(4), Task::Objects(4, Slot::Other)]
        };
        tasks.extend(tail);
        Some(())
    }

    fn use_text(&mut self, text: &str, slot: Slot) {
        let outermost = &mut self.found.outermost;
        match slot {
            Slot::OutermostName => outermost.names.push(text.to_owned()),
            Slot::OutermostConstant => {
                if let Some(last) = outermost.constants.last_mut() {
                    *last = Some(text.to_owned());
                }
            }
            _ => {}
        }
        let list = match slot {
            Slot::Name | Slot::OutermostName => &mut self.found.names,
            Slot::Constant | Slot::OutermostConstant => &mut self.found.constants,
            Slot::Other | Slot::OutermostConstants | Slot::OutermostInstructions => return,
        };
        if !text.is_empty() && list.len() < MAX_KEPT && !list.iter().any(|known| known == text) {
            list.push(text.to_owned());
        }
    }
}

/// The beginning of a string, as it may be kept.
fn text(bytes: &[u8], latin: bool) -> String {
    let bytes = &bytes[..bytes.len().min(MAX_TEXT)];
    if latin {
        bytes.iter().map(|&byte| char::from(byte)).collect()
    } else {
        String::from_utf8_lossy(bytes).into_owned()
    }
}

#[cfg(test)]
mod tests;
