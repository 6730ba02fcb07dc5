//! A metadata value of any type; arrays are stepped over without recursion, however they nest.

use std::ops::Range;

use alnage_types::Meter;

use super::cursor::{Cursor, Stop};

/// A metadata value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Bool(bool),
    /// Where the text stands.
    Text(Range<u64>),
    Array(Array),
}

/// An array that was stepped over.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Array {
    pub(super) element: &'static str,
    pub(super) length: u64,
    /// The places of its strings, when it is a short array of strings.
    pub(super) texts: Vec<Range<u64>>,
}

/// Arrays of at most this many strings have them looked at.
const SHORT: u64 = 256;

const STRING: u32 = 8;
const ARRAY: u32 = 9;

/// Name and width of a value type of fixed width.
fn fixed(kind: u32) -> Option<(&'static str, u64)> {
    Some(match kind {
        0 => ("u8", 1),
        1 => ("i8", 1),
        2 => ("u16", 2),
        3 => ("i16", 2),
        4 => ("u32", 4),
        5 => ("i32", 4),
        6 => ("f32", 4),
        7 => ("bool", 1),
        10 => ("u64", 8),
        11 => ("i64", 8),
        12 => ("f64", 8),
        _ => return None,
    })
}

/// Reads a value of type `kind`.
pub(super) fn read(kind: u32, cursor: &mut Cursor<'_, '_>, meter: &mut Meter) -> Result<Value, Stop> {
    Ok(match kind {
        0 => Value::Unsigned(cursor.reader.u8()?.into()),
        1 => Value::Signed((cursor.reader.u8()? as i8).into()),
        2 => Value::Unsigned(cursor.u16()?.into()),
        3 => Value::Signed((cursor.u16()? as i16).into()),
        4 => Value::Unsigned(cursor.u32()?.into()),
        5 => Value::Signed((cursor.u32()? as i32).into()),
        6 => Value::Float(f32::from_bits(cursor.u32()?).into()),
        7 => Value::Bool(cursor.reader.u8()? != 0),
        STRING => Value::Text(cursor.string("the length of a string", meter)?),
        ARRAY => Value::Array(array(cursor, meter)?),
        10 => Value::Unsigned(cursor.u64()?),
        11 => Value::Signed(cursor.u64()? as i64),
        12 => Value::Float(f64::from_bits(cursor.u64()?)),
        _ => return Err(Stop::UnknownType(kind)),
    })
}

fn array(cursor: &mut Cursor<'_, '_>, meter: &mut Meter) -> Result<Array, Stop> {
    const COUNT: &str = "the length of an array";
    let mut outer = None;
    // How many arrays are still to be read on each level.
    let mut open = vec![1_u64];
    while let Some(left) = open.last_mut() {
        if *left == 0 {
            open.pop();
            continue;
        }
        *left -= 1;
        meter.step(1)?;
        let kind = cursor.u32()?;
        let (element, least) = match kind {
            STRING => ("string", cursor.count_width()),
            ARRAY => ("array", 4 + cursor.count_width()),
            _ => fixed(kind).ok_or(Stop::UnknownType(kind))?,
        };
        let length = cursor.bounded_count(COUNT, least)?;
        let mut texts = Vec::new();
        match kind {
            STRING => {
                for _ in 0..length {
                    let text = cursor.string("the length of a string", meter)?;
                    if length <= SHORT {
                        texts.push(text);
                    }
                }
            }
            ARRAY => {
                if open.len() as u64 >= meter.budget().max_nodes {
                    return Err(Stop::Exhausted(alnage_types::Exhausted { limit: "max-nodes" }));
                }
                open.push(length);
            }
            _ => cursor.reader.skip(length * least)?,
        }
        outer.get_or_insert(Array { element, length, texts });
    }
    Ok(outer.unwrap_or_default())
}
