//! The metadata entries: what the model is, and what its strings carry.

use std::{collections::HashSet, ops::Range, sync::Arc};

use alnage_types::Source;

use super::{
    GgufFacts, GgufFaultKind,
    cursor::{Cursor, Stop},
    element,
    value::{self, Array, Value},
};
use crate::{
    Context,
    tensor::{
        embedded::{self, MAX_LOOK},
        layout, summary,
    },
};

const MAX_KEY: u64 = 64 << 10;
const MAX_SHOWN: u64 = 1024;
/// Steps that an entry costs: its key is kept. Real models have some dozens.
const KEY_COST: u64 = 100;

/// Reads the entries the header declares, as far as they go.
pub(super) fn read(
    cursor: &mut Cursor<'_, '_>,
    facts: &mut GgufFacts,
    context: &mut Context<'_>,
) -> Result<(), Stop> {
    let mut keys = HashSet::new();
    for _ in 0..facts.metadata_count {
        context.meter().step(KEY_COST)?;
        let start = cursor.position();
        let key = cursor.text("the length of a key", MAX_KEY, context.meter())?;
        let kind = cursor.u32()?;
        let value = value::read(kind, cursor, context.meter())?;
        let end = cursor.position();
        take(&key, &value, start, cursor, facts, context)?;
        if keys.len() as u64 >= context.meter().budget().max_nodes {
            return Err(Stop::Exhausted(alnage_types::Exhausted { limit: "max-nodes" }));
        }
        // Where a count lied, zeros are read as entries without a name.
        if let Some(repeated) = keys.replace(key).filter(|key| !key.is_empty()) {
            facts.fault(GgufFaultKind::RepeatedKey, layout::quoted(&repeated), start..end);
        }
    }
    Ok(())
}

fn take(
    key: &str,
    value: &Value,
    start: u64,
    cursor: &mut Cursor<'_, '_>,
    facts: &mut GgufFacts,
    context: &mut Context<'_>,
) -> Result<(), Stop> {
    let shown = match value {
        Value::Unsigned(number) => {
            take_number(key, *number, start, facts);
            number.to_string()
        }
        Value::Signed(number) => {
            take_number(key, u64::try_from(*number).unwrap_or(u64::MAX), start, facts);
            number.to_string()
        }
        Value::Float(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Array(array) => {
            take_array(key, array, cursor, facts, context)?;
            format!("[{}; {}]", array.element, array.length)
        }
        Value::Text(range) => {
            let text = cursor.bytes(range, MAX_SHOWN)?;
            let text = String::from_utf8_lossy(&text).into_owned();
            take_text(key, &text, facts);
            take_carried(key, range, cursor, facts, context)?;
            text
        }
    };
    summary::keep_entry(&mut facts.metadata, key, &shown, start..cursor.position());
    Ok(())
}

fn take_array(
    key: &str,
    array: &Array,
    cursor: &mut Cursor<'_, '_>,
    facts: &mut GgufFacts,
    context: &mut Context<'_>,
) -> Result<(), Stop> {
    if key == "tokenizer.ggml.tokens" {
        facts.vocabulary_size = Some(array.length);
    }
    for (index, range) in array.texts.iter().enumerate() {
        take_carried(&format!("{key}[{index}]"), range, cursor, facts, context)?;
    }
    Ok(())
}

/// Hands on what a string holds: a template, or whatever is recognised in it.
fn take_carried(
    place: &str,
    range: &Range<u64>,
    cursor: &mut Cursor<'_, '_>,
    facts: &mut GgufFacts,
    context: &mut Context<'_>,
) -> Result<(), Stop> {
    let look = cursor.bytes(range, MAX_LOOK)?;
    let has = |marker: &[u8]| look.windows(2).any(|pair| pair == marker);
    let named_template = place.contains("template") || place.contains("prompt");
    if place.contains("chat_template") && !place.ends_with(']')
        || named_template && (has(b"{{") || has(b"{%"))
    {
        hand_on_template(place.to_owned(), cursor.window(range), facts, context);
    } else if range.end - range.start > MAX_LOOK || place.starts_with("tokenizer.") && look.starts_with(b"{")
    {
        context.member(place, cursor.window(range));
    } else {
        embedded::look(place, &look, range.start, &mut facts.carried, context);
    }
    Ok(())
}

/// A template is a member whose name contains `chat_template`, which is how templates are told from other text.
fn hand_on_template(
    mut name: String,
    text: Arc<dyn Source>,
    facts: &mut GgufFacts,
    context: &mut Context<'_>,
) {
    const MAX_LISTED: usize = 64;
    if !name.contains("chat_template") {
        name.push_str(".chat_template");
    }
    if facts.chat_templates.len() < MAX_LISTED {
        facts.chat_templates.push(summary::shortened(&name));
    }
    context.member(name, text);
}

fn take_number(key: &str, number: u64, start: u64, facts: &mut GgufFacts) {
    match key {
        "general.alignment" => {
            facts.alignment = number;
            if !number.is_power_of_two() || number > 1 << 20 {
                facts.fault(GgufFaultKind::BadAlignment, format!("alignment {number}"), start..start + 1);
                facts.alignment = 32;
            }
        }
        "general.file_type" => {
            facts.quantization =
                Some(element::file_type(number).map_or_else(|| number.to_string(), str::to_owned));
        }
        "split.no" => facts.split_number = Some(number),
        "split.count" => facts.split_count = Some(number),
        _ => {}
    }
    // The first part of these keys is the architecture: `llama.context_length`.
    let field = match key.split_once('.').map(|(_, field)| field) {
        Some("context_length") => &mut facts.context_length,
        Some("block_count") => &mut facts.block_count,
        Some("embedding_length") => &mut facts.embedding_length,
        Some("attention.head_count") => &mut facts.head_count,
        Some("vocab_size") => &mut facts.vocabulary_size,
        _ => return,
    };
    *field = Some(number);
}

fn take_text(key: &str, text: &str, facts: &mut GgufFacts) {
    const MAX_BASES: usize = 32;
    let field = match key {
        "general.architecture" => &mut facts.architecture,
        "general.name" => &mut facts.name,
        "general.license" => &mut facts.license,
        "tokenizer.ggml.model" => &mut facts.tokenizer_model,
        _ => {
            let base = key.strip_prefix("general.base_model.");
            if base.is_some_and(|rest| rest.ends_with(".repo_url") || rest.ends_with(".name"))
                && facts.base_models.len() < MAX_BASES
            {
                facts.base_models.push(summary::shortened(text));
            }
            return;
        }
    };
    *field = Some(summary::shortened(text));
}
