//! Groups: symbol tables of old files, link messages and dense links of new ones.

use std::{collections::HashSet, ops::Range};

use alnage_types::{IssueKind, ReadEnd};

use super::{
    Hdf5Facts, Hdf5Reference, Hdf5ReferenceKind, Reached,
    file::File,
    header::{self, Message},
    heap, join, refer,
};
use crate::Context;

/// The objects that the hard links of a group lead to. Other links become references.
pub(super) fn read(
    file: &mut File<'_>,
    path: &str,
    messages: &[Message],
    facts: &mut Hdf5Facts,
    context: &mut Context<'_>,
) -> Vec<Reached> {
    let mut reached = Vec::new();
    for message in messages {
        let result = match message.kind {
            header::SYMBOL_TABLE => symbol_table(file, path, message, facts, &mut reached, context),
            header::LINK => link(file, path, message.body.clone(), facts, &mut reached, context),
            header::LINK_INFO => dense_links(file, path, message, facts, &mut reached, context),
            _ => Ok(()),
        };
        if let Err(end) = result {
            context.read_end(end, message.body.start, "the links of a group");
        }
    }
    reached
}

/// The longest name or path that is kept.
const MAX_NAME: usize = 4096;

/// A link message, in a header or in a heap.
fn link(
    file: &mut File<'_>,
    path: &str,
    body: Range<u64>,
    facts: &mut Hdf5Facts,
    reached: &mut Vec<Reached>,
    context: &mut Context<'_>,
) -> Result<(), ReadEnd> {
    file.reader.seek(body.start);
    let version = file.reader.u8()?;
    if version != 1 {
        context.issue(IssueKind::Unsupported, body.start, format!("link message version {version}"));
        return Ok(());
    }
    let flags = file.reader.u8()?;
    let kind = if flags & 8 != 0 { file.reader.u8()? } else { 0 };
    file.reader.skip(if flags & 4 != 0 { 8 } else { 0 } + if flags & 16 != 0 { 1 } else { 0 })?;
    let length = file.number(1 << (flags & 3))?;
    let name_at = file.reader.position();
    let name = bounded_text(file, length)?;
    file.reader.seek(name_at.saturating_add(length));
    let path = join(path, &name);
    let (kind, file_name, target) = match kind {
        0 => {
            reached.extend(file.offset()?.map(|address| (address, path)));
            return Ok(());
        }
        1 => {
            let length = u64::from(file.reader.u16le()?);
            (Hdf5ReferenceKind::SoftLink, None, Some(bounded_text(file, length)?))
        }
        64 => {
            file.reader.skip(3)?;
            let file_name = file.c_string(MAX_NAME)?;
            let target = file.c_string(MAX_NAME)?;
            (Hdf5ReferenceKind::ExternalLink, Some(file_name), Some(target))
        }
        other => (Hdf5ReferenceKind::UserDefinedLink, None, Some(format!("link class {other}"))),
    };
    refer(facts, Hdf5Reference { kind, path, file: file_name, target, offset: body.start });
    Ok(())
}

fn bounded_text(file: &mut File<'_>, length: u64) -> Result<String, ReadEnd> {
    if length > file.reader.remaining() {
        return Err(ReadEnd::Truncated);
    }
    let bytes = file.reader.take(length.min(MAX_NAME as u64))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn dense_links(
    file: &mut File<'_>,
    path: &str,
    message: &Message,
    facts: &mut Hdf5Facts,
    reached: &mut Vec<Reached>,
    context: &mut Context<'_>,
) -> Result<(), ReadEnd> {
    file.reader.seek(message.body.start);
    file.reader.skip(1)?;
    let flags = file.reader.u8()?;
    file.reader.skip(if flags & 1 != 0 { 8 } else { 0 })?;
    let (Some(heap), Some(index)) = (file.offset()?, file.offset()?) else { return Ok(()) };
    for object in heap::dense_objects(file, heap, index, context)? {
        context.claim(object.clone());
        link(file, path, object, facts, reached, context)?;
    }
    Ok(())
}

/// A symbol table: a B-tree of nodes whose names are in a local heap.
fn symbol_table(
    file: &mut File<'_>,
    path: &str,
    message: &Message,
    facts: &mut Hdf5Facts,
    reached: &mut Vec<Reached>,
    context: &mut Context<'_>,
) -> Result<(), ReadEnd> {
    file.reader.seek(message.body.start);
    let (Some(tree), Some(heap)) = (file.offset()?, file.offset()?) else { return Ok(()) };
    let names = heap::local(file, heap, context)?;
    for node in tree_leaves(file, tree, context)? {
        let start = file.place(node);
        file.seek(node);
        if !file.magic(b"SNOD")? {
            context.issue(IssueKind::Malformed, start, "no symbol table node where a B-tree says one is");
            continue;
        }
        file.reader.skip(2)?;
        let count = file.reader.u16le()?;
        for _ in 0..count {
            if let Err(limit) = context.meter().step(1) {
                context.exhausted(limit, start);
                return Ok(());
            }
            let entry_at = file.reader.position();
            let entry = raw_entry(file)?;
            let next = file.reader.position();
            let name = heap::local_text(file, &names, entry.name)?;
            let path = join(path, &name);
            if entry.cache == 2 {
                let target = Some(heap::local_text(file, &names, u64::from(entry.soft_link))?);
                let kind = Hdf5ReferenceKind::SoftLink;
                refer(facts, Hdf5Reference { kind, path, file: None, target, offset: entry_at });
            } else if let Some(address) = entry.address {
                reached.push((address, path));
            }
            file.reader.seek(next);
        }
        context.claim(start..file.reader.position());
    }
    Ok(())
}

struct Entry {
    name: u64,
    address: Option<u64>,
    cache: u32,
    soft_link: u32,
}

fn raw_entry(file: &mut File<'_>) -> Result<Entry, ReadEnd> {
    let name = file.number(file.offset_size)?;
    let address = file.offset()?;
    let cache = file.reader.u32le()?;
    file.reader.skip(4)?;
    let soft_link = file.reader.u32le()?;
    file.reader.skip(12)?;
    Ok(Entry { name, address, cache, soft_link })
}

/// The object header that a symbol table entry leads to.
pub(super) fn entry_address(file: &mut File<'_>) -> Result<Option<u64>, ReadEnd> {
    raw_entry(file).map(|entry| entry.address)
}

/// The leaves that a version 1 B-tree of a group leads to.
fn tree_leaves(file: &mut File<'_>, root: u64, context: &mut Context<'_>) -> Result<Vec<u64>, ReadEnd> {
    let (mut leaves, mut seen, mut queue) = (Vec::new(), HashSet::new(), vec![root]);
    while let Some(node) = queue.pop() {
        if !seen.insert(node) {
            continue;
        }
        let start = file.place(node);
        file.seek(node);
        if !file.magic(b"TREE")? || file.reader.u8()? != 0 {
            context.issue(IssueKind::Malformed, start, "no B-tree node where a group says one is");
            continue;
        }
        let level = file.reader.u8()?;
        let used = file.reader.u16le()?;
        file.offset()?;
        // A sibling that no parent names is still reached by readers that walk along a level.
        queue.extend(file.offset()?);
        for _ in 0..used {
            if let Err(limit) = context.meter().step(1) {
                context.exhausted(limit, start);
                return Ok(leaves);
            }
            file.length()?;
            let Some(child) = file.offset()? else { continue };
            if level == 0 { leaves.push(child) } else { queue.push(child) }
        }
        file.length()?;
        context.claim(start..file.reader.position());
    }
    leaves.sort_unstable();
    leaves.dedup();
    Ok(leaves)
}
