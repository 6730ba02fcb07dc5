//! Universal Binary JSON as XGBoost writes it: typed values, typed and counted arrays.

use std::sync::Arc;

use alnage_types::{IssueKind, ReadEnd, Reader, Source};

use super::XgboostFacts;
use crate::{Context, Facts, Format, LoadEffect, framework::FrameworkFacts};

pub(in crate::framework) static FORMAT: Format = Format {
    id: "xgboost-ubjson",
    title: "XGBoost model in UBJSON",
    extensions: &["ubj"],
    load_effect: LoadEffect::Data,
    reads: "objective, booster, attributes, every text in the model",
    cannot: "what the trees compute",
    identify: |probe| {
        probe.starts_with(b"{L\0\0\0\0\0\0\0\x07learner{")
            || probe.starts_with(b"{L\0\0\0\0\0\0\0\x06Config{")
            || probe.starts_with(b"{L\0\0\0\0\0\0\0\x05Model{")
            || probe.starts_with(b"{L\0\0\0\0\0\0\0\x07version[")
    },
    parse,
};

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    let mut facts = XgboostFacts::default();
    let mut reader = Reader::new(source.as_ref());
    if let Err(stop) = walk(&mut reader, &mut facts, context) {
        let at = reader.position();
        match stop {
            Stop::End(end) => context.read_end(end, at, "a UBJSON value"),
            Stop::Unknown(byte) => {
                context.issue(IssueKind::Malformed, at, format!("no UBJSON value starts with 0x{byte:02x}"));
            }
            Stop::Limit(limit) => context.exhausted(limit, at),
        }
    }
    context.claim(0..reader.position());
    Facts::Framework(Box::new(FrameworkFacts::Xgboost(facts)))
}

enum Stop {
    End(ReadEnd),
    Unknown(u8),
    Limit(alnage_types::Exhausted),
}

impl From<ReadEnd> for Stop {
    fn from(end: ReadEnd) -> Self {
        Self::End(end)
    }
}

/// An open container.
struct Open {
    is_object: bool,
    /// The key it stands at.
    key: String,
    /// How many values are left, when it is counted.
    left: Option<u64>,
    /// The type of all its values, when it has one.
    kind: Option<u8>,
}

fn walk(reader: &mut Reader<'_>, facts: &mut XgboostFacts, context: &mut Context<'_>) -> Result<(), Stop> {
    let mut open: Vec<Open> = Vec::new();
    loop {
        context.meter().step(1).map_err(Stop::Limit)?;
        if open.len() as u64 > context.meter().budget().max_nodes {
            return Err(Stop::Limit(alnage_types::Exhausted { limit: "max-nodes" }));
        }
        let (kind, key) = match open.last_mut() {
            None => (reader.u8()?, String::new()),
            Some(top) => match top.left {
                Some(0) => {
                    open.pop();
                    if open.is_empty() {
                        return Ok(());
                    }
                    continue;
                }
                left => {
                    let end = if top.is_object { b'}' } else { b']' };
                    if left.is_none() && reader.peek()? == end {
                        reader.u8()?;
                        open.pop();
                        if open.is_empty() {
                            return Ok(());
                        }
                        continue;
                    }
                    top.left = left.map(|left| left - 1);
                    let key = if top.is_object { text(reader)? } else { String::new() };
                    let kind = match top.kind {
                        Some(kind) => kind,
                        None => reader.u8()?,
                    };
                    (kind, key)
                }
            },
        };
        match kind {
            b'{' | b'[' => {
                let opened = container(reader, kind == b'{', key)?;
                // Numbers of one type and a count need no walk.
                if let (false, Some(left), Some(width)) =
                    (opened.is_object, opened.left, opened.kind.and_then(width))
                {
                    reader.skip(left.checked_mul(width).ok_or(ReadEnd::Truncated)?)?;
                    if open.is_empty() {
                        return Ok(());
                    }
                } else {
                    open.push(opened);
                }
            }
            b'S' => {
                let value = text(reader)?;
                facts.text(open.last().map(|top| top.key.as_str()), &key, &value);
            }
            other => match width(other) {
                Some(width) => reader.skip(width)?,
                None => return Err(Stop::Unknown(other)),
            },
        }
        if open.is_empty() {
            return Ok(());
        }
    }
}

fn container(reader: &mut Reader<'_>, is_object: bool, key: String) -> Result<Open, Stop> {
    let mut kind = None;
    let mut left = None;
    if reader.peek()? == b'$' {
        reader.u8()?;
        kind = Some(reader.u8()?);
    }
    if reader.peek()? == b'#' {
        reader.u8()?;
        left = Some(number(reader)?);
    }
    Ok(Open { is_object, key, left, kind })
}

/// Bytes of a value whose size follows from its type.
fn width(kind: u8) -> Option<u64> {
    match kind {
        b'Z' | b'N' | b'T' | b'F' => Some(0),
        b'i' | b'U' | b'C' | b'B' => Some(1),
        b'I' => Some(2),
        b'l' | b'd' => Some(4),
        b'L' | b'D' => Some(8),
        _ => None,
    }
}

fn number(reader: &mut Reader<'_>) -> Result<u64, Stop> {
    Ok(match reader.u8()? {
        b'i' | b'U' => u64::from(reader.u8()?),
        b'I' => u64::from(reader.u16be()?),
        b'l' => u64::from(reader.u32be()?),
        b'L' => reader.u64be()?,
        other => return Err(Stop::Unknown(other)),
    })
}

/// A text of which the first 64 KiB are kept.
fn text(reader: &mut Reader<'_>) -> Result<String, Stop> {
    const MAX_KEPT: u64 = 64 << 10;
    let length = number(reader)?;
    if length > reader.remaining() {
        return Err(ReadEnd::Truncated.into());
    }
    let start = reader.position();
    let bytes = reader.take(length.min(MAX_KEPT))?;
    reader.seek(start + length);
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
