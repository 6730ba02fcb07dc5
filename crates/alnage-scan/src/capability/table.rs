//! Sorted text as a table: rows are found by binary search over blocks, and over the lines of one.

use std::{io::Read as _, sync::OnceLock};

use flate2::read::DeflateDecoder;

use super::{Danger, Role, SinkKind, Trigger};

/// Dangerous callables written by hand.
pub(super) static DANGEROUS: Table = include!(concat!(env!("OUT_DIR"), "/dangerous.rs"));
/// Dangerous callables derived by `cargo xtask gadgets`.
pub(super) static GENERATED: Table = include!(concat!(env!("OUT_DIR"), "/generated.rs"));
/// Safe callables written by hand.
pub(super) static SAFE: Table = include!(concat!(env!("OUT_DIR"), "/safe.rs"));
/// Safe callables harvested by `cargo xtask gadgets`.
pub(super) static HARVESTED: Table = include!(concat!(env!("OUT_DIR"), "/harvested.rs"));

/// Lines of tab-separated columns, sorted by their bytes; in the files, lines that start with `#` come first and say what
/// it is. `build.rs` packs them in blocks, and a block is unpacked when something in it is looked for.
///
/// A dangerous row is `module name sink source`, the sink followed by `:call` where only a call reaches it. A safe
/// row is `module role source names`, with the names of one role together.
pub(super) struct Table {
    packed: &'static [u8],
    /// The first two columns of each block, and where the block ends.
    index: &'static [(&'static str, usize)],
    blocks: OnceLock<Vec<OnceLock<Vec<&'static str>>>>,
}

impl Table {
    const fn new(packed: &'static [u8], index: &'static [(&'static str, usize)]) -> Self {
        Self { packed, index, blocks: OnceLock::new() }
    }

    /// What the row of a dangerous table says about `module.name`.
    pub(super) fn danger(&self, module: &str, name: &str) -> Option<Danger> {
        let row = self.lines_from(|line| key(line) < (module, name)).next()?;
        if key(row) == (module, name) { danger_of(row) } else { None }
    }

    /// In which role a safe table knows `module.name`.
    pub(super) fn role(&self, module: &str, name: &str) -> Option<Role> {
        self.lines_from(|line| key(line).0 < module)
            .take_while(|line| key(line).0 == module)
            .find(|line| names_of(line).any(|known| known == name))
            .and_then(role_of)
    }

    /// All rows of a dangerous table.
    pub(super) fn dangers(&self) -> impl Iterator<Item = (&'static str, &'static str, Danger)> {
        self.rows().filter_map(|line| {
            let (module, name) = key(line);
            danger_of(line).map(|danger| (module, name, danger))
        })
    }

    /// All rows of a safe table, one for each name.
    pub(super) fn roles(&self) -> impl Iterator<Item = (&'static str, &'static str, Role)> {
        self.rows().filter_map(|line| role_of(line).map(|role| (line, role))).flat_map(|(line, role)| {
            let (module, _) = key(line);
            names_of(line).map(move |name| (module, name, role))
        })
    }

    /// All rows.
    pub(super) fn rows(&self) -> impl Iterator<Item = &'static str> {
        (0..self.index.len()).flat_map(|at| self.block(at).iter().copied())
    }

    /// The rows from the first that is not `before` what is looked for.
    fn lines_from(&self, before: impl Fn(&'static str) -> bool) -> impl Iterator<Item = &'static str> {
        let block = self.index.partition_point(|(first, _)| before(first)).saturating_sub(1);
        let first = self.block(block).partition_point(|line| before(line));
        (block..self.index.len()).flat_map(|at| self.block(at).iter().copied()).skip(first)
    }

    /// The rows of a block; those of one that there is not are none.
    fn block(&self, at: usize) -> &[&'static str] {
        let blocks = self.blocks.get_or_init(|| self.index.iter().map(|_| OnceLock::new()).collect());
        blocks.get(at).map_or(&[], |rows| rows.get_or_init(|| self.unpack(at)))
    }

    fn unpack(&self, at: usize) -> Vec<&'static str> {
        let begin = at.checked_sub(1).and_then(|before| self.index.get(before)).map_or(0, |(_, end)| *end);
        let end = self.index.get(at).map_or(begin, |(_, end)| *end);
        let mut text = String::new();
        DeflateDecoder::new(&self.packed[begin..end])
            .read_to_string(&mut text)
            .expect("`build.rs` packs what can be unpacked, and a test unpacks all");
        // Kept for good, as the table is.
        String::leak(text).lines().collect()
    }
}

fn key(line: &'static str) -> (&'static str, &'static str) {
    let (first, rest) = column(line);
    (first, column(rest).0)
}

/// The first column of a row and what follows. Columns are short, for which a plain loop is fastest.
fn column(line: &'static str) -> (&'static str, &'static str) {
    let end = line.bytes().position(|byte| byte == b'\t').unwrap_or(line.len());
    (&line[..end], line.get(end + 1..).unwrap_or_default())
}

fn names_of(line: &'static str) -> impl Iterator<Item = &'static str> {
    line.split('\t').nth(3).unwrap_or_default().split(' ')
}

fn danger_of(line: &'static str) -> Option<Danger> {
    let mut columns = line.split('\t').skip(2);
    let (sink, source) = (columns.next()?, columns.next()?);
    let (sink, trigger) = match sink.strip_suffix(":call") {
        Some(sink) => (sink, Trigger::Call),
        None => (sink, Trigger::Any),
    };
    let sink = match sink {
        "process" => SinkKind::Process,
        "code" => SinkKind::Code,
        "native" => SinkKind::Native,
        "import" => SinkKind::Import,
        "file" => SinkKind::File,
        "network" => SinkKind::Network,
        "gadget" => SinkKind::Gadget,
        _ => return None,
    };
    Some(Danger { sink, trigger, source })
}

fn role_of(line: &'static str) -> Option<Role> {
    match line.split('\t').nth(1)? {
        "constructor" => Some(Role::Constructor),
        "class" => Some(Role::Class),
        "reference" => Some(Role::Reference),
        "byarguments" => Some(Role::ByArguments),
        _ => None,
    }
}
