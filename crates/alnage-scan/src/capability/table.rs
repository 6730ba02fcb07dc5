//! Sorted text as a table: rows are found by binary search over the lines.

use std::sync::OnceLock;

use super::{Danger, Role, SinkKind, Trigger};

/// Dangerous callables written by hand.
pub(super) static DANGEROUS: Table = Table::new(include_str!("dangerous.tsv"));
/// Dangerous callables derived by `cargo xtask gadgets`.
pub(super) static GENERATED: Table = Table::new(include_str!("generated.tsv"));
/// Safe callables written by hand.
pub(super) static SAFE: Table = Table::new(include_str!("safe.tsv"));
/// Safe callables harvested by `cargo xtask gadgets`.
pub(super) static HARVESTED: Table = Table::new(include_str!("harvested.tsv"));

/// Lines of tab-separated columns, sorted by their bytes; lines that start with `#` come first and say what it is.
///
/// A dangerous row is `module name sink source`, the sink followed by `:call` where only a call reaches it. A safe
/// row is `module role source names`, with the names of one role together.
pub(super) struct Table {
    text: &'static str,
    /// Found on first use: a pickle of many thousand names asks about every one of them.
    lines: OnceLock<Vec<&'static str>>,
}

impl Table {
    const fn new(text: &'static str) -> Self {
        Self { text, lines: OnceLock::new() }
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

    /// The rows, without the lines that say what the table is.
    pub(super) fn rows(&self) -> impl Iterator<Item = &'static str> {
        self.lines().iter().copied().skip_while(|line| line.starts_with('#'))
    }

    /// The lines from the first that is not `before` what is looked for.
    fn lines_from(&self, before: impl Fn(&'static str) -> bool) -> impl Iterator<Item = &'static str> {
        let lines = self.lines();
        let first = lines.partition_point(|line| before(line));
        lines.get(first..).unwrap_or_default().iter().copied()
    }

    fn lines(&self) -> &[&'static str] {
        self.lines.get_or_init(|| self.text.lines().collect())
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
