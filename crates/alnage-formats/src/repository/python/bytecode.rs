//! Compiled Python (`.pyc`): which names its statements reach when Python imports it. Nothing is decompiled.

use std::{collections::HashMap, sync::Arc};

use alnage_types::{IssueKind, Reader, Source};
use serde::Serialize;

use super::{
    super::RepositoryFacts,
    facts::Action,
    instruction_set::{self, InstructionSet, Operation},
    sinks,
};
use crate::{
    Context, Facts, Format, LoadEffect, Probe,
    marshal::{self, Outermost},
};

/// Facts of a compiled Python file.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BytecodeFacts {
    /// The version that it is for; `None` when its number is not known here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub python: Option<&'static str>,
    /// How Python tells whether it belongs to the source beside it.
    pub validation: Validation,
    /// What its statements reach when it is imported, of what acts on more than the program's own data.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reaches: Vec<Reach>,
    /// Globals, attributes and modules it uses anywhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Strings among its constants.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub constants: Vec<String>,
}

/// A callable that statements of a module reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reach {
    /// By its full name: `os.system`.
    pub name: String,
    /// What calling it does.
    pub action: Action,
    /// The string that follows: most often the argument.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// First byte of the instruction that names it.
    pub offset: u64,
}

/// How Python tells whether compiled code belongs to the source beside it (PEP 552).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Validation {
    /// By the time of the source's last change, and from 3.3 on its size.
    #[default]
    Timestamp,
    /// By a hash of the source, which who wrote the file could compute.
    Hash,
    /// Not at all.
    Unchecked,
}

pub(in crate::repository) static BYTECODE: Format = Format {
    id: "python-bytecode",
    title: "Compiled Python",
    extensions: &["pyc", "pyo"],
    load_effect: LoadEffect::Executes,
    reads: "the names it uses, and which of them its statements reach on import",
    cannot: "what its functions do, and names that are computed",
    identify: |probe| header(probe.head).is_some_and(|header| is_code(probe, header.len)),
    parse,
};

/// The start of a file.
struct Header {
    version: Option<&'static str>,
    instructions: Option<InstructionSet>,
    validation: Validation,
    len: usize,
}

fn header(head: &[u8]) -> Option<Header> {
    let [low, high, b'\r', b'\n', flags, ..] = head else { return None };
    let number = u16::from_le_bytes([*low, *high]);
    let known = instruction_set::of_magic(number);
    let (version, len) = known.as_ref().map_or((None, 16), |known| (Some(known.version), known.header));
    let validation = match flags & 3 {
        1 if len == 16 => Validation::Unchecked,
        3 if len == 16 => Validation::Hash,
        _ => Validation::Timestamp,
    };
    Some(Header { version, instructions: known.map(|known| known.instructions), validation, len })
}

fn is_code(probe: &Probe<'_>, at: usize) -> bool {
    matches!(probe.head.get(at), Some(0x63 | 0xe3))
}

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    const MAX_BYTES: u64 = 16 << 20;
    context.claim(0..source.len());
    let facts = |facts| Facts::Repository(Box::new(RepositoryFacts::Bytecode(facts)));
    if source.len() > MAX_BYTES {
        context.issue(IssueKind::Budget, None, "compiled Python of more than 16 MiB is not read");
        return facts(BytecodeFacts::default());
    }
    let bytes = match Reader::new(source.as_ref()).take(source.len()) {
        Ok(bytes) => bytes,
        Err(end) => {
            context.read_end(end, 0, "the file");
            return facts(BytecodeFacts::default());
        }
    };
    if let Err(limit) = context.meter().step(source.len()) {
        context.exhausted(limit, 0);
        return facts(BytecodeFacts::default());
    }
    let Some(header) = header(&bytes) else { return facts(BytecodeFacts::default()) };
    let mut found =
        BytecodeFacts { python: header.version, validation: header.validation, ..BytecodeFacts::default() };
    let body = bytes.get(header.len..).unwrap_or_default();
    match marshal::code(body) {
        Some(code) => {
            let start = header.len + code.outermost.instructions.start;
            let instructions = body.get(code.outermost.instructions.clone()).unwrap_or_default();
            match header.instructions {
                Some(set) => found.reaches = reaches(set, instructions, start as u64, &code.outermost),
                None => context.issue(
                    IssueKind::Unsupported,
                    0,
                    "compiled by a Python whose instructions are not known here",
                ),
            }
            (found.names, found.constants) = (code.names, code.constants);
        }
        None => context.issue(IssueKind::Malformed, header.len as u64, "the compiled code breaks off"),
    }
    facts(found)
}

/// Follows names through the statements of a module, in the order they stand in.
struct Follow<'a> {
    outermost: &'a Outermost,
    /// What variables of the module stand for.
    variables: HashMap<&'a str, String>,
    /// The module that an import leaves, and what it takes from it, until they are stored.
    imported: Option<String>,
    taken: Option<String>,
    /// What is on top of the stack, and where it was named; what was named before.
    top: Option<(String, u64)>,
    below: Option<String>,
    found: Vec<Reach>,
}

fn reaches(set: InstructionSet, code: &[u8], start: u64, outermost: &Outermost) -> Vec<Reach> {
    let mut follow = Follow {
        outermost,
        variables: HashMap::new(),
        imported: None,
        taken: None,
        top: None,
        below: None,
        found: Vec::new(),
    };
    for (offset, operation) in set.operations(code) {
        follow.step(operation, start + offset as u64);
    }
    follow.name_used();
    follow.found
}

impl<'a> Follow<'a> {
    fn step(&mut self, operation: Operation, offset: u64) {
        match operation {
            Operation::ImportName(name) => {
                self.name_used();
                self.taken = None;
                self.imported = self.name(name).map(str::to_owned);
            }
            Operation::ImportFrom(name) => {
                let (Some(module), Some(name)) = (&self.imported, self.name(name)) else { return };
                // `import a.b as c` walks from `a` to `b`.
                let walks = module.split('.').skip(1).any(|part| part == name);
                let path = if walks { module.clone() } else { format!("{module}.{name}") };
                self.taken = Some(path);
            }
            Operation::Store(name) => {
                let Some(name) = self.name(name) else { return };
                let bound = |module: String| match module.split('.').next() == Some(name) {
                    // `import a.b` binds `a`.
                    true => name.to_owned(),
                    false => module,
                };
                let top = self.top.take().map(|(path, _)| path);
                let value = self.taken.take().or(top).or_else(|| self.imported.clone().map(bound));
                match value {
                    Some(path) => self.variables.insert(name, path),
                    None => self.variables.remove(name),
                };
            }
            Operation::Load(name) => {
                self.below = self.top.as_ref().map(|(path, _)| path.clone());
                self.name_used();
                (self.imported, self.taken) = (None, None);
                let Some(name) = self.name(name) else { return };
                let path = self.variables.get(name).cloned();
                self.top = Some((path.unwrap_or_else(|| format!("builtins.{name}")), offset));
            }
            Operation::Attribute(name) => {
                if let (Some(name), Some((path, _))) = (self.name(name), &mut self.top) {
                    path.push('.');
                    path.push_str(name);
                }
            }
            Operation::Constant(at) => {
                let text = self.outermost.constants.get(at).and_then(Option::as_deref);
                (self.imported, self.taken) = (None, None);
                match (&mut self.top, text) {
                    // What the call gives back is the module,
                    (Some((path, _)), Some(text))
                        if matches!(path.as_str(), "builtins.__import__" | "importlib.import_module") =>
                    {
                        text.clone_into(path);
                    }
                    // or the attribute.
                    (Some((path, _)), Some(text)) if self.below.as_deref() == Some("builtins.getattr") => {
                        path.push('.');
                        path.push_str(text);
                    }
                    _ => {
                        self.name_used();
                        self.argument(text);
                    }
                }
            }
            // The call of an import leaves the module on the stack.
            Operation::Other if self.top.as_ref().is_some_and(|(path, _)| !path.contains('.')) => {}
            Operation::Other => self.name_used(),
            Operation::Nothing => {}
        }
    }

    fn name(&self, at: usize) -> Option<&'a str> {
        self.outermost.names.get(at).map(String::as_str)
    }

    /// What is on top of the stack is used as it is.
    fn name_used(&mut self) {
        const MOST: usize = 256;
        let Some((name, offset)) = self.top.take() else { return };
        if let Some(action) = sinks::action(&name)
            && self.found.len() < MOST
        {
            self.found.push(Reach { name, action, text: None, offset });
        }
    }

    /// Notes the first string behind the last name that was used.
    fn argument(&mut self, text: Option<&str>) {
        if let (Some(last), Some(text)) = (self.found.last_mut(), text)
            && last.text.is_none()
        {
            last.text = Some(text.to_owned());
        }
    }
}

#[cfg(test)]
mod tests;
