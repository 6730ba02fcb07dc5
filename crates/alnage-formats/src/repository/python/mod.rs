//! Python files: parsed to a tree, names and constants followed, calls that act on the machine noted.

mod analyser;
mod bytecode;
mod calls;
mod expressions;
mod facts;
mod fold;
mod guard;
mod instruction_set;
mod sinks;
mod standard_library;
mod statements;
mod value;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use alnage_types::{IssueKind, MemorySource, Reader, Source};
use ruff_python_parser::{Mode, ParseOptions, parse};

pub(in crate::repository) use bytecode::BYTECODE;
pub use bytecode::{BytecodeFacts, Reach, Validation};
pub use facts::{Action, ArgumentOrigin, PythonFacts, SensitiveCall, When};
pub use standard_library::is_standard_library;

use super::RepositoryFacts;
use crate::{Context, Facts, Format, LoadEffect, Probe};

/// Longer files are not read.
const MAX_BYTES: u64 = 8 << 20;
/// Stack for walking the tree, whose depth the guard bounds.
const STACK: usize = 32 << 20;

pub(super) static PYTHON: Format = Format {
    id: "python",
    title: "Python source",
    extensions: &["py", "pyw", "pyi"],
    load_effect: LoadEffect::Executes,
    reads: "imports, definitions and every call of processes, code, files, network and native code, with when it runs",
    cannot: "what values that only running computes come to",
    identify,
    parse: parse_source,
};

fn identify(probe: &Probe<'_>) -> bool {
    let named = matches!(probe.extension(), Some("py" | "pyw" | "pyi"));
    let shebang = probe.shebang().is_some_and(|line| memchr::memmem::find(line, b"python").is_some());
    // `# -*- coding: … -*-` may announce another encoding than UTF-8.
    (named && !probe.head.contains(&0)) || (shebang && probe.is_text())
}

fn parse_source(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    let facts = read(source.as_ref(), context, Mode::Module);
    Facts::Repository(Box::new(RepositoryFacts::Python(facts)))
}

fn read(source: &dyn Source, context: &mut Context<'_>, mode: Mode) -> PythonFacts {
    context.claim(0..source.len());
    if source.len() > MAX_BYTES {
        context.issue(IssueKind::Budget, None, "a Python file of more than 8 MiB is not read");
        return PythonFacts::default();
    }
    match Reader::new(source).take(source.len()) {
        Ok(bytes) => read_text(&String::from_utf8_lossy(&bytes), context, mode),
        Err(end) => {
            context.read_end(end, 0, "the file");
            PythonFacts::default()
        }
    }
}

/// Reads Python from `text`.
pub(super) fn read_text(text: &str, context: &mut Context<'_>, mode: Mode) -> PythonFacts {
    if let Err(limit) = context.meter().step(text.len() as u64) {
        context.exhausted(limit, 0);
        return PythonFacts::default();
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(encoding) = hiding_encoding(text) {
        let message = format!("written in `{encoding}`, in which comments and texts can turn out to be code");
        context.issue(IssueKind::Unsupported, 0, message);
    }
    if !guard::is_shallow(text) {
        context.issue(IssueKind::Unsupported, None, "nested deeper than Python itself reads");
        return PythonFacts::default();
    }
    let outcome = stacker::grow(STACK, || {
        let parsed = parse(text, ParseOptions::from(mode)).map_err(|error| {
            let at = error.location.start().to_usize() as u64;
            (at, error.error.to_string())
        })?;
        let module = parsed.try_into_module().ok_or((0, "no module".to_owned()))?;
        Ok(analyser::analyse(text, module.suite()))
    });
    match outcome {
        Ok(outcome) => {
            if outcome.exhausted {
                context.issue(IssueKind::Budget, None, "the file computes more than the analysis follows");
            }
            // What does not compile does not run.
            for (name, code) in outcome.nested {
                if name.ends_with(".py") && !compiles(&code) {
                    continue;
                }
                context.member(name, Arc::new(MemorySource::new(code)));
            }
            outcome.facts
        }
        Err((at, error)) => {
            let error: String = error.chars().take(160).collect();
            context.issue(IssueKind::Malformed, at, format!("not Python: {error}"));
            PythonFacts::default()
        }
    }
}

/// Whether Python would compile `code`.
pub(super) fn compiles(code: &[u8]) -> bool {
    let text = String::from_utf8_lossy(code);
    guard::is_shallow(&text)
        && stacker::grow(STACK, || parse(&text, ParseOptions::from(Mode::Module)).is_ok())
}

/// The encoding that the first two lines declare (PEP 263), if it is one in which characters stand for others.
fn hiding_encoding(text: &str) -> Option<&'static str> {
    const HIDING: [&str; 7] =
        ["unicode_escape", "raw_unicode_escape", "utf_7", "utf7", "u7", "punycode", "idna"];
    let line = text.lines().take(2).find(|line| {
        line.trim_start().starts_with('#') && (line.contains("coding:") || line.contains("coding="))
    })?;
    let name = line.split_once("coding")?.1.get(1..)?.trim_start();
    let end =
        name.find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))).unwrap_or(name.len());
    let name = name.get(..end)?.to_ascii_lowercase().replace('-', "_");
    HIDING.into_iter().find(|hiding| name == *hiding)
}
