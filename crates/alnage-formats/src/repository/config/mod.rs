//! Configuration documents: `config.json` and everything that loaders read like it, JSON or YAML.

mod collect;
mod facts;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use alnage_types::Source;

pub use facts::{
    AutoMapEntry, Component, ConfigFacts, ConfigRole, Instantiation, PythonTag, Setting, ShardIndex,
};

use super::{
    RepositoryFacts,
    document::{looks_like_json, read_json, read_yaml},
};
use crate::{Context, Facts, Format, LoadEffect, Probe};

pub(super) static JSON: Format = Format {
    id: "json",
    title: "JSON",
    extensions: &["json", "jsonl", "ndjson"],
    load_effect: LoadEffect::MayExecute,
    reads: "every value: classes to import, objects to make by name, trust settings, templates, shard maps",
    cannot: "what a loader we do not know does with keys of its own",
    identify: looks_like_json,
    parse: parse_json,
};

pub(super) static YAML: Format = Format {
    id: "yaml",
    title: "YAML",
    extensions: &["yaml", "yml"],
    load_effect: LoadEffect::MayExecute,
    reads: "every value and tag: Python objects, objects to make by name, trust settings",
    cannot: "what interpolations (`${…}`) come to when they are resolved",
    identify: identify_yaml,
    parse: parse_yaml,
};

fn parse_json(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    let mut collector = collect::Collector::new(context.path());
    let documents = read_json(source, context, &mut collector);
    let facts = collector.finish(documents, context);
    Facts::Repository(Box::new(RepositoryFacts::Config(Box::new(facts))))
}

fn identify_yaml(probe: &Probe<'_>) -> bool {
    let named = matches!(probe.extension(), Some("yaml" | "yml")) || matches!(probe.path.name(), "MLmodel");
    (named && probe.is_text() && !looks_like_json(probe))
        || (probe.is_text()
            && memchr::memmem::find(probe.head, b"!!python/").is_some_and(|at| {
                // A tag stands where a value does: after white space, at most.
                at == 0 || probe.head[at - 1].is_ascii_whitespace()
            })
            && !is_document(probe))
}

/// Whether the name says text for people or a program, in which a tag is only mentioned.
fn is_document(probe: &Probe<'_>) -> bool {
    matches!(
        probe.extension(),
        Some("md" | "markdown" | "rst" | "txt" | "py" | "html" | "ipynb" | "json" | "sh" | "log")
    )
}

fn parse_yaml(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    let mut collector = collect::Collector::new(context.path());
    read_yaml(source, context, &mut collector);
    let facts = collector.finish(1, context);
    Facts::Repository(Box::new(RepositoryFacts::Config(Box::new(facts))))
}
