//! Heaps: local ones for names, global ones for strings of variable length, fractal ones for many links.

use std::{collections::HashSet, ops::Range};

use alnage_types::{IssueKind, ReadEnd};

use super::file::File;
use crate::Context;

/// The data segment of the local heap at `address`.
pub(super) fn local(
    file: &mut File<'_>,
    address: u64,
    context: &mut Context<'_>,
) -> Result<Range<u64>, ReadEnd> {
    let start = file.place(address);
    file.seek(address);
    if !file.magic(b"HEAP")? {
        context.issue(IssueKind::Malformed, start, "no local heap where a group says one is");
        return Ok(0..0);
    }
    file.reader.skip(4)?;
    let size = file.length()?;
    file.length()?;
    let data = file.offset()?;
    context.claim(start..file.reader.position());
    let Some(data) = data else { return Ok(0..0) };
    let data = file.place(data)..file.place(data).saturating_add(size);
    context.claim(data.clone());
    Ok(data)
}

/// The text at `offset` of a local heap's data segment.
pub(super) fn local_text(file: &mut File<'_>, data: &Range<u64>, offset: u64) -> Result<String, ReadEnd> {
    let at = data.start.saturating_add(offset);
    if at >= data.end {
        return Err(ReadEnd::Truncated);
    }
    file.reader.seek(at);
    file.c_string((data.end - at).min(4096) as usize)
}

/// Where object `index` of the global heap collection at `address` is.
pub(super) fn global(
    file: &mut File<'_>,
    address: u64,
    index: u32,
    context: &mut Context<'_>,
) -> Result<Option<Range<u64>>, ReadEnd> {
    let start = file.place(address);
    file.seek(address);
    if !file.magic(b"GCOL")? {
        context.issue(IssueKind::Malformed, start, "no global heap where a value says one is");
        return Ok(None);
    }
    file.reader.skip(4)?;
    let size = file.length()?;
    let end = start.saturating_add(size).min(file.reader.len());
    let mut at = file.reader.position();
    context.claim(start..at);
    let head = 8 + u64::from(file.length_size);
    while end.saturating_sub(at) >= head {
        if let Err(limit) = context.meter().step(1) {
            context.exhausted(limit, at);
            return Ok(None);
        }
        file.reader.seek(at);
        let number = u32::from(file.reader.u16le()?);
        file.reader.skip(6)?;
        let length = file.length()?;
        let body = file.reader.position();
        if number == 0 {
            break;
        }
        let padded = length.checked_next_multiple_of(8).unwrap_or(u64::MAX);
        let next = body.saturating_add(padded);
        if number == index {
            if body.saturating_add(length) > end {
                return Err(ReadEnd::Truncated);
            }
            context.claim(at..next.min(end));
            return Ok(Some(body..body + length));
        }
        at = next;
    }
    Ok(None)
}

/// The parts of a fractal heap's header that finding an object needs.
struct Fractal {
    id_len: u16,
    offset_width: u8,
    length_width: u8,
    table_width: u16,
    start_size: u64,
    max_direct: u64,
    root: Option<u64>,
    rows: u16,
    checksummed: bool,
}

/// The objects of the fractal heap at `heap` that the version 2 B-tree at `index` names.
pub(super) fn dense_objects(
    file: &mut File<'_>,
    heap: u64,
    index: u64,
    context: &mut Context<'_>,
) -> Result<Vec<Range<u64>>, ReadEnd> {
    let Some(fractal) = fractal(file, heap, context)? else { return Ok(Vec::new()) };
    let ids = super::tree::heap_ids(file, index, fractal.id_len, context)?;
    let blocks = direct_blocks(file, &fractal, context)?;
    let mut objects = Vec::new();
    for id in ids {
        if let Err(limit) = context.meter().step(1) {
            context.exhausted(limit, file.place(heap));
            break;
        }
        let number = |range: Range<usize>| {
            id.get(range)
                .unwrap_or_default()
                .iter()
                .rev()
                .fold(0_u64, |value, &byte| value << 8 | u64::from(byte))
        };
        if id.first().is_none_or(|first| first >> 4 & 3 != 0) {
            let what = "a heap object that is not stored in the heap's blocks";
            context.issue(IssueKind::Unsupported, file.place(heap), what);
            continue;
        }
        let split = 1 + usize::from(fractal.offset_width);
        let (offset, length) = (number(1..split), number(split..split + usize::from(fractal.length_width)));
        let at = blocks.partition_point(|block| block.offset <= offset);
        let Some(block) = at.checked_sub(1).and_then(|at| blocks.get(at)) else { continue };
        let start = block.place.saturating_add(offset - block.offset);
        if offset - block.offset >= block.size || start.saturating_add(length) > file.reader.len() {
            context.issue(IssueKind::Malformed, file.place(heap), "a heap object lies outside of its heap");
            continue;
        }
        objects.push(start..start + length);
    }
    Ok(objects)
}

fn fractal(file: &mut File<'_>, heap: u64, context: &mut Context<'_>) -> Result<Option<Fractal>, ReadEnd> {
    let start = file.place(heap);
    file.seek(heap);
    if !file.magic(b"FRHP")? {
        context.issue(IssueKind::Malformed, start, "no fractal heap where a group says one is");
        return Ok(None);
    }
    file.reader.skip(1)?;
    let id_len = file.reader.u16le()?;
    let filter_len = file.reader.u16le()?;
    let flags = file.reader.u8()?;
    let max_object = file.reader.u32le()?;
    if filter_len != 0 {
        context.issue(IssueKind::Unsupported, start, "a heap of links or attributes that is compressed");
        return Ok(None);
    }
    // Huge objects, free space, and counts of objects.
    file.length()?;
    file.offset()?;
    file.length()?;
    file.offset()?;
    for _ in 0..8 {
        file.length()?;
    }
    let table_width = file.reader.u16le()?;
    let start_size = file.length()?;
    let max_direct = file.length()?;
    let heap_bits = file.reader.u16le()?;
    file.reader.skip(2)?;
    let root = file.offset()?;
    let rows = file.reader.u16le()?;
    context.claim(start..file.reader.position().saturating_add(4));
    let width = |value: u64| u8::try_from(value.checked_ilog2().unwrap_or(0) / 8 + 1).unwrap_or(8);
    if table_width == 0 || !start_size.is_power_of_two() || !max_direct.is_power_of_two() || heap_bits > 64 {
        context.issue(IssueKind::Malformed, start, "a fractal heap with impossible sizes");
        return Ok(None);
    }
    Ok(Some(Fractal {
        id_len,
        offset_width: u8::try_from(heap_bits.div_ceil(8)).unwrap_or(8),
        length_width: width(max_direct.min(u64::from(max_object))),
        table_width,
        start_size,
        max_direct,
        root,
        rows,
        checksummed: flags & 2 != 0,
    }))
}

/// A direct block: where it is in the bytes and in the heap's address space.
struct Block {
    offset: u64,
    place: u64,
    size: u64,
}

impl Fractal {
    fn row_size(&self, row: u16) -> u64 {
        let factor = 1_u64.checked_shl(u32::from(row.saturating_sub(1))).unwrap_or(u64::MAX);
        self.start_size.saturating_mul(factor)
    }

    fn direct_rows(&self) -> u16 {
        let rows = self.max_direct.ilog2().saturating_sub(self.start_size.ilog2()) + 2;
        u16::try_from(rows).unwrap_or(u16::MAX)
    }
}

fn direct_blocks(
    file: &mut File<'_>,
    heap: &Fractal,
    context: &mut Context<'_>,
) -> Result<Vec<Block>, ReadEnd> {
    let Some(root) = heap.root else { return Ok(Vec::new()) };
    let mut blocks = Vec::new();
    let mut seen = HashSet::new();
    let mut queue = if heap.rows == 0 {
        blocks.push(Block { offset: 0, place: file.place(root), size: heap.start_size.max(heap.max_direct) });
        Vec::new()
    } else {
        vec![(root, heap.rows, 0_u64)]
    };
    while let Some((address, rows, base)) = queue.pop() {
        if !seen.insert(address) {
            continue;
        }
        let start = file.place(address);
        file.seek(address);
        if !file.magic(b"FHIB")? {
            context.issue(IssueKind::Malformed, start, "no indirect block where a heap says one is");
            continue;
        }
        file.reader.skip(1 + u64::from(file.offset_size) + u64::from(heap.offset_width))?;
        let mut offset = base;
        for row in 0..rows {
            let size = heap.row_size(row);
            for _ in 0..heap.table_width {
                if let Err(limit) = context.meter().step(1) {
                    context.exhausted(limit, start);
                    return Ok(blocks);
                }
                if let Some(child) = file.offset()? {
                    if row < heap.direct_rows() {
                        blocks.push(Block { offset, place: file.place(child), size });
                    } else {
                        // An indirect child of this size holds the rows whose sizes add up to it.
                        let first = u64::from(heap.table_width).saturating_mul(heap.start_size);
                        let rows =
                            size.checked_div(first).and_then(u64::checked_ilog2).map_or(1, |rows| rows + 1);
                        queue.push((child, u16::try_from(rows).unwrap_or(1), offset));
                    }
                }
                offset = offset.saturating_add(size);
            }
        }
        context.claim(start..file.reader.position().saturating_add(4));
    }
    for block in &blocks {
        let head = 5 + u64::from(file.offset_size) + u64::from(heap.offset_width);
        let head = head + if heap.checksummed { 4 } else { 0 };
        // The rest of a block may be free space: what objects claim is claimed with the group.
        context.claim(block.place..block.place.saturating_add(head));
    }
    blocks.sort_unstable_by_key(|block| block.offset);
    Ok(blocks)
}
