//! Model cards: the front matter of a repository's `README.md`.

use std::sync::Arc;

use alnage_types::{IssueKind, Reader, Source};
use serde::Serialize;

use super::{
    Entry, RepositoryFacts,
    document::{Path, Receiver, Scalar, read_yaml_text},
};
use crate::{Context, Facts, Format, LoadEffect, Probe};

const MAX_BYTES: u64 = 4 << 20;
const MAX_ITEMS: usize = 64;

/// Facts of a model card or another Markdown document.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CardFacts {
    /// Licence identifiers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub license: Vec<String>,
    /// Models this one was made from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub base_model: Vec<String>,
    /// Data sets it was trained on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub datasets: Vec<String>,
    /// Tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Languages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub language: Vec<String>,
    /// Metrics.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<String>,
    /// The library that loads it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub library_name: Option<String>,
    /// The task it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pipeline_tag: Option<String>,
    /// Whether the text tells readers to load with `trust_remote_code=True`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub asks_for_remote_code: bool,
    /// The values of the front matter, each with its place.
    #[serde(skip)]
    pub entries: Vec<Entry>,
    /// The text by headings.
    #[serde(skip)]
    pub sections: Vec<Section>,
}

/// What stands under a heading, up to the next one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Section {
    /// The heading; empty before the first.
    pub heading: String,
    /// How deep it stands: 1 for the title.
    pub level: u8,
    /// The lines as written, shortened.
    pub text: String,
    /// First byte of the heading.
    pub start: u64,
    /// One past the last byte of the text.
    pub end: u64,
}

pub(super) static MARKDOWN: Format = Format {
    id: "markdown",
    title: "Markdown document",
    extensions: &["md", "markdown"],
    load_effect: LoadEffect::Data,
    reads: "the front matter of a model card: licence, base model, data sets, task",
    cannot: "whether what the card says is true",
    identify,
    parse,
};

fn identify(probe: &Probe<'_>) -> bool {
    matches!(probe.extension(), Some("md" | "markdown")) && probe.is_text()
}

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    context.claim(0..source.len());
    let mut facts = CardFacts::default();
    match Reader::new(source.as_ref()).take(source.len().min(MAX_BYTES)) {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            facts.asks_for_remote_code = text.contains("trust_remote_code=True");
            facts.sections = sections(&text);
            if let Some((start, matter)) = front_matter(&text) {
                let before = context.issues.len();
                read_yaml_text(matter, start, context, &mut Collector(&mut facts));
                // A card is for people; nothing that loads a model reads it.
                context.issues.retain({
                    let mut at = 0;
                    move |issue| {
                        at += 1;
                        at <= before || issue.kind != IssueKind::Malformed
                    }
                });
            }
        }
        Err(end) => context.read_end(end, 0, "the document"),
    }
    Facts::Repository(Box::new(RepositoryFacts::Card(facts)))
}

/// What stands between the `---` lines a card begins with, and where.
fn front_matter(text: &str) -> Option<(u64, &str)> {
    let rest = text.strip_prefix('\u{feff}').unwrap_or(text).strip_prefix("---")?;
    let rest = rest.strip_prefix('\r').unwrap_or(rest).strip_prefix('\n')?;
    let end = rest.find("\n---")?;
    Some(((text.len() - rest.len()) as u64, &rest[..end]))
}

/// The text by headings; what stands between the fences of code is text too.
fn sections(text: &str) -> Vec<Section> {
    const MAX_SECTIONS: usize = 128;
    const MAX_TEXT: usize = 16 << 10;
    let mut at = front_matter(text).map_or(0, |(start, matter)| start as usize + matter.len());
    let mut sections = vec![Section { start: at as u64, end: at as u64, ..Section::default() }];
    let mut fenced = false;
    for line in text.get(at..).unwrap_or_default().split_inclusive('\n') {
        let trimmed = line.trim();
        fenced ^= trimmed.starts_with("```");
        let level = trimmed.bytes().take_while(|&byte| byte == b'#').count();
        let heading = trimmed.get(level..).unwrap_or_default();
        if !fenced && (1..=6).contains(&level) && heading.starts_with(' ') && sections.len() < MAX_SECTIONS {
            let heading = heading.trim().chars().take(256).collect();
            let (start, level) = (at as u64, level as u8);
            sections.push(Section { heading, level, text: String::new(), start, end: start });
        } else if let Some(section) = sections.last_mut().filter(|last| last.text.len() < MAX_TEXT)
            // The line that ends the front matter is no text.
            && !(section.level == 0 && trimmed == "---")
        {
            section.text.push_str(line);
        }
        at += line.len();
        if let Some(section) = sections.last_mut() {
            section.end = at as u64;
        }
    }
    sections
}

struct Collector<'a>(&'a mut CardFacts);

impl Receiver for Collector<'_> {
    fn open(&mut self, _: &Path) {}

    fn scalar(&mut self, path: &Path, value: Scalar<'_>, offset: u64) {
        Entry::keep(&mut self.0.entries, path, value, offset);
        let list = path.depth() == 2 && path.index(1).is_some();
        if !(path.depth() == 1 || list) || value == Scalar::Null {
            return;
        }
        let text: String = value.shown().chars().take(256).collect();
        let facts = &mut *self.0;
        let items = match path.key(0) {
            Some("license" | "license_name") => &mut facts.license,
            Some("base_model") => &mut facts.base_model,
            Some("datasets") => &mut facts.datasets,
            Some("tags") => &mut facts.tags,
            Some("language") => &mut facts.language,
            Some("metrics") => &mut facts.metrics,
            Some("library_name") => return facts.library_name = Some(text),
            Some("pipeline_tag") => return facts.pipeline_tag = Some(text),
            _ => return,
        };
        if items.len() < MAX_ITEMS {
            items.push(text);
        }
    }

    fn duplicate(&mut self, _: &Path, _: u64) {}

    fn tag(&mut self, _: &Path, _: &str, _: u64) {}
}
