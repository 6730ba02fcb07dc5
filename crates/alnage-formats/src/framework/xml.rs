//! XML: PMML, OpenVINO's intermediate representation, and any other, with its entities.

mod tokens;

use std::sync::Arc;

use alnage_types::{IssueKind, MemorySource, Reader, Source};
use serde::Serialize;

use super::{
    FrameworkFacts,
    text::{is_code_like, short},
};
use crate::{Context, Facts, Format, LoadEffect, Probe};
use tokens::{Token, Tokens};

pub(super) static PMML: Format = Format {
    id: "pmml",
    title: "PMML",
    extensions: &["pmml"],
    load_effect: LoadEffect::MayExecute,
    reads: "entities, functions that are applied, extensions",
    cannot: "what extensions mean to the program that reads them",
    identify: |probe| root(probe).is_some_and(|root| local(&root) == "PMML"),
    parse: |source, context| parse(source, context),
};

pub(super) static OPENVINO: Format = Format {
    id: "openvino",
    title: "OpenVINO IR",
    extensions: &[],
    load_effect: LoadEffect::MayExecute,
    reads: "layers by type and operation set, libraries and paths they name, entities",
    cannot: "what layers of extension libraries do",
    identify: |probe| root(probe).is_some_and(|root| local(&root) == "net"),
    parse: |source, context| parse(source, context),
};

pub(super) static XML: Format = Format {
    id: "xml",
    title: "XML",
    extensions: &["xml"],
    load_effect: LoadEffect::MayExecute,
    reads: "document type, entities, included documents",
    cannot: "what the document means",
    identify: |probe| {
        root(probe).is_some_and(|root| !matches!(local(&root), "PMML" | "net" | "html" | "HTML"))
    },
    parse: |source, context| parse(source, context),
};

/// What an XML document declares and refers to.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct XmlFacts {
    /// Name of the root element.
    pub root: String,
    /// How many elements there are.
    pub elements: u64,
    /// The external part of the document type, with its byte offset.
    pub external_subset: Option<XmlReference>,
    /// Entities that are read from elsewhere; at most [`XmlFacts::MAX_LISTED`].
    pub external_entities: Vec<XmlReference>,
    /// How many entities are declared in the document.
    pub internal_entities: u64,
    /// How many bytes the largest entity expands to, as far as it was followed.
    pub expansion: u64,
    /// Documents, style sheets and the like that the document asks its reader to load.
    pub includes: Vec<XmlReference>,
    /// Layers of OpenVINO that name a library or come from an extension.
    pub extensions: Vec<XmlReference>,
    /// Texts, functions and attributes that look like code, by element.
    pub code_like: Vec<XmlReference>,
}

impl XmlFacts {
    /// How many entries of each list are kept.
    pub const MAX_LISTED: usize = 256;
}

/// Something an XML document names.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct XmlReference {
    /// The entity, element or attribute.
    pub name: String,
    /// What it names.
    pub target: String,
    /// Byte offset.
    pub offset: u64,
}

/// The name of the root element, when the bytes are XML.
fn root(probe: &Probe<'_>) -> Option<String> {
    let converted = converted(probe.source);
    let source: &dyn Source = converted.as_ref().map_or(probe.source, |converted| converted);
    let mut reader = Reader::new(source);
    let head = reader.take(source.len().min(64)).ok()?;
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head);
    let start = head.iter().find(|byte| !byte.is_ascii_whitespace())?;
    if *start != b'<' {
        return None;
    }
    let mut tokens = Tokens::new(source);
    // A document type may be long; this many declarations before the root are enough to look past.
    for _ in 0..100_000 {
        match tokens.next().ok()?? {
            Token::Open { name, .. } => return Some(name),
            Token::Close | Token::Text(_) => return None,
            _ => {}
        }
    }
    None
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// The document in UTF-8 when it is in UTF-16.
fn converted(source: &dyn Source) -> Option<MemorySource> {
    const MAX_CONVERTED: u64 = 32 << 20;
    let mut reader = Reader::new(source);
    let big_endian = match *reader.take(source.len().min(2)).ok()?.as_ref() {
        [0xfe, 0xff] | [0, b'<'] => true,
        [0xff, 0xfe] | [b'<', 0] => false,
        _ => return None,
    };
    reader.seek(0);
    let bytes = (source.len() <= MAX_CONVERTED).then(|| reader.take(source.len()).ok()).flatten()?;
    let units = bytes.as_chunks::<2>().0.iter().map(|&pair| match big_endian {
        true => u16::from_be_bytes(pair),
        false => u16::from_le_bytes(pair),
    });
    let text: String = char::decode_utf16(units).map(|unit| unit.unwrap_or('\u{fffd}')).collect();
    let text = text.trim_start_matches('\u{feff}');
    text.trim_start().starts_with('<').then(|| MemorySource::new(text.as_bytes()))
}

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    let converted = converted(source.as_ref());
    let bytes: &dyn Source = converted.as_ref().map_or(source.as_ref(), |converted| converted);
    let mut facts = XmlFacts::default();
    let mut entities = Vec::new();
    let mut tokens = Tokens::new(bytes);
    let mut element = String::new();
    loop {
        if let Err(limit) = context.meter().step(1) {
            context.exhausted(limit, tokens.position());
            break;
        }
        let offset = tokens.position();
        match tokens.next() {
            Ok(Some(token)) => take(token, offset, &mut element, &mut facts, &mut entities, context),
            Ok(None) => break,
            Err(end) => {
                context.read_end(end, tokens.position(), "an XML document");
                break;
            }
        }
    }
    facts.expansion = expansion(&entities);
    context.claim(0..if converted.is_some() { source.len() } else { tokens.position() });
    Facts::Framework(Box::new(FrameworkFacts::Xml(facts)))
}

fn take(
    token: Token,
    offset: u64,
    element: &mut String,
    facts: &mut XmlFacts,
    entities: &mut Vec<(String, String)>,
    context: &mut Context<'_>,
) {
    let push = |list: &mut Vec<XmlReference>, name: &str, target: &str| {
        if list.len() < XmlFacts::MAX_LISTED {
            list.push(XmlReference { name: short(name, 128), target: short(target, 512), offset });
        }
    };
    match token {
        Token::Declaration { encoding } => {
            let known = ["utf", "ascii", "us-ascii", "iso-8859", "latin", "windows-125", "cp125"];
            let encoding = encoding.to_ascii_lowercase();
            if encoding.starts_with("utf-7")
                || !encoding.is_empty() && !known.iter().any(|name| encoding.starts_with(name))
            {
                let what = format!("a document in the encoding {:?}", short(&encoding, 40));
                context.issue(IssueKind::Unsupported, offset, what);
            }
        }
        Token::Doctype { external } => {
            facts.external_subset = external.map(|target| XmlReference {
                name: "DOCTYPE".to_owned(),
                target: short(&target, 512),
                offset,
            });
        }
        Token::Entity { name, external: Some(target), .. } => {
            push(&mut facts.external_entities, &name, &target)
        }
        Token::Entity { name, value, .. } => {
            facts.internal_entities += 1;
            if entities.len() < 4096 {
                entities.push((name, value));
            }
        }
        Token::Instruction { name, text } if name == "xml-stylesheet" => {
            push(&mut facts.includes, &name, &text)
        }
        Token::Open { name, attributes } => {
            facts.elements += 1;
            if facts.root.is_empty() {
                facts.root = short(&name, 128);
            }
            open(&name, &attributes, offset, facts);
            *element = name;
        }
        Token::Text(text) if is_code_like(&text) => push(&mut facts.code_like, element, &text),
        Token::Text(_) | Token::Close | Token::Instruction { .. } => {}
    }
}

fn open(name: &str, attributes: &[(String, String)], offset: u64, facts: &mut XmlFacts) {
    let push = |list: &mut Vec<XmlReference>, name: String, target: &str| {
        if list.len() < XmlFacts::MAX_LISTED {
            list.push(XmlReference { name: short(&name, 128), target: short(target, 512), offset });
        }
    };
    let is_include = local(name) == "include" && name.contains(':');
    for (key, value) in attributes {
        let lower = local(key).to_ascii_lowercase();
        if is_include && lower == "href" {
            push(&mut facts.includes, name.to_owned(), value);
        }
        if local(&facts.root) == "net" {
            let is_library = [".so", ".dll", ".dylib"].iter().any(|end| {
                value.to_ascii_lowercase().ends_with(end)
                    || value.to_ascii_lowercase().contains(&format!("{end}."))
            });
            let names_code = lower.contains("library")
                || lower.contains("plugin")
                || lower == "extension"
                || lower == "extensions";
            if is_library || names_code || lower == "version" && value == "extension" {
                push(&mut facts.extensions, format!("{name}@{key}"), value);
            }
        }
        if local(&facts.root) == "PMML" && name == "Apply" && key == "function" && value.contains('.') {
            push(&mut facts.code_like, format!("{name}@{key}"), value);
        }
        if is_code_like(value) {
            push(&mut facts.code_like, format!("{name}@{key}"), value);
        }
    }
}

/// Bytes the largest entity expands to. Each entity is measured from those before and after it, without recursion.
fn expansion(entities: &[(String, String)]) -> u64 {
    // Entities that refer to others grow by a factor a round; more rounds than this are a cycle, which no parser takes.
    const ROUNDS: usize = 16;
    let mut sizes: std::collections::HashMap<&str, u64> =
        entities.iter().map(|(name, value)| (name.as_str(), value.len() as u64)).collect();
    for _ in 0..ROUNDS {
        for (name, value) in entities {
            let mut size = 0_u64;
            let mut rest = value.as_str();
            while let Some((text, after)) = rest.split_once('&') {
                size = size.saturating_add(text.len() as u64);
                let (reference, after) = after.split_once(';').unwrap_or((after, ""));
                size = size.saturating_add(sizes.get(reference).copied().unwrap_or(1));
                rest = after;
            }
            sizes.insert(name, size.saturating_add(rest.len() as u64));
        }
    }
    sizes.values().copied().max().unwrap_or(0)
}

#[cfg(test)]
mod tests;
