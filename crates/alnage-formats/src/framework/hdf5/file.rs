//! The file as its superblock describes it: widths of addresses and lengths, and checked reads.

use std::sync::Arc;

use alnage_types::{IssueKind, ReadEnd, Reader, Source};

use super::{Hdf5Facts, Reached, group, header};
use crate::Context;

/// A cursor that knows the widths of addresses and lengths.
pub(super) struct File<'a> {
    pub(super) source: &'a Arc<dyn Source>,
    pub(super) reader: Reader<'a>,
    /// Where address 0 is.
    pub(super) base: u64,
    pub(super) offset_size: u8,
    pub(super) length_size: u8,
}

impl<'a> File<'a> {
    /// Reads the superblock at `start`; gives the root group and what else it leads to.
    pub(super) fn open(
        source: &'a Arc<dyn Source>,
        start: u64,
        facts: &mut Hdf5Facts,
        context: &mut Context<'_>,
    ) -> Result<(Self, Vec<Reached>), ReadEnd> {
        let reader = Reader::at(source.as_ref(), start + 8);
        let mut file = Self { source, reader, base: 0, offset_size: 8, length_size: 8 };
        let version = file.reader.u8()?;
        facts.superblock_version = version;
        let mut roots = Vec::new();
        match version {
            0 | 1 => {
                file.reader.skip(4)?;
                file.widths(context)?;
                // Reserved, group leaf and internal node sizes, flags; version 1 adds a node size.
                file.reader.skip(if version == 0 { 9 } else { 13 })?;
                // A base address other than the superblock's place is ignored by the library since 1.8.
                file.offset()?;
                file.base = start;
                file.offset()?;
                file.offset()?;
                file.offset()?;
                roots.extend(group::entry_address(&mut file)?.map(|address| (address, String::new())));
            }
            2 | 3 => {
                file.widths(context)?;
                file.reader.skip(1)?;
                file.offset()?;
                file.base = start;
                let extension = file.offset()?;
                file.offset()?;
                let root = file.offset()?;
                file.reader.skip(4)?;
                roots.extend(root.map(|address| (address, String::new())));
                if let Some(extension) = extension {
                    let messages = header::read(&mut file, extension, context);
                    if messages.iter().any(|message| message.kind == header::SHARED_TABLE) {
                        let what = "shared object header messages of the whole file are not read";
                        context.issue(IssueKind::Unsupported, extension, what);
                    }
                }
            }
            _ => context.issue(IssueKind::Unsupported, start + 8, format!("superblock version {version}")),
        }
        context.claim(start..file.reader.position());
        Ok((file, roots))
    }

    fn widths(&mut self, context: &mut Context<'_>) -> Result<(), ReadEnd> {
        self.offset_size = self.reader.u8()?;
        self.length_size = self.reader.u8()?;
        for width in [&mut self.offset_size, &mut self.length_size] {
            if !matches!(*width, 2 | 4 | 8) {
                let message = format!("numbers of {width} bytes are taken as 8 bytes");
                context.issue(IssueKind::Unsupported, self.reader.position(), message);
                *width = 8;
            }
        }
        Ok(())
    }

    /// Moves to an address of the file.
    pub(super) fn seek(&mut self, address: u64) {
        self.reader.seek(self.base.saturating_add(address));
    }

    /// Where an address is in the bytes.
    pub(super) fn place(&self, address: u64) -> u64 {
        self.base.saturating_add(address)
    }

    /// An address, `None` for the undefined one.
    pub(super) fn offset(&mut self) -> Result<Option<u64>, ReadEnd> {
        let value = self.number(self.offset_size)?;
        let undefined = u64::MAX >> (64 - 8 * u32::from(self.offset_size));
        Ok((value != undefined).then_some(value))
    }

    /// A length.
    pub(super) fn length(&mut self) -> Result<u64, ReadEnd> {
        self.number(self.length_size)
    }

    /// A little-endian number of 1 to 8 bytes.
    pub(super) fn number(&mut self, width: u8) -> Result<u64, ReadEnd> {
        (0..width.min(8)).try_fold(0, |value, byte| Ok(value | u64::from(self.reader.u8()?) << (8 * byte)))
    }

    /// Whether `magic` stands here; moves past it.
    pub(super) fn magic(&mut self, magic: &[u8; 4]) -> Result<bool, ReadEnd> {
        Ok(self.reader.array::<4>()? == *magic)
    }

    /// Text up to a NUL, at most `max` bytes.
    pub(super) fn c_string(&mut self, max: usize) -> Result<String, ReadEnd> {
        let mut bytes = Vec::new();
        loop {
            match self.reader.u8()? {
                0 => break,
                byte if bytes.len() < max => bytes.push(byte),
                _ => break,
            }
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}
