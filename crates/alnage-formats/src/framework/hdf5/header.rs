//! Object headers: the list of messages that describes a group or a dataset.

use std::{collections::HashSet, ops::Range};

use alnage_types::{IssueKind, ReadEnd};

use super::file::File;
use crate::Context;

pub(super) const DATASPACE: u16 = 0x01;
pub(super) const LINK_INFO: u16 = 0x02;
pub(super) const DATATYPE: u16 = 0x03;
pub(super) const OLD_FILL: u16 = 0x04;
pub(super) const FILL: u16 = 0x05;
pub(super) const LINK: u16 = 0x06;
pub(super) const EXTERNAL_FILES: u16 = 0x07;
pub(super) const LAYOUT: u16 = 0x08;
pub(super) const FILTERS: u16 = 0x0b;
pub(super) const ATTRIBUTE: u16 = 0x0c;
pub(super) const SHARED_TABLE: u16 = 0x0f;
const CONTINUATION: u16 = 0x10;
pub(super) const SYMBOL_TABLE: u16 = 0x11;
pub(super) const ATTRIBUTE_INFO: u16 = 0x15;

/// One message, by place in the bytes.
pub(super) struct Message {
    pub(super) kind: u16,
    /// Its body.
    pub(super) body: Range<u64>,
    /// Whether the body only says where the real one is.
    pub(super) shared: bool,
}

/// All messages of the header at `address`, continuations included.
pub(super) fn read(file: &mut File<'_>, address: u64, context: &mut Context<'_>) -> Vec<Message> {
    let mut messages = Vec::new();
    if let Err(end) = read_blocks(file, address, &mut messages, context) {
        context.read_end(end, file.place(address), "an object header");
    }
    messages
}

/// How the messages of one header are written.
#[derive(Clone, Copy)]
enum Layout {
    Version1,
    Version2 { with_order: bool },
}

fn read_blocks(
    file: &mut File<'_>,
    address: u64,
    messages: &mut Vec<Message>,
    context: &mut Context<'_>,
) -> Result<(), ReadEnd> {
    let start = file.place(address);
    file.seek(address);
    let head = file.reader.array::<4>()?;
    let (layout, first) = if head == *b"OHDR" {
        let version = file.reader.u8()?;
        let flags = file.reader.u8()?;
        if version != 2 {
            context.issue(IssueKind::Unsupported, start, format!("object header version {version}"));
        }
        file.reader.skip(if flags & 0x20 != 0 { 16 } else { 0 } + if flags & 0x10 != 0 { 4 } else { 0 })?;
        let size = file.number(1 << (flags & 3))?;
        let body = file.reader.position();
        context.claim(start..body.saturating_add(size).saturating_add(4));
        (Layout::Version2 { with_order: flags & 4 != 0 }, body..body.saturating_add(size))
    } else if head[0] == 1 {
        file.reader.skip(4)?;
        let size = u64::from(file.reader.u32le()?);
        file.reader.skip(4)?;
        let body = file.reader.position();
        context.claim(start..body.saturating_add(size));
        (Layout::Version1, body..body.saturating_add(size))
    } else {
        context.issue(IssueKind::Malformed, start, "no object header where a link says one is");
        return Ok(());
    };
    let mut seen = HashSet::new();
    let mut blocks = vec![first];
    while let Some(block) = blocks.pop() {
        if block.end > file.reader.len() {
            return Err(ReadEnd::Truncated);
        }
        if seen.insert(block.start) {
            read_block(file, block, layout, messages, &mut blocks, context)?;
        }
    }
    Ok(())
}

fn read_block(
    file: &mut File<'_>,
    block: Range<u64>,
    layout: Layout,
    messages: &mut Vec<Message>,
    blocks: &mut Vec<Range<u64>>,
    context: &mut Context<'_>,
) -> Result<(), ReadEnd> {
    let head = match layout {
        Layout::Version1 => 8,
        Layout::Version2 { with_order } => 4 + if with_order { 2 } else { 0 },
    };
    let mut at = block.start;
    // A gap shorter than a message's head may end a block.
    while block.end.saturating_sub(at) >= head {
        if let Err(limit) = context.meter().step(1) {
            context.exhausted(limit, at);
            return Ok(());
        }
        file.reader.seek(at);
        let (kind, size, flags) = match layout {
            Layout::Version1 => (file.reader.u16le()?, file.reader.u16le()?, file.reader.u8()?),
            Layout::Version2 { .. } => {
                (u16::from(file.reader.u8()?), file.reader.u16le()?, file.reader.u8()?)
            }
        };
        let body = at + head..at + head + u64::from(size);
        at = body.end;
        if body.end > block.end {
            context.issue(
                IssueKind::Malformed,
                body.start,
                "an object header message is longer than its block",
            );
            return Ok(());
        }
        if kind == CONTINUATION {
            file.reader.seek(body.start);
            let (Some(address), length) = (file.offset()?, file.length()?) else { continue };
            blocks.push(continuation(file, address, length, layout, context)?);
        } else {
            messages.push(Message { kind, body, shared: flags & 2 != 0 });
        }
    }
    Ok(())
}

fn continuation(
    file: &mut File<'_>,
    address: u64,
    length: u64,
    layout: Layout,
    context: &mut Context<'_>,
) -> Result<Range<u64>, ReadEnd> {
    let start = file.place(address);
    let end = start.saturating_add(length);
    context.claim(start..end);
    match layout {
        Layout::Version1 => Ok(start..end),
        Layout::Version2 { .. } => {
            file.seek(address);
            if !file.magic(b"OCHK")? {
                context.issue(
                    IssueKind::Malformed,
                    start,
                    "no continuation block where a header says one is",
                );
                return Ok(start..start);
            }
            Ok(start.saturating_add(4)..end.saturating_sub(4))
        }
    }
}
