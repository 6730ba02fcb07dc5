//! Jupyter notebooks: each code cell handed on as the Python or shell script it is.

use std::sync::Arc;

use alnage_types::{MemorySource, Source};
use serde::Serialize;

use super::{
    RepositoryFacts,
    document::{Path, Receiver, Scalar, looks_like_json, read_json},
    python,
};
use crate::{Context, Facts, Format, LoadEffect, Probe};

const MAX_CELLS: usize = 4096;
const MAX_CODE: usize = 4 << 20;

/// Facts of a notebook.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NotebookFacts {
    /// The language of its kernel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// How many cells hold code.
    pub code_cells: u64,
}

pub(super) static NOTEBOOK: Format = Format {
    id: "notebook",
    title: "Jupyter notebook",
    extensions: &["ipynb"],
    load_effect: LoadEffect::MayExecute,
    reads: "every code cell, as Python or as a shell script",
    cannot: "cells in other languages; what saved output makes a browser do",
    identify,
    parse,
};

fn identify(probe: &Probe<'_>) -> bool {
    probe.extension() == Some("ipynb") && looks_like_json(probe)
}

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    let mut collector = Collector::default();
    // The same bytes are read as JSON too; what is wrong with them is said there.
    let before = context.issues.len();
    read_json(source.as_ref(), context, &mut collector);
    context.issues.truncate(before);
    let cells: Vec<Cell> = collector.cells.into_iter().filter(|cell| cell.is_code).collect();
    let facts = NotebookFacts { language: collector.language, code_cells: cells.len() as u64 };
    let is_python = facts.language.as_deref().is_none_or(|language| language.eq_ignore_ascii_case("python"));
    for cell in cells.into_iter().filter(|_| is_python) {
        let number = cell.number + 1;
        let Some((extension, code)) = script(&cell.source) else { continue };
        let code = code.into_bytes();
        // What does not compile does not run.
        if extension == "sh" || python::compiles(&code) {
            context.member(format!("cell-{number}.{extension}"), Arc::new(MemorySource::new(code)));
        }
    }
    Facts::Repository(Box::new(RepositoryFacts::Notebook(facts)))
}

struct Cell {
    sheet: usize,
    number: usize,
    is_code: bool,
    source: String,
}

#[derive(Default)]
struct Collector {
    language: Option<String>,
    cells: Vec<Cell>,
    kept: usize,
}

impl Collector {
    /// The cell that `path` leads into, and the key in it: `cells/3/source`, or of old `worksheets/0/cells/3/input`.
    fn cell<'a>(&mut self, path: &'a Path) -> Option<(&mut Cell, &'a str)> {
        let (base, sheet) = match path.key(0)? {
            "cells" => (0, 0),
            "worksheets" if path.key(2) == Some("cells") => (2, path.index(1)?),
            _ => return None,
        };
        let (number, key) = (path.index(base + 1)?, path.key(base + 2)?);
        let fresh = !self.cells.last().is_some_and(|last| last.sheet == sheet && last.number == number);
        if fresh && self.cells.len() < MAX_CELLS {
            self.cells.push(Cell { sheet, number, is_code: false, source: String::new() });
        }
        let cell = self.cells.last_mut()?;
        (cell.number == number && cell.sheet == sheet).then_some((cell, key))
    }
}

impl Receiver for Collector {
    fn open(&mut self, _: &Path) {}

    fn scalar(&mut self, path: &Path, value: Scalar<'_>, _: u64) {
        let Some(text) = value.as_str() else { return };
        if path.key(0) == Some("metadata") {
            let last = path.depth().checked_sub(1).and_then(|last| path.key(last));
            if path.depth() == 3
                && (last == Some("language")
                    || (last == Some("name") && path.key(1) == Some("language_info")))
            {
                self.language = Some(text.chars().take(64).collect());
            }
            return;
        }
        let room = MAX_CODE.saturating_sub(self.kept);
        let Some((cell, key)) = self.cell(path) else { return };
        match key {
            "cell_type" => cell.is_code = text == "code",
            "source" | "input" if text.len() <= room => {
                cell.source.push_str(text);
                self.kept += text.len();
            }
            _ => {}
        }
    }

    fn duplicate(&mut self, _: &Path, _: u64) {}

    fn tag(&mut self, _: &Path, _: &str, _: u64) {}
}

/// The cell as a file: its extension and text. Nothing for other languages.
fn script(source: &str) -> Option<(&'static str, String)> {
    let first = source.lines().find(|line| !line.trim().is_empty())?.trim();
    if let Some(magic) = first.strip_prefix("%%") {
        let name = magic.split_whitespace().next().unwrap_or_default();
        let rest = source.split_once(first).map_or("", |(_, rest)| rest);
        return match name {
            "bash" | "sh" | "script" | "!" | "sx" | "system" => Some(("sh", rest.to_owned())),
            "time" | "timeit" | "capture" | "prun" | "python" | "python3" | "pypy" | "px" => {
                Some(("py", python_of(rest)))
            }
            "writefile" | "file" if magic.trim_end().ends_with(".py") => Some(("py", rest.to_owned())),
            "writefile" | "file" if magic.trim_end().ends_with(".sh") => Some(("sh", rest.to_owned())),
            _ => None,
        };
    }
    Some(("py", python_of(source)))
}

/// Rewrites IPython's own lines as Python: `!command` and `name = !command` start processes, other magics do nothing.
fn python_of(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        let body = line.trim_start();
        let indent = &line[..line.len() - body.len()];
        let (target, rest) = match body.split_once('=') {
            Some((name, rest)) if is_name(name.trim()) && rest.trim_start().starts_with(['!', '%']) => {
                (name.trim(), rest.trim_start())
            }
            _ => ("_", body),
        };
        let of_system = ["%sx ", "%system ", "%sc "].iter().find_map(|magic| rest.strip_prefix(magic));
        if let Some(command) = rest.strip_prefix("!!").or_else(|| rest.strip_prefix('!')).or(of_system) {
            let mut command = command.to_owned();
            while command.ends_with('\\') {
                command.pop();
                command.push_str(lines.next().unwrap_or_default().trim());
            }
            text.push_str(&format!("{indent}{target} = __import__('os').popen({})", literal(&command)));
        } else if rest.starts_with('%') || rest.starts_with('?') {
            text.push_str(&format!("{indent}{target} = None"));
        } else if body.ends_with('?') && !body.contains(['#', '\'', '"']) {
            text.push_str(&format!("{indent}pass"));
        } else {
            text.push_str(line);
        }
        text.push('\n');
    }
    text
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ',' | ' '))
}

/// A Python string literal.
fn literal(text: &str) -> String {
    let mut literal = String::from("'");
    for character in text.chars() {
        match character {
            '\\' | '\'' => literal.extend(['\\', character]),
            other => literal.push(other),
        }
    }
    literal.push('\'');
    literal
}
