//! Torch7 files of Lua: recognised strictly, then searched for code.

use std::sync::Arc;

use alnage_types::{Reader, Source};
use memchr::memmem;
use serde::Serialize;

use super::FrameworkFacts;
use crate::{Context, Facts, Format, LoadEffect, Probe};

pub(super) static FORMAT: Format = Format {
    id: "torch7",
    title: "Torch7",
    extensions: &["t7"],
    load_effect: LoadEffect::MayExecute,
    reads: "the class of the outermost object; Lua bytecode and calls anywhere in the file",
    cannot: "the tree of objects; functions that are called through names put together at run time",
    identify,
    parse,
};

/// What a Torch7 file holds.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Torch7Facts {
    /// Whether numbers are written as text.
    pub ascii: bool,
    /// Lua calls and bytecode: what, and at which byte. At most 64.
    pub code: Vec<(String, u64)>,
}

/// A Torch object starts with its type 4, an index, and the version text `V 1`; a table or function may hold one.
fn identify(probe: &Probe<'_>) -> bool {
    is_ascii(probe.head) || is_binary(probe.head)
}

fn is_ascii(head: &[u8]) -> bool {
    if !matches!(head, [b'3' | b'4', b'\n', ..]) {
        return false;
    }
    let mut lines = head.split(|&byte| byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let is_number = |line: &[u8]| !line.is_empty() && line.len() < 12 && line.iter().all(u8::is_ascii_digit);
    let kind = line();
    match kind {
        b"4" => is_number(line()) && line() == b"3" && line().starts_with(b"V "),
        // A table, whose count follows its index; somewhere below is an object.
        b"3" => is_number(line()) && is_number(line()) && memmem::find(head, b"\n3\nV 1\n").is_some(),
        _ => false,
    }
}

fn is_binary(head: &[u8]) -> bool {
    let version = b"\x03\0\0\0V 1";
    match head {
        [4, 0, 0, 0, _, _, _, _, rest @ ..] => rest.starts_with(version),
        [3, 0, 0, 0, 1, 0, 0, 0, ..] => memmem::find(head, version).is_some(),
        _ => false,
    }
}

/// What Lua that runs something looks like.
const CODE: &[&[u8]] = &[
    b"os.execute",
    b"io.popen",
    b"loadstring",
    b"dofile(",
    b"loadfile(",
    b"package.loadlib",
    b"ffi.load",
    b"ffi.cdef",
    b"os.remove",
    b"os.rename",
    b"io.open",
    b"debug.getregistry",
    b"assert(load",
    b"socket.http",
    b"\x1bLua",
    b"\x1bLJ\x01",
    b"\x1bLJ\x02",
];

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    const STEP: u64 = 48 << 10;
    const OVERLAP: u64 = 32;
    const MAX_LISTED: usize = 64;
    let mut facts = Torch7Facts::default();
    let mut reader = Reader::new(source.as_ref());
    let finders: Vec<_> = CODE.iter().map(memmem::Finder::new).collect();
    let mut position = 0;
    while position < source.len() {
        if let Err(limit) = context.meter().step(1) {
            context.exhausted(limit, position);
            break;
        }
        reader.seek(position);
        let window = match reader.take((STEP + OVERLAP).min(reader.remaining())) {
            Ok(window) => window,
            Err(end) => {
                context.read_end(end, position, "a Torch7 file");
                break;
            }
        };
        if position == 0 {
            facts.ascii = window.first().is_some_and(u8::is_ascii_digit);
        }
        for (finder, needle) in finders.iter().zip(CODE) {
            for at in finder.find_iter(&window).map(|at| at as u64).filter(|&at| at < STEP) {
                if facts.code.len() < MAX_LISTED {
                    let name = match needle {
                        [0x1b, ..] => "Lua bytecode".to_owned(),
                        text => String::from_utf8_lossy(text).into_owned(),
                    };
                    facts.code.push((name, position + at));
                }
            }
        }
        position += STEP;
    }
    context.claim(0..source.len());
    Facts::Framework(Box::new(FrameworkFacts::Torch7(facts)))
}

#[cfg(test)]
mod tests {
    #[test]
    fn damaged_files_are_survived() {
        let sample = b"4\n1\n3\nV 1\n9\nnn.Linear\n2\n16\nos.execute('id')\n";
        super::super::mutation::survive("m.t7", sample, 2000);
        let sample = b"\x04\0\0\0\x01\0\0\0\x03\0\0\0V 1\x02\0\0\0nn\x1bLJ\x02";
        super::super::mutation::survive("m.t7", sample, 2000);
    }
}
