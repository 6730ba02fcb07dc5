//! Attributes: configuration, pickles and texts in them are handed on as members `path@name`.

use std::{ops::Range, sync::Arc};

use alnage_types::{IssueKind, MemorySource, ReadEnd, WindowSource};

use super::{
    Hdf5Facts,
    dataset::{Datatype, Shape},
    file::File,
    header::{self, Message},
    heap,
};
use crate::{Context, framework::text::short, pickle};

/// Reads all attributes of an object.
pub(super) fn read(
    file: &mut File<'_>,
    path: &str,
    messages: &[Message],
    facts: &mut Hdf5Facts,
    context: &mut Context<'_>,
) {
    for message in messages {
        let result = match message.kind {
            header::ATTRIBUTE if message.shared => {
                context.issue(
                    IssueKind::Unsupported,
                    message.body.start,
                    "an attribute kept in a shared table",
                );
                Ok(())
            }
            header::ATTRIBUTE => attribute(file, path, message.body.clone(), facts, context),
            header::ATTRIBUTE_INFO => dense(file, path, message, facts, context),
            _ => Ok(()),
        };
        if let Err(end) = result {
            context.read_end(end, message.body.start, "an attribute");
        }
    }
}

fn dense(
    file: &mut File<'_>,
    path: &str,
    message: &Message,
    facts: &mut Hdf5Facts,
    context: &mut Context<'_>,
) -> Result<(), ReadEnd> {
    file.reader.seek(message.body.start);
    file.reader.skip(1)?;
    let flags = file.reader.u8()?;
    file.reader.skip(if flags & 1 != 0 { 2 } else { 0 })?;
    let (Some(heap), Some(index)) = (file.offset()?, file.offset()?) else { return Ok(()) };
    for object in heap::dense_objects(file, heap, index, context)? {
        context.claim(object.clone());
        attribute(file, path, object, facts, context)?;
    }
    Ok(())
}

fn attribute(
    file: &mut File<'_>,
    path: &str,
    body: Range<u64>,
    facts: &mut Hdf5Facts,
    context: &mut Context<'_>,
) -> Result<(), ReadEnd> {
    facts.attributes += 1;
    file.reader.seek(body.start);
    let version = file.reader.u8()?;
    let flags = file.reader.u8()?;
    if !(1..=3).contains(&version) {
        context.issue(IssueKind::Unsupported, body.start, format!("attribute message version {version}"));
        return Ok(());
    }
    let sizes = [file.reader.u16le()?, file.reader.u16le()?, file.reader.u16le()?].map(u64::from);
    file.reader.skip(if version == 3 { 1 } else { 0 })?;
    let padded = |size: u64| if version == 1 { size.next_multiple_of(8) } else { size };
    let name_at = file.reader.position();
    let name = file.c_string(usize::try_from(sizes[0]).unwrap_or(0))?;
    let type_at = name_at + padded(sizes[0]);
    let space_at = type_at + padded(sizes[1]);
    let data_at = space_at + padded(sizes[2]);
    if version > 1 && flags & 3 != 0 {
        // The type is a committed one: its value cannot be told apart, so its bytes are handed on as they are.
        let data = data_at..body.end;
        hand_on(file, path, &name, data, facts, context);
        return Ok(());
    }
    file.reader.seek(type_at);
    let datatype = Datatype::read(file)?;
    file.reader.seek(space_at);
    let shape = Shape::read(file)?;
    let values = values(file, &datatype, &shape, data_at..body.end, context)?;
    for value in values {
        hand_on(file, path, &name, value, facts, context);
    }
    Ok(())
}

/// How many strings of one attribute are looked at.
const MAX_VALUES: u64 = 4096;

fn values(
    file: &mut File<'_>,
    datatype: &Datatype,
    shape: &Shape,
    data: Range<u64>,
    context: &mut Context<'_>,
) -> Result<Vec<Range<u64>>, ReadEnd> {
    let elements = shape.elements.min(MAX_VALUES);
    match datatype.class {
        Datatype::STRING => {
            let size = u64::from(datatype.size);
            let places = (0..elements).map(|index| data.start.saturating_add(index * size));
            Ok(places.map(|start| start..(start + size).min(data.end)).collect())
        }
        Datatype::VARIABLE => {
            let mut places = Vec::new();
            for index in 0..elements {
                let width = 8 + u64::from(file.offset_size);
                let at = data.start.saturating_add(index * width);
                if at.saturating_add(width) > data.end {
                    break;
                }
                file.reader.seek(at);
                file.reader.skip(4)?;
                let Some(collection) = file.offset()? else { continue };
                let number = file.reader.u32le()?;
                if collection == 0 {
                    continue;
                }
                places.extend(heap::global(file, collection, number, context)?);
            }
            Ok(places)
        }
        Datatype::OPAQUE | Datatype::COMPOUND => Ok(vec![data]),
        Datatype::INTEGER if datatype.size == 1 => Ok(vec![data]),
        _ => Ok(Vec::new()),
    }
}

fn hand_on(
    file: &mut File<'_>,
    path: &str,
    name: &str,
    value: Range<u64>,
    facts: &mut Hdf5Facts,
    context: &mut Context<'_>,
) {
    const MAX_PROPERTIES: usize = 64;
    let range = value.start..value.end.min(file.reader.len());
    if range.start >= range.end {
        return;
    }
    file.reader.seek(range.start);
    let Ok(head) = file.reader.take((range.end - range.start).min(256)) else { return };
    let text = head.iter().position(|&byte| byte == 0).map_or(&head[..], |end| &head[..end]);
    if path.is_empty()
        && head.len() < 256
        && facts.properties.len() < MAX_PROPERTIES
        && let Ok(text) = std::str::from_utf8(text).map(str::trim)
    {
        facts.properties.entry(short(name, 64)).or_insert_with(|| text.to_owned());
    }
    let first = head.iter().find(|byte| !byte.is_ascii_whitespace());
    let is_interesting = matches!(first, Some(b'{' | b'['))
        || name.ends_with("_config")
        || head.starts_with(b"\xff\xfe")
        || head.starts_with(b"\x80")
        || pickle::is_pickle_at(file.source.as_ref(), range.start);
    if !is_interesting {
        return;
    }
    let member = format!("{path}@{name}");
    context.member(member, trimmed(file, range));
}

/// The value without the NULs that pad a string of fixed length.
fn trimmed(file: &mut File<'_>, range: Range<u64>) -> Arc<dyn alnage_types::Source> {
    // Longer values keep their padding, which no reader minds.
    const MAX_COPIED: u64 = 1 << 20;
    let length = range.end - range.start;
    if length <= MAX_COPIED {
        file.reader.seek(range.start);
        if let Ok(bytes) = file.reader.take(length) {
            let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
            return Arc::new(MemorySource::new(&bytes[..end]));
        }
    }
    Arc::new(WindowSource::new(Arc::clone(file.source), range.start, length))
}
