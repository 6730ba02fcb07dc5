//! TensorFlow Lite: operators, and the sizes of tensors against those of their buffers.

use std::{collections::BTreeMap, sync::Arc};

use alnage_types::{ReadEnd, Source};
use memchr::memmem;
use serde::Serialize;

use super::{
    FrameworkFacts,
    flat::{Flat, Table},
    text::short,
};
use crate::{Context, Facts, Format, LoadEffect};

pub(super) static FORMAT: Format = Format {
    id: "tflite",
    title: "TensorFlow Lite",
    extensions: &["tflite"],
    load_effect: LoadEffect::MayExecute,
    reads: "every operator of every subgraph; sizes of tensors against their buffers; metadata by name",
    cannot: "what custom operators do, which the application links in",
    identify: |probe| probe.has_at(4, b"TFL3"),
    parse,
};

/// What a TensorFlow Lite model holds.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TfliteFacts {
    /// What the model says it is, shortened.
    pub description: String,
    /// How many operators there are of each built-in kind, by its number in TensorFlow Lite's schema.
    pub builtin: BTreeMap<u32, u64>,
    /// How many operators there are of each custom kind, by name; at most 1024 kinds. Kinds that are declared and
    /// not used have 0.
    pub custom: BTreeMap<String, u64>,
    /// How many tensors there are.
    pub tensors: u64,
    /// Tensors whose size is not that of their buffer; at most 64.
    pub mismatches: Vec<TfliteMismatch>,
    /// Names of the metadata; at most 64.
    pub metadata: Vec<String>,
    /// Names of custom operators that stand in a file whose structure could not be read; at most 64.
    pub mentioned: Vec<String>,
}

/// A tensor whose size is not that of its buffer.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TfliteMismatch {
    /// The tensor's name, shortened.
    pub tensor: String,
    /// What shape and type need; absent when the product is beyond 64 bits or a dimension is negative.
    pub expected: Option<u64>,
    /// What the buffer has; absent when the buffer does not exist or lies outside the file.
    pub actual: Option<u64>,
}

/// Built-in operator number of custom operators.
const CUSTOM: u32 = 32;

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    let mut facts = TfliteFacts::default();
    let mut flat = Flat::new(source.as_ref());
    if let Err(end) = model(&mut flat, &mut facts, source.len(), context) {
        let at = flat.position();
        context.read_end(end, at.min(source.len()), "a TensorFlow Lite model");
        mention(source.as_ref(), &mut facts);
    }
    context.claim(0..flat.end.min(source.len()));
    Facts::Framework(Box::new(FrameworkFacts::Tflite(facts)))
}

/// Counts a table; false when there are no steps left. A table costs as much as several of the usual steps.
fn step(context: &mut Context<'_>, flat: &Flat<'_>) -> bool {
    let limit = context.meter().step(8);
    limit.map_err(|limit| context.exhausted(limit, flat.position())).is_ok()
}

fn model(
    flat: &mut Flat<'_>,
    facts: &mut TfliteFacts,
    size: u64,
    context: &mut Context<'_>,
) -> Result<(), ReadEnd> {
    const MAX_LISTED: usize = 64;
    let root = flat.table(0)?;
    facts.description = short(&flat.text(&root, 3)?.unwrap_or_default(), 256);
    let codes = operator_codes(flat, &root, facts, context)?;
    let buffers = buffers(flat, &root, size, context)?;
    let Some(subgraphs) = flat.vector(&root, 2, 4)? else { return Err(ReadEnd::Truncated) };
    for index in 0..subgraphs.count {
        let subgraph = flat.element(subgraphs, index)?;
        if let Some(tensors) = flat.vector(&subgraph, 0, 4)? {
            for index in 0..tensors.count {
                if !step(context, flat) {
                    return Ok(());
                }
                let tensor = flat.element(tensors, index)?;
                facts.tensors += 1;
                if let Some(mismatch) = mismatch(flat, &tensor, &buffers)?
                    && facts.mismatches.len() < MAX_LISTED
                {
                    facts.mismatches.push(mismatch);
                }
            }
        }
        if let Some(operators) = flat.vector(&subgraph, 3, 4)? {
            for index in 0..operators.count {
                if !step(context, flat) {
                    return Ok(());
                }
                let operator = flat.element(operators, index)?;
                flat.vector(&operator, 5, 1)?;
                // An operator of no declared kind: the interpreter refuses the file.
                let code = codes.get(flat.u32(&operator, 0)? as usize).ok_or(ReadEnd::Truncated)?;
                match code {
                    Code::Builtin(number) => *facts.builtin.entry(*number).or_insert(0) += 1,
                    Code::Custom(name) => {
                        if let Some(count) = facts.custom.get_mut(name) {
                            *count += 1;
                        }
                    }
                }
            }
        }
    }
    if let Some(metadata) = flat.vector(&root, 6, 4)? {
        for index in 0..metadata.count.min(MAX_LISTED as u64) {
            let entry = flat.element(metadata, index)?;
            facts.metadata.push(short(&flat.text(&entry, 0)?.unwrap_or_default(), 128));
        }
    }
    Ok(())
}

enum Code {
    Builtin(u32),
    Custom(String),
}

fn operator_codes(
    flat: &mut Flat<'_>,
    root: &Table,
    facts: &mut TfliteFacts,
    context: &mut Context<'_>,
) -> Result<Vec<Code>, ReadEnd> {
    const MAX_KINDS: usize = 1024;
    let mut codes = Vec::new();
    let Some(vector) = flat.vector(root, 1, 4)? else { return Ok(codes) };
    for index in 0..vector.count {
        if !step(context, flat) {
            break;
        }
        let code = flat.element(vector, index)?;
        // Old files have the number in one signed byte, new ones in both fields.
        let old = flat.u8(&code, 0)?;
        let number = flat.u32(&code, 3)?.max(if old < 0x80 { u32::from(old) } else { 0 });
        let name = flat.text(&code, 1)?;
        codes.push(match name {
            Some(name) if number == CUSTOM || !name.is_empty() => {
                let name = short(&name, 200);
                if facts.custom.len() < MAX_KINDS {
                    facts.custom.entry(name.clone()).or_insert(0);
                } else if !facts.custom.contains_key(&name) {
                    context.issue(
                        alnage_types::IssueKind::Budget,
                        None,
                        "more kinds of operators than are kept",
                    );
                    return Ok(codes);
                }
                Code::Custom(name)
            }
            _ => Code::Builtin(number),
        });
    }
    Ok(codes)
}

/// The size of each buffer: `None` for one outside the file.
fn buffers(
    flat: &mut Flat<'_>,
    root: &Table,
    size: u64,
    context: &mut Context<'_>,
) -> Result<Vec<Option<u64>>, ReadEnd> {
    let mut sizes = Vec::new();
    let Some(vector) = flat.vector(root, 4, 4)? else { return Ok(sizes) };
    for index in 0..vector.count {
        if !step(context, flat) {
            break;
        }
        let buffer = flat.element(vector, index)?;
        // Large models keep buffers behind the FlatBuffer.
        let (offset, length) = (flat.u64(&buffer, 1)?, flat.u64(&buffer, 2)?);
        sizes.push(if offset > 1 {
            let end = offset.checked_add(length).filter(|&end| end <= size);
            if let Some(end) = end {
                context.claim(offset..end);
            }
            end.map(|_| length)
        } else {
            match flat.vector(&buffer, 0, 1) {
                Ok(data) => Some(data.map_or(0, |data| data.count)),
                Err(ReadEnd::Truncated) => None,
                Err(end) => return Err(end),
            }
        });
    }
    Ok(sizes)
}

fn mismatch(
    flat: &mut Flat<'_>,
    tensor: &Table,
    buffers: &[Option<u64>],
) -> Result<Option<TfliteMismatch>, ReadEnd> {
    let buffer = flat.u32(tensor, 2)? as usize;
    let actual = buffers.get(buffer).copied().flatten();
    // Bits of an element. Texts, resources and sparse tensors have sizes of their own.
    let bits = match flat.u8(tensor, 1)? {
        0 | 2 | 15 => 32,
        1 | 7 | 16 | 18 => 16,
        3 | 6 | 9 => 8,
        4 | 8 | 10 | 12 => 64,
        11 => 128,
        17 => 4,
        19 => 2,
        _ => return Ok(None),
    };
    if flat.inner(tensor, 6)?.is_some() {
        return Ok(None);
    }
    let mut elements = Some(1_u64);
    if let Some(shape) = flat.vector(tensor, 0, 4)? {
        for index in 0..shape.count.min(64) {
            let dimension = u64::try_from(flat.i32_element(shape, index)?).ok();
            elements =
                elements.zip(dimension).and_then(|(product, dimension)| product.checked_mul(dimension));
        }
    }
    let expected = elements.and_then(|elements| elements.checked_mul(bits)).map(|bits| bits.div_ceil(8));
    // Without data the tensor is computed; its size must still be one.
    if expected.is_some() && (expected == actual || actual == Some(0)) {
        return Ok(None);
    }
    let tensor = short(&flat.text(tensor, 3)?.unwrap_or_default(), 128);
    Ok(Some(TfliteMismatch { tensor, expected, actual }))
}

/// Names of Flex operators anywhere in the first bytes.
fn mention(source: &dyn Source, facts: &mut TfliteFacts) {
    const MAX_LISTED: usize = 64;
    const LOOKED_AT: u64 = 4 << 20;
    let mut reader = alnage_types::Reader::new(source);
    let Ok(bytes) = reader.take(source.len().min(LOOKED_AT)) else { return };
    for at in memmem::find_iter(&bytes, b"Flex") {
        let is_word = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'>' | b':');
        let name: String =
            bytes[at..].iter().take_while(is_word).take(128).map(|&byte| char::from(byte)).collect();
        if name.len() > 4 && facts.mentioned.len() < MAX_LISTED && !facts.mentioned.contains(&name) {
            facts.mentioned.push(name);
        }
    }
}

#[cfg(test)]
mod tests;
