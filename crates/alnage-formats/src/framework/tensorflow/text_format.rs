//! TensorFlow graphs in protobuf text (`.pbtxt`), which the loaders take as readily as the binary form.

use std::sync::Arc;

use alnage_types::{Reader, Source};

use super::{EFFECTS, TensorFlowFacts, TensorFlowNode};
use crate::{
    Context, Facts, Format, LoadEffect,
    framework::{FrameworkFacts, text::short},
};

pub(in crate::framework) static FORMAT: Format = Format {
    id: "tensorflow-graph-text",
    title: "TensorFlow graph in text",
    extensions: &["pbtxt"],
    load_effect: LoadEffect::MayExecute,
    reads: "every operation by name, functions included",
    cannot: "which constants reach which operation",
    identify: |probe| {
        if !probe.is_text() {
            return false;
        }
        let text = String::from_utf8_lossy(probe.head);
        let starts = |word: &str| {
            text.trim_start()
                .strip_prefix(word)
                .is_some_and(|rest| rest.trim_start().starts_with(['{', ':', '<']))
        };
        ["saved_model_schema_version", "meta_graphs", "meta_info_def", "graph_def", "node", "library"]
            .into_iter()
            .any(starts)
            && crate::framework::text::contains(probe.source, b"op")
    },
    parse,
};

/// The longest line that is looked at.
const MAX_LINE: usize = 1 << 20;

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    let mut facts = TensorFlowFacts { kind: "text", ..TensorFlowFacts::default() };
    let mut reader = Reader::new(source.as_ref());
    let (mut word, mut names) = (String::new(), String::new());
    while reader.remaining() > 0 {
        let at = reader.position();
        if let Err(limit) = context.meter().step(1) {
            context.exhausted(limit, at);
            break;
        }
        let Ok(byte) = reader.u8() else { break };
        match byte {
            b'"' | b'\'' => {
                let Some(text) = adjacent(&mut reader, byte) else { break };
                match word.as_str() {
                    "op" => operation(text, &names, at, &mut facts),
                    "name" => names = text,
                    _ => {}
                }
                word.clear();
            }
            b'#' => _ = reader.line(MAX_LINE),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' if word.len() < 64 => word.push(byte as char),
            b':' | b' ' | b'\t' | b'\n' | b'\r' => {
                if byte != b':' && reader.peek().is_ok_and(|next| next.is_ascii_alphabetic()) {
                    word.clear();
                }
            }
            _ => word.clear(),
        }
    }
    context.claim(0..source.len());
    Facts::Framework(Box::new(FrameworkFacts::TensorFlow(facts)))
}

/// A string and those that follow it with only space between, which together are one.
fn adjacent(reader: &mut Reader<'_>, quote: u8) -> Option<String> {
    let mut text = quoted(reader, quote)?;
    loop {
        let here = reader.position();
        let mut next = reader.u8();
        while next.is_ok_and(|byte| byte.is_ascii_whitespace()) {
            next = reader.u8();
        }
        match next {
            Ok(quote @ (b'"' | b'\'')) if text.len() < 4096 => text.push_str(&quoted(reader, quote)?),
            _ => {
                reader.seek(here);
                return Some(text);
            }
        }
    }
}

fn quoted(reader: &mut Reader<'_>, quote: u8) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        match reader.u8().ok()? {
            byte if byte == quote => return Some(String::from_utf8_lossy(&bytes).into_owned()),
            b'\\' => match reader.u8().ok()? {
                digit @ b'0'..=b'7' => {
                    let mut value = u32::from(digit - b'0');
                    while value < 32 && matches!(reader.peek(), Ok(b'0'..=b'7')) {
                        value = value * 8 + u32::from(reader.u8().ok()? - b'0');
                    }
                    bytes.push(value as u8);
                }
                b'x' | b'X' => {
                    let mut value = 0;
                    while value < 16 && reader.peek().is_ok_and(|next| next.is_ascii_hexdigit()) {
                        value = value * 16 + (reader.u8().ok()? as char).to_digit(16)?;
                    }
                    bytes.push(value as u8);
                }
                byte => bytes.push(byte),
            },
            byte if bytes.len() < 4096 => bytes.push(byte),
            _ => {}
        }
    }
}

fn operation(operation: String, name: &str, offset: u64, facts: &mut TensorFlowFacts) {
    facts.nodes += 1;
    let operation = short(&operation, 128);
    let is_effect = EFFECTS.contains(&operation.as_str()) || operation.starts_with("IO>");
    if is_effect && facts.effects.len() < TensorFlowFacts::MAX_NODES {
        let (name, arguments) = (short(name, 256), Vec::new());
        facts.effects.push(TensorFlowNode { name, operation: operation.clone(), arguments, offset });
    }
    if facts.operations.len() < TensorFlowFacts::MAX_OPERATIONS || facts.operations.contains_key(&operation) {
        *facts.operations.entry(operation).or_insert(0) += 1;
    }
}
