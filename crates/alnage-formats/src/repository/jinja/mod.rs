//! Jinja templates: chat templates above all, which are programs that run on every message.

mod facts;
mod fold;
mod inspect;
mod lexer;
mod parser;
mod statements;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use alnage_types::{IssueKind, Reader, Source};

pub use facts::{Construct, ConstructKind, TemplateFacts};

use super::RepositoryFacts;
use crate::{Context, Facts, Format, LoadEffect, Probe};

/// No template is longer; what is, is not read.
const MAX_BYTES: u64 = 1 << 20;

pub(super) static JINJA: Format = Format {
    id: "jinja",
    title: "Jinja template",
    extensions: &["jinja", "jinja2", "j2"],
    load_effect: LoadEffect::MayExecute,
    reads: "every expression, constants folded: attributes reached, templates loaded, functions called",
    cannot: "names that only rendering computes, which are reported as computed",
    identify,
    parse,
};

fn identify(probe: &Probe<'_>) -> bool {
    if !probe.is_text() {
        return false;
    }
    if matches!(probe.extension(), Some("jinja" | "jinja2" | "j2")) {
        return true;
    }
    let name = probe.path.name();
    let named = name.contains("chat_template") || name.contains("prompt_template");
    let head = probe.head;
    let tags = memchr::memmem::find(head, b"{%").is_some();
    let begins = head.trim_ascii_start().starts_with(b"{%") || head.trim_ascii_start().starts_with(b"{#");
    let other = matches!(
        probe.extension(),
        Some(
            "json"
                | "yaml"
                | "yml"
                | "py"
                | "md"
                | "html"
                | "htm"
                | "ipynb"
                | "js"
                | "ts"
                | "go"
                | "rs"
                | "tmpl"
        )
    );
    !other && ((named && (tags || memchr::memmem::find(head, b"{{").is_some())) || (begins && tags))
}

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    let facts = read(source.as_ref(), context);
    Facts::Repository(Box::new(RepositoryFacts::Template(facts)))
}

fn read(source: &dyn Source, context: &mut Context<'_>) -> TemplateFacts {
    context.claim(0..source.len());
    if source.len() > MAX_BYTES {
        context.issue(IssueKind::Budget, None, "a template of more than 1 MiB is not read");
        return TemplateFacts::default();
    }
    let bytes = match Reader::new(source).take(source.len()) {
        Ok(bytes) => bytes,
        Err(end) => {
            context.read_end(end, 0, "the template");
            return TemplateFacts::default();
        }
    };
    if let Err(limit) = context.meter().step(source.len()) {
        context.exhausted(limit, 0);
        return TemplateFacts::default();
    }
    let template = String::from_utf8_lossy(&bytes);
    let (blocks, stopped) = lexer::blocks(&template);
    if let Some(error) = stopped {
        let message = format!("not Jinja: {}", error.what);
        context.issue(IssueKind::Malformed, error.offset as u64, message);
    }
    let mut arena = parser::Arena::default();
    let (statements, wrong) = statements::statements(&blocks, &mut arena);
    if let Some(error) = wrong {
        let message = "not Jinja: an expression that could not be read";
        context.issue(IssueKind::Malformed, error.offset as u64, message);
    }
    inspect::inspect(&template, &arena, &statements)
}
