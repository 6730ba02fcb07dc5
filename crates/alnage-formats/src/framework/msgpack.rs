//! MessagePack as Flax writes it: arrays are extension values, everything else is plain.

use std::{collections::BTreeMap, sync::Arc};

use alnage_types::{IssueKind, ReadEnd, Reader, Source, WindowSource};
use serde::Serialize;

use super::{
    FrameworkFacts,
    text::{is_code_like, short},
};
use crate::{
    Context, Facts, Format, LoadEffect, Probe, pickle,
    tensor::{Carried, CarriedKind, embedded},
};

pub(super) static FORMAT: Format = Format {
    id: "flax-msgpack",
    title: "Flax MessagePack",
    extensions: &["msgpack"],
    load_effect: LoadEffect::MayExecute,
    reads: "every value; extension types by code; texts that look like code; pickles in binary values are handed on",
    cannot: "what programs make of extension types of their own",
    identify,
    parse,
};

/// What a MessagePack document holds.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MsgpackFacts {
    /// How many values there are.
    pub values: u64,
    /// How many extension values there are of each type code.
    pub extensions: BTreeMap<i8, u64>,
    /// Offsets of extension values whose content is not what Flax writes under their code; at most 64.
    pub odd_extensions: Vec<u64>,
    /// Members handed on, by offset; at most 64.
    pub pickles: Vec<u64>,
    /// Texts and short binary values that carry something else, or code; at most 64.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub carried: Vec<Carried>,
}

/// A map whose first key is text; no text file, pickle or picture starts so.
fn identify(probe: &Probe<'_>) -> bool {
    let mut reader = probe.reader();
    let is_map = match reader.u8() {
        Ok(0x81..=0x8f) => true,
        Ok(0xde) => reader.u16be().is_ok_and(|count| count > 0),
        Ok(0xdf) => reader.u32be().is_ok_and(|count| count > 0),
        _ => false,
    };
    let Ok(Some(key)) = (if is_map { next(&mut reader) } else { Ok(None) }) else { return false };
    let Value::Text(length) = key else { return false };
    let Ok(text) = reader.take(length.min(1024)) else { return false };
    let is_word =
        std::str::from_utf8(&text).is_ok_and(|text| !text.is_empty() && !text.contains(char::is_control));
    // The first values must be there too: random bytes rarely get this far.
    const LOOK: u32 = 64;
    let mut left = 1_u64;
    reader.seek(reader.position() + length.saturating_sub(1024));
    for _ in 0..LOOK {
        if left == 0 || reader.remaining() == 0 {
            break;
        }
        match next(&mut reader) {
            Ok(Some(value)) => match value {
                Value::Open(count) => left = left.saturating_add(count),
                Value::Text(length) | Value::Bytes(length) | Value::Extension(_, length) => {
                    if reader.skip(length).is_err() {
                        return false;
                    }
                }
                Value::Plain => {}
            },
            _ => return false,
        }
        left -= 1;
    }
    is_word
}

enum Value {
    /// A container of so many values.
    Open(u64),
    Text(u64),
    Bytes(u64),
    Extension(i8, u64),
    Plain,
}

/// The next value's head; `None` for the byte that MessagePack never uses.
fn next(reader: &mut Reader<'_>) -> Result<Option<Value>, ReadEnd> {
    let byte = reader.u8()?;
    let extension = |reader: &mut Reader<'_>, length| Ok(Some(Value::Extension(reader.u8()? as i8, length)));
    let skip = |reader: &mut Reader<'_>, count| reader.skip(count).map(|()| Some(Value::Plain));
    match byte {
        0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => Ok(Some(Value::Plain)),
        0x80..=0x8f => Ok(Some(Value::Open(u64::from(byte & 15) * 2))),
        0x90..=0x9f => Ok(Some(Value::Open(u64::from(byte & 15)))),
        0xa0..=0xbf => Ok(Some(Value::Text(u64::from(byte & 31)))),
        0xc1 => Ok(None),
        0xc4 => Ok(Some(Value::Bytes(u64::from(reader.u8()?)))),
        0xc5 => Ok(Some(Value::Bytes(u64::from(reader.u16be()?)))),
        0xc6 => Ok(Some(Value::Bytes(u64::from(reader.u32be()?)))),
        0xc7 => reader.u8().and_then(|length| extension(reader, u64::from(length))),
        0xc8 => reader.u16be().and_then(|length| extension(reader, u64::from(length))),
        0xc9 => reader.u32be().and_then(|length| extension(reader, u64::from(length))),
        0xcc | 0xd0 => skip(reader, 1),
        0xcd | 0xd1 => skip(reader, 2),
        0xca | 0xce | 0xd2 => skip(reader, 4),
        0xcb | 0xcf | 0xd3 => skip(reader, 8),
        0xd4..=0xd8 => extension(reader, 1 << (byte - 0xd4)),
        0xd9 => Ok(Some(Value::Text(u64::from(reader.u8()?)))),
        0xda => Ok(Some(Value::Text(u64::from(reader.u16be()?)))),
        0xdb => Ok(Some(Value::Text(u64::from(reader.u32be()?)))),
        0xdc => Ok(Some(Value::Open(u64::from(reader.u16be()?)))),
        0xdd => Ok(Some(Value::Open(u64::from(reader.u32be()?)))),
        0xde => Ok(Some(Value::Open(u64::from(reader.u16be()?) * 2))),
        0xdf => Ok(Some(Value::Open(u64::from(reader.u32be()?) * 2))),
    }
}

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    let mut facts = MsgpackFacts::default();
    let mut reader = Reader::new(source.as_ref());
    // Values are written in order, so a count of those still to come is all the stack there is.
    let mut left = 1_u64;
    while left > 0 {
        let at = reader.position();
        if let Err(limit) = context.meter().step(1) {
            context.exhausted(limit, at);
            break;
        }
        let result = next(&mut reader).and_then(|value| match value {
            Some(value) => payload(source, &mut reader, at, value, &mut facts, context).map(Some),
            None => Ok(None),
        });
        match result {
            Ok(Some(more)) => left = (left - 1).saturating_add(more),
            Ok(None) => {
                context.issue(IssueKind::Malformed, at, "a byte that starts no MessagePack value");
                break;
            }
            Err(end) => {
                context.read_end(end, at, "a MessagePack value");
                break;
            }
        }
        facts.values += 1;
    }
    context.claim(0..reader.position());
    Facts::Framework(Box::new(FrameworkFacts::Msgpack(facts)))
}

/// Steps over a value's content; gives how many values it holds.
fn payload(
    source: &Arc<dyn Source>,
    reader: &mut Reader<'_>,
    at: u64,
    value: Value,
    facts: &mut MsgpackFacts,
    context: &mut Context<'_>,
) -> Result<u64, ReadEnd> {
    const MAX_LISTED: usize = 64;
    let length = match value {
        Value::Open(count) => return Ok(count),
        Value::Plain => return Ok(0),
        Value::Text(length) | Value::Bytes(length) | Value::Extension(_, length) => length,
    };
    let start = reader.position();
    reader.skip(length)?;
    if let Value::Extension(code, _) = value {
        *facts.extensions.entry(code).or_insert(0) += 1;
        let mut inner = Reader::at(source.as_ref(), start);
        let first = inner.u8().unwrap_or(0);
        let as_written = match code {
            // Arrays and scalars: (shape, dtype, bytes); complex numbers: (real, imaginary); and the timestamp.
            1 | 3 => first == 0x93,
            2 => first == 0x92,
            -1 => true,
            _ => false,
        };
        if !as_written && facts.odd_extensions.len() < MAX_LISTED {
            facts.odd_extensions.push(at);
        }
    }
    if !matches!(value, Value::Text(_))
        && facts.pickles.len() < MAX_LISTED
        && pickle::is_pickle_at(source.as_ref(), start)
    {
        facts.pickles.push(start);
        context.member(
            format!("@bytes/{start}"),
            Arc::new(WindowSource::new(Arc::clone(source), start, length)),
        );
    } else if !matches!(value, Value::Extension(..)) {
        look(reader, start, length, facts, context)?;
    }
    Ok(0)
}

/// Looks at what a text or binary value says. Of a long one, which weights are, the beginning is looked at.
fn look(
    reader: &mut Reader<'_>,
    start: u64,
    length: u64,
    facts: &mut MsgpackFacts,
    context: &mut Context<'_>,
) -> Result<(), ReadEnd> {
    const SHORTEST: u64 = 6;
    const MAX_LOOK: u64 = 32 << 10;
    const MAX_CARRIED: usize = 64;
    if length < SHORTEST || facts.carried.len() >= MAX_CARRIED {
        return Ok(());
    }
    reader.seek(start);
    let bytes = reader.take(length.min(MAX_LOOK))?;
    reader.seek(start + length);
    let place = format!("@text/{start}");
    match std::str::from_utf8(&bytes) {
        Ok(text) if is_code_like(text) => {
            let evidence = short(text, 200);
            facts.carried.push(Carried { place, kind: CarriedKind::Script, evidence, offset: start });
        }
        _ => embedded::look(&place, &bytes, start, &mut facts.carried, context),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn damaged_files_are_survived() {
        let sample = b"\x82\xa1w\xc7\x0d\x01\x93\x91\x01\xa5uint8\xc4\x01\x00\xa1b\xdc\x00\x02\xc4\x02\x80\x02\xca\0\0\0\0";
        super::super::mutation::survive("m.msgpack", sample, 4000);
    }
}
