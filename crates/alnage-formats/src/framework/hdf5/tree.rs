//! Version 2 B-trees: the index over the links or attributes that a fractal heap holds, or over chunks.

use std::collections::HashSet;

use alnage_types::{IssueKind, ReadEnd};

use super::file::File;
use crate::Context;

/// What the widths of a node's fields follow from.
struct Tree {
    kind: u8,
    record: u64,
    node_size: u64,
}

/// The records of a tree.
pub(super) struct Records {
    /// What they are about.
    pub(super) kind: u8,
    /// Their bytes, all of the same number.
    pub(super) all: Vec<Vec<u8>>,
}

/// The heap ids in the records of the tree at `address`.
pub(super) fn heap_ids(
    file: &mut File<'_>,
    address: u64,
    id_len: u16,
    context: &mut Context<'_>,
) -> Result<Vec<Vec<u8>>, ReadEnd> {
    let start = file.place(address);
    let Some(Records { kind, mut all }) = records(file, address, usize::MAX, context)? else {
        return Ok(Vec::new());
    };
    let id_at = match kind {
        5 => 4,
        6 => 8,
        8 | 9 => 0,
        _ => {
            context.issue(IssueKind::Unsupported, start, format!("a B-tree of type {kind}"));
            return Ok(Vec::new());
        }
    };
    for record in &mut all {
        if record.len() < id_at + usize::from(id_len) {
            context.issue(IssueKind::Malformed, start, "a B-tree with impossible sizes");
            return Ok(Vec::new());
        }
        record.truncate(id_at + usize::from(id_len));
        record.drain(..id_at);
    }
    Ok(all)
}

/// The records of the tree at `address`; `None` when there is none, or more than `most`.
pub(super) fn records(
    file: &mut File<'_>,
    address: u64,
    most: usize,
    context: &mut Context<'_>,
) -> Result<Option<Records>, ReadEnd> {
    let start = file.place(address);
    file.seek(address);
    if !file.magic(b"BTHD")? {
        context.issue(IssueKind::Malformed, start, "no B-tree where one should be");
        return Ok(None);
    }
    file.reader.skip(1)?;
    let kind = file.reader.u8()?;
    let node_size = u64::from(file.reader.u32le()?);
    let record = u64::from(file.reader.u16le()?);
    let depth = file.reader.u16le()?;
    file.reader.skip(2)?;
    let root = file.offset()?;
    let count = u64::from(file.reader.u16le()?);
    file.length()?;
    context.claim(start..file.reader.position().saturating_add(4));
    if depth > 32 {
        context.issue(IssueKind::Malformed, start, "a B-tree with impossible sizes");
        return Ok(None);
    }
    let tree = Tree { kind, record, node_size };
    let mut all = Vec::new();
    let mut seen = HashSet::new();
    let mut queue: Vec<_> = root.map(|root| (root, count, depth)).into_iter().collect();
    while let Some((address, count, depth)) = queue.pop() {
        if seen.insert(address) {
            node(file, &tree, (address, count, depth), &mut all, &mut queue, context)?;
        }
        if all.len() > most {
            return Ok(None);
        }
    }
    Ok(Some(Records { kind, all }))
}

fn node(
    file: &mut File<'_>,
    tree: &Tree,
    (address, count, depth): (u64, u64, u16),
    all: &mut Vec<Vec<u8>>,
    queue: &mut Vec<(u64, u64, u16)>,
    context: &mut Context<'_>,
) -> Result<(), ReadEnd> {
    let start = file.place(address);
    file.seek(address);
    let magic = if depth == 0 { b"BTLF" } else { b"BTIN" };
    if !file.magic(magic)? || file.reader.u8()? != 0 || file.reader.u8()? != tree.kind {
        context.issue(IssueKind::Malformed, start, "no B-tree node where its parent says one is");
        return Ok(());
    }
    for _ in 0..count {
        if let Err(limit) = context.meter().step(1) {
            context.exhausted(limit, start);
            return Ok(());
        }
        all.push(file.reader.take(tree.record)?.into_owned());
    }
    if depth > 0 {
        let widths = tree.widths(depth, file.offset_size);
        for _ in 0..=count {
            let child = file.offset()?;
            let records = file.number(widths.records)?;
            file.number(widths.total)?;
            queue.extend(child.map(|child| (child, records, depth - 1)));
        }
    }
    context.claim(start..file.reader.position().saturating_add(4));
    Ok(())
}

/// Bytes of the two counts beside a child's address.
struct Widths {
    records: u8,
    total: u8,
}

impl Tree {
    /// The widths in a node at `depth`: each is wide enough for the most records that could be below.
    fn widths(&self, depth: u16, offset_size: u8) -> Widths {
        let width = |limit: u64| u8::try_from(limit.checked_ilog2().unwrap_or(0) / 8 + 1).unwrap_or(8);
        let space = self.node_size.saturating_sub(10);
        let leaf = space / self.record.max(1);
        let records = width(leaf);
        let (mut most, mut total) = (leaf, 0);
        for _ in 1..depth {
            let pointer = u64::from(offset_size) + u64::from(records) + u64::from(total);
            let here = space.saturating_sub(pointer) / (self.record + pointer).max(1);
            most = here.saturating_add(1).saturating_mul(most).saturating_add(here);
            total = width(most);
        }
        Widths { records, total: if depth > 1 { total } else { 0 } }
    }
}
