//! Datasets: shape, type, filters, and where the raw data is, which may be another file.

use std::{collections::HashSet, ops::Range, sync::Arc};

use alnage_types::{IssueKind, ReadEnd, WindowSource};

use super::{
    Hdf5Facts, Hdf5Reference, Hdf5ReferenceKind,
    file::File,
    header::{self, Message},
    heap, refer,
};
use crate::{Context, pickle};

/// An element's type, as far as it matters here.
pub(super) struct Datatype {
    pub(super) class: u8,
    pub(super) size: u32,
    signed: bool,
}

impl Datatype {
    pub(super) const INTEGER: u8 = 0;
    pub(super) const STRING: u8 = 3;
    pub(super) const OPAQUE: u8 = 5;
    pub(super) const COMPOUND: u8 = 6;
    pub(super) const VARIABLE: u8 = 9;

    pub(super) fn read(file: &mut File<'_>) -> Result<Self, ReadEnd> {
        let class = file.reader.u8()? & 15;
        let bits = file.reader.u8()?;
        file.reader.skip(2)?;
        Ok(Self { class, size: file.reader.u32le()?, signed: bits & 8 != 0 })
    }

    fn name(&self) -> String {
        let bits = u64::from(self.size) * 8;
        match self.class {
            0 if self.signed => format!("int{bits}"),
            0 => format!("uint{bits}"),
            1 => format!("float{bits}"),
            2 => "time".to_owned(),
            3 => "string".to_owned(),
            4 => "bitfield".to_owned(),
            5 => "opaque".to_owned(),
            6 => "compound".to_owned(),
            7 => "reference".to_owned(),
            8 => "enum".to_owned(),
            9 => "variable_length".to_owned(),
            10 => "array".to_owned(),
            other => format!("class_{other}"),
        }
    }
}

/// How many elements a dataspace has.
pub(super) struct Shape {
    pub(super) elements: u64,
}

impl Shape {
    pub(super) fn read(file: &mut File<'_>) -> Result<Self, ReadEnd> {
        let elements = dimensions(file)?.into_iter().fold(1, u64::saturating_mul);
        Ok(Self { elements })
    }
}

/// The sizes of a dataspace; one of 0 when it is the null dataspace.
pub(super) fn dimensions(file: &mut File<'_>) -> Result<Vec<u64>, ReadEnd> {
    extent(file).map(|(shape, _)| shape)
}

/// The sizes of a dataspace, and those it may grow to: [`u64::MAX`] for any.
pub(super) fn extent(file: &mut File<'_>) -> Result<(Vec<u64>, Vec<u64>), ReadEnd> {
    let version = file.reader.u8()?;
    let rank = file.reader.u8()?;
    let flags = file.reader.u8()?;
    let kind = file.reader.u8()?;
    file.reader.skip(if version == 1 { 4 } else { 0 })?;
    if version == 2 && kind == 2 {
        return Ok((vec![0], vec![0]));
    }
    let shape = (0..rank).map(|_| file.length()).collect::<Result<Vec<_>, _>>()?;
    if flags & 1 == 0 {
        return Ok((shape.clone(), shape));
    }
    let unlimited = u64::MAX >> (64 - 8 * u32::from(file.length_size));
    let maximum = (0..rank).map(|_| file.length()).collect::<Result<Vec<_>, _>>()?;
    Ok((shape, maximum.into_iter().map(|size| if size == unlimited { u64::MAX } else { size }).collect()))
}

/// Reads a dataset's messages.
pub(super) fn read(
    file: &mut File<'_>,
    path: &str,
    messages: &[Message],
    facts: &mut Hdf5Facts,
    context: &mut Context<'_>,
) {
    let mut datatype = None;
    let mut elements = 0;
    for message in messages.iter().filter(|message| !message.shared) {
        file.reader.seek(message.body.start);
        let result = match message.kind {
            header::DATATYPE => Datatype::read(file).map(|found| datatype = Some(found)),
            header::DATASPACE => Shape::read(file).map(|shape| elements = shape.elements),
            header::FILTERS => filters(file, facts),
            header::EXTERNAL_FILES => external_files(file, path, message, facts, context),
            _ => Ok(()),
        };
        if let Err(end) = result {
            context.read_end(end, message.body.start, "a dataset's description");
        }
    }
    let name = datatype.as_ref().map_or_else(|| "committed".to_owned(), Datatype::name);
    if facts.elements.len() < 64 || facts.elements.contains_key(&name) {
        let count = facts.elements.entry(name).or_insert(0);
        *count = count.saturating_add(elements);
    }
    // Numbers are stepped over; in anything else Python may have put objects.
    let is_plain = datatype.as_ref().is_some_and(|datatype| {
        matches!(datatype.class, 1 | 2 | 4 | 7 | 8 | 10) || datatype.class == 0 && datatype.size > 1
    });
    for message in messages.iter().filter(|message| message.kind == header::LAYOUT) {
        if let Err(end) = layout(file, path, message, is_plain, facts, context) {
            context.read_end(end, message.body.start, "a dataset's layout");
        }
    }
}

fn filters(file: &mut File<'_>, facts: &mut Hdf5Facts) -> Result<(), ReadEnd> {
    let version = file.reader.u8()?;
    let count = file.reader.u8()?;
    file.reader.skip(if version == 1 { 6 } else { 0 })?;
    for _ in 0..count {
        let id = file.reader.u16le()?;
        let name_len = if version == 1 || id >= 256 { u64::from(file.reader.u16le()?) } else { 0 };
        file.reader.skip(2)?;
        let values = u64::from(file.reader.u16le()?);
        file.reader.skip(if version == 1 { name_len.next_multiple_of(8) } else { name_len })?;
        file.reader.skip(4 * values + if version == 1 && values % 2 == 1 { 4 } else { 0 })?;
        let name = match id {
            1 => "deflate".to_owned(),
            2 => "shuffle".to_owned(),
            3 => "fletcher32".to_owned(),
            4 => "szip".to_owned(),
            5 => "nbit".to_owned(),
            6 => "scaleoffset".to_owned(),
            32_000 => "lzf".to_owned(),
            32_001 => "blosc".to_owned(),
            32_004 => "lz4".to_owned(),
            32_015 => "zstd".to_owned(),
            other => format!("filter_{other}"),
        };
        if facts.filters.len() < 64 || facts.filters.contains_key(&name) {
            *facts.filters.entry(name).or_insert(0) += 1;
        }
    }
    Ok(())
}

fn external_files(
    file: &mut File<'_>,
    path: &str,
    message: &Message,
    facts: &mut Hdf5Facts,
    context: &mut Context<'_>,
) -> Result<(), ReadEnd> {
    file.reader.skip(6)?;
    let used = file.reader.u16le()?;
    let Some(heap) = file.offset()? else { return Ok(()) };
    let slots = file.reader.position();
    let names = heap::local(file, heap, context)?;
    for slot in 0..u64::from(used) {
        file.reader.seek(slots.saturating_add(slot * 3 * u64::from(file.length_size)));
        let name = file.length()?;
        let name = heap::local_text(file, &names, name)?;
        refer(
            facts,
            Hdf5Reference {
                kind: Hdf5ReferenceKind::ExternalStorage,
                path: path.to_owned(),
                file: Some(name),
                target: None,
                offset: message.body.start,
            },
        );
    }
    Ok(())
}

/// The ways a layout message places the raw data.
const COMPACT: u8 = 0;
const CONTIGUOUS: u8 = 1;
const CHUNKED: u8 = 2;
const VIRTUAL: u8 = 3;

fn layout(
    file: &mut File<'_>,
    path: &str,
    message: &Message,
    is_plain: bool,
    facts: &mut Hdf5Facts,
    context: &mut Context<'_>,
) -> Result<(), ReadEnd> {
    file.reader.seek(message.body.start);
    let version = file.reader.u8()?;
    if version < 3 {
        return old_layout(file, path, is_plain, context);
    }
    match (file.reader.u8()?, version) {
        (COMPACT, _) => {
            let size = u64::from(file.reader.u16le()?);
            let at = file.reader.position();
            raw(file, path, at..at.saturating_add(size), is_plain, context);
        }
        (CONTIGUOUS, _) => {
            let (address, size) = (file.offset()?, file.length()?);
            if let Some(address) = address {
                let at = file.place(address);
                raw(file, path, at..at.saturating_add(size), is_plain, context);
            }
        }
        (CHUNKED, 3) => {
            let rank = file.reader.u8()?;
            if let Some(tree) = file.offset()? {
                chunks(file, path, tree, rank, is_plain, context)?;
            }
        }
        // The newer chunk indices are not walked: their chunks stay unclaimed and are searched as such.
        (CHUNKED, _) => {}
        (VIRTUAL, _) => {
            if let Some(heap) = file.offset()? {
                let index = file.reader.u32le()?;
                virtual_sources(file, path, heap, index, facts, context)?;
            }
        }
        (class, _) => {
            let what = format!("data layout class {class}");
            context.issue(IssueKind::Unsupported, message.body.start, what);
        }
    }
    Ok(())
}

fn old_layout(
    file: &mut File<'_>,
    path: &str,
    is_plain: bool,
    context: &mut Context<'_>,
) -> Result<(), ReadEnd> {
    let rank = file.reader.u8()?;
    let class = file.reader.u8()?;
    file.reader.skip(5)?;
    let address = if class == COMPACT { None } else { file.offset()? };
    let mut size = 1_u64;
    for _ in 0..rank {
        size = size.saturating_mul(u64::from(file.reader.u32le()?));
    }
    match (class, address) {
        (COMPACT, _) => {
            let size = u64::from(file.reader.u32le()?);
            let at = file.reader.position();
            raw(file, path, at..at.saturating_add(size), is_plain, context);
        }
        (CONTIGUOUS, Some(address)) => {
            let at = file.place(address);
            raw(file, path, at..at.saturating_add(size), is_plain, context);
        }
        (CHUNKED, Some(tree)) => chunks(file, path, tree, rank, is_plain, context)?,
        _ => {}
    }
    Ok(())
}

/// Raw data in this file: numbers are claimed, pickles handed on, the rest left to be searched.
fn raw(file: &mut File<'_>, path: &str, range: Range<u64>, is_plain: bool, context: &mut Context<'_>) {
    if range.end > file.reader.len() {
        context.read_end(ReadEnd::Truncated, range.start, "the data of a dataset");
    }
    if is_plain {
        return context.claim(range);
    }
    let has_pickle = pickle::is_pickle_at(file.source.as_ref(), range.start);
    if has_pickle {
        let length = range.end.saturating_sub(range.start);
        let window = WindowSource::new(Arc::clone(file.source), range.start, length);
        context.member(path, Arc::new(window));
        context.claim(range);
    }
}

/// The chunks that a version 1 B-tree leads to.
fn chunks(
    file: &mut File<'_>,
    path: &str,
    root: u64,
    rank: u8,
    is_plain: bool,
    context: &mut Context<'_>,
) -> Result<(), ReadEnd> {
    let (mut seen, mut queue) = (HashSet::new(), vec![root]);
    while let Some(node) = queue.pop() {
        if !seen.insert(node) {
            continue;
        }
        let start = file.place(node);
        file.seek(node);
        if !file.magic(b"TREE")? || file.reader.u8()? != 1 {
            context.issue(IssueKind::Malformed, start, "no B-tree node where a dataset says one is");
            continue;
        }
        let level = file.reader.u8()?;
        let used = file.reader.u16le()?;
        file.offset()?;
        file.offset()?;
        for _ in 0..used {
            if let Err(limit) = context.meter().step(1) {
                context.exhausted(limit, start);
                return Ok(());
            }
            let size = u64::from(file.reader.u32le()?);
            file.reader.skip(4 + 8 * u64::from(rank))?;
            let Some(child) = file.offset()? else { continue };
            if level > 0 {
                queue.push(child);
                continue;
            }
            let at = file.place(child);
            raw(file, path, at..at.saturating_add(size), is_plain, context);
        }
        file.reader.skip(8 + 8 * u64::from(rank))?;
        context.claim(start..file.reader.position());
    }
    Ok(())
}

/// The source files of a virtual dataset.
fn virtual_sources(
    file: &mut File<'_>,
    path: &str,
    heap: u64,
    index: u32,
    facts: &mut Hdf5Facts,
    context: &mut Context<'_>,
) -> Result<(), ReadEnd> {
    // Beyond this the list only repeats the pattern of its first entries.
    const MAX_LIST: u64 = 64 << 10;
    let Some(list) = heap::global(file, heap, index, context)? else { return Ok(()) };
    file.reader.seek(list.start);
    let bytes = file.reader.take((list.end - list.start).min(MAX_LIST))?;
    let body = bytes.get(1 + usize::from(file.length_size)..).unwrap_or_default();
    // Selections of variable length stand between the names; a name is text that ends in NUL.
    let mut names = body.split(|&byte| byte == 0).filter(|name| is_name(name));
    let first = names.next().map(|name| String::from_utf8_lossy(name).into_owned());
    let target = names.next().map(|name| String::from_utf8_lossy(name).into_owned());
    let mut reference = |file: Option<String>, target| {
        refer(
            facts,
            Hdf5Reference {
                kind: Hdf5ReferenceKind::VirtualDataset,
                path: path.to_owned(),
                file,
                target,
                offset: list.start,
            },
        );
    };
    reference(first, target.clone());
    let others = names.filter(|name| Some(String::from_utf8_lossy(name).as_ref()) != target.as_deref());
    others.take(64).for_each(|name| reference(Some(String::from_utf8_lossy(name).into_owned()), None));
    Ok(())
}

fn is_name(bytes: &[u8]) -> bool {
    let is_dot = bytes == b".";
    let is_text =
        bytes.len() >= 2 && std::str::from_utf8(bytes).is_ok_and(|text| !text.contains(char::is_control));
    is_dot || is_text
}
