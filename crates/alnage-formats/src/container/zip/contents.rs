//! Unpacks entries and hands them on: under the method that is declared, and under the one that is true.

use std::{ops::Range, sync::Arc};

use alnage_types::{Exhausted, IssueKind, Reader, Source, WindowSource};

use super::{directory::Entry, local::LocalHeader};
use crate::{
    Context, Probe,
    container::{
        archive::{AnomalyKind, ArchiveFacts, Names, shorten},
        codec::{self, Codec},
    },
    inflate::{InflatedSource, Inflation},
    registry,
};

/// Stored members up to this size have their checksum verified; larger ones are not read for it.
const MAX_CHECKED: u64 = 1 << 20;

/// Hands on the members of one archive.
pub(super) struct Contents {
    source: Arc<dyn Source>,
    names: Names,
    /// How much decompressed content may still be kept in memory until its turn comes.
    keep: Option<u64>,
    /// End of the compressed bytes counted so far, so that shared bytes are not counted twice.
    counted: u64,
    /// Entries handed on, or that would have been.
    entries: u64,
    /// Whether the budget stopped a decompression.
    pub(super) bomb: bool,
}

/// How the bytes of an entry were read under one method.
enum Reading {
    Plain(Arc<dyn Source>),
    Inflated(Inflation),
    Unsupported,
}

impl Contents {
    pub(super) fn new(source: Arc<dyn Source>) -> Self {
        Self { source, names: Names::default(), keep: None, counted: 0, entries: 0, bomb: false }
    }

    /// Hands on an entry that a directory lists.
    pub(super) fn hand_on(
        &mut self,
        entry: &Entry,
        local: &LocalHeader,
        facts: &mut ArchiveFacts,
        context: &mut Context<'_>,
    ) {
        let data = local.data..local.data.saturating_add(entry.compressed);
        if data.end > self.source.len() {
            let message = format!("the bytes end inside `{}`", shorten(&entry.name, 100));
            context.issue(IssueKind::Truncated, data.start, message);
        }
        let is_folder = entry.name.ends_with('/') && entry.compressed == 0;
        if is_folder || self.is_opaque_payload(entry, &data, context) {
            return;
        }
        let most = context.meter().budget().max_entries;
        self.entries += 1;
        if self.entries > most {
            // Said once; unpacking what nobody will look at costs time and memory.
            if self.entries == most + 1 {
                context.exhausted(Exhausted { limit: "max-entries" }, entry.header);
            }
            return;
        }
        let encrypted = entry.flags & 1 != 0;
        let mut understood = self.under_method(entry, entry.method, &data, facts, context);
        if local.method != entry.method {
            // The other reading failing says nothing: only one of the two methods is true.
            understood |= self.under_method(entry, local.method, &data, facts, context);
        }
        if understood && encrypted {
            let detail = "marked as encrypted, yet the content has its checksum without a password";
            facts.anomaly(AnomalyKind::FalseEncryption, &entry.name, entry.header, detail);
        } else if !understood && self.under_true_method(entry, &data, facts, context) {
            // Understood after all.
        } else if !understood {
            self.not_understood(entry, &data, facts, context);
        }
    }

    /// Hands on an entry that only has its own header; says how many bytes its content takes.
    pub(super) fn hand_on_hidden(
        &mut self,
        header: u64,
        local: &LocalHeader,
        limit: u64,
        facts: &mut ArchiveFacts,
        context: &mut Context<'_>,
    ) -> u64 {
        let rest = limit.saturating_sub(local.data);
        let open_ended = local.flags & 8 != 0 && local.compressed == 0 || local.compressed > rest;
        let length = if open_ended { rest } else { local.compressed };
        let data = local.data..local.data + length;
        if local.name.ends_with('/') && length == 0 {
            return 0;
        }
        if local.method != 0 && open_ended {
            let Some(codec) = codec_of(local.method, None) else { return 0 };
            let (decoder, end) = codec::open(codec, &self.source, data.clone());
            let inflation = self.inflate(decoder, &data, context);
            self.member(&local.name, Arc::new(inflation.source), context);
            return codec::ended(&end).end.saturating_sub(data.start);
        }
        let entry = Entry {
            name: local.name.clone(),
            raw_name: local.raw_name.clone(),
            unicode_name: None,
            header,
            flags: local.flags,
            method: local.method,
            crc32: local.crc32,
            compressed: length,
            size: if open_ended { length } else { local.size },
            mode: 0,
        };
        if local.method == 0 && open_ended {
            self.member(
                &entry.name,
                Arc::new(WindowSource::new(self.source.clone(), data.start, length)),
                context,
            );
        } else {
            self.hand_on(&entry, local, facts, context);
        }
        length
    }

    /// Whether a stored member is a tensor's raw bytes, which nothing but its own pickle gives a meaning. Such
    /// members are many and large: they are claimed and not handed on, unless their head says they are something.
    fn is_opaque_payload(&self, entry: &Entry, data: &Range<u64>, context: &Context<'_>) -> bool {
        if entry.method != 0 || entry.flags & 1 != 0 || !is_payload_name(&entry.name) {
            return false;
        }
        let path = context.path().member(&entry.name);
        let window = WindowSource::new(self.source.clone(), data.start, entry.compressed);
        let Ok(head) = Reader::new(&window).take(window.len().min(Probe::HEAD as u64)) else { return false };
        let probe = Probe::new(&window, &path, &head, &[]);
        !registry::formats().any(|format| (format.identify)(&probe))
    }

    /// Hands on the content under `method`; false when it makes no sense under it.
    fn under_method(
        &mut self,
        entry: &Entry,
        method: u16,
        data: &Range<u64>,
        facts: &mut ArchiveFacts,
        context: &mut Context<'_>,
    ) -> bool {
        let declared = method == entry.method;
        match self.read(method, entry, data, context) {
            Reading::Plain(plain) => {
                let crc = self.checked_crc(plain.as_ref());
                let wrong = crc.is_some_and(|crc| crc != entry.crc32);
                if entry.flags & 1 != 0 && (entry.compressed != entry.size || wrong) || !declared && wrong {
                    return false;
                }
                if wrong {
                    checksum_mismatch(entry, crc.unwrap_or_default(), facts);
                }
                if declared && entry.size != entry.compressed {
                    wrong_size(entry, entry.compressed, facts);
                    let longer = WindowSource::new(self.source.clone(), data.start, entry.size);
                    if longer.len() > plain.len() {
                        self.member(&entry.name, Arc::new(longer), context);
                    }
                }
                self.member(&entry.name, plain, context);
                true
            }
            Reading::Inflated(inflation) => {
                let fits = inflation.crc32 == entry.crc32;
                let empty = inflation.source.is_empty();
                if inflation.error.is_some() && (empty || !declared || entry.flags & 1 != 0) {
                    return false;
                }
                if let Some(error) = inflation.error {
                    let message =
                        format!("`{}` cannot be decompressed to its end: {error}", shorten(&entry.name, 100));
                    context.issue(IssueKind::Malformed, data.start, message);
                } else if inflation.exhausted.is_none() {
                    if !fits {
                        checksum_mismatch(entry, inflation.crc32, facts);
                    }
                    if inflation.source.len() != entry.size {
                        wrong_size(entry, inflation.source.len(), facts);
                    }
                }
                self.member(&entry.name, Arc::new(inflation.source), context);
                true
            }
            Reading::Unsupported => false,
        }
    }

    /// The content under a method that no header names but that gives the declared checksum.
    fn under_true_method(
        &mut self,
        entry: &Entry,
        data: &Range<u64>,
        facts: &mut ArchiveFacts,
        context: &mut Context<'_>,
    ) -> bool {
        for method in [0, 8] {
            let source = match self.read(method, entry, data, context) {
                Reading::Plain(plain) if self.checked_crc(plain.as_ref()) == Some(entry.crc32) => plain,
                Reading::Inflated(inflation)
                    if inflation.error.is_none() && inflation.crc32 == entry.crc32 =>
                {
                    Arc::new(inflation.source)
                }
                _ => continue,
            };
            let kind =
                if entry.flags & 1 != 0 { AnomalyKind::FalseEncryption } else { AnomalyKind::FalseMethod };
            let detail =
                format!("declared method {}, flags {:#06x}; true method {method}", entry.method, entry.flags);
            facts.anomaly(kind, &entry.name, entry.header, detail);
            self.member(&entry.name, source, context);
            return true;
        }
        false
    }

    fn not_understood(
        &mut self,
        entry: &Entry,
        data: &Range<u64>,
        facts: &mut ArchiveFacts,
        context: &mut Context<'_>,
    ) {
        let name = shorten(&entry.name, 100);
        if entry.flags & 1 != 0 || entry.method == 99 {
            facts.anomaly(AnomalyKind::Encrypted, &entry.name, entry.header, "");
            context.issue(IssueKind::Encrypted, data.start, format!("`{name}` is encrypted"));
        } else if codec_of(entry.method, None).is_some() {
            context.issue(IssueKind::Malformed, data.start, format!("`{name}` cannot be decompressed"));
        } else {
            let message = format!("`{name}` is packed by method {}, which is not read", entry.method);
            context.issue(IssueKind::Unsupported, data.start, message);
        }
        // Whatever it is called, the bytes themselves are there to be looked at.
        if entry.compressed > 0 {
            let raw = WindowSource::new(self.source.clone(), data.start, entry.compressed);
            self.member(&format!("{}#raw", entry.name), Arc::new(raw), context);
        }
    }

    fn read(&mut self, method: u16, entry: &Entry, data: &Range<u64>, context: &mut Context<'_>) -> Reading {
        if method == 0 {
            return Reading::Plain(Arc::new(WindowSource::new(
                self.source.clone(),
                data.start,
                entry.compressed,
            )));
        }
        let Some(codec) = codec_of(method, Some(entry)) else { return Reading::Unsupported };
        let (decoder, _) = codec::open(codec, &self.source, data.clone());
        Reading::Inflated(self.inflate(decoder, data, context))
    }

    fn inflate(
        &mut self,
        decoder: crate::Decoder,
        data: &Range<u64>,
        context: &mut Context<'_>,
    ) -> Inflation {
        let fresh = data.end.min(self.source.len()).saturating_sub(data.start.max(self.counted));
        self.counted = self.counted.max(data.end);
        let keep = self.keep.unwrap_or(context.meter().budget().max_member_memory);
        let inflation = InflatedSource::inflate_keeping(decoder, fresh, keep, context.meter());
        if inflation.source.len() <= keep {
            self.keep = Some(keep - inflation.source.len());
        }
        if let Some(limit) = inflation.exhausted {
            if !self.bomb {
                context.exhausted(limit, data.start);
            }
            self.bomb = true;
        }
        inflation
    }

    fn member(&mut self, name: &str, source: Arc<dyn Source>, context: &mut Context<'_>) {
        let name = self.names.unique(name);
        context.member(name, source);
    }

    /// The checksum of stored content, unless it is too long to be read for it.
    fn checked_crc(&self, plain: &dyn Source) -> Option<u32> {
        if plain.len() > MAX_CHECKED {
            return None;
        }
        Reader::new(plain).take(plain.len()).ok().map(|bytes| crc32fast::hash(&bytes))
    }
}

impl LocalHeader {
    /// Whether bytes that look like a header really are one.
    pub(super) fn is_plausible(&self) -> bool {
        let named =
            !self.name.is_empty() && self.name.len() <= 1024 && !self.name.contains(|c: char| c.is_control());
        named
            && (self.method == 0
                || self.method == 99
                || codec_of(self.method, None).is_some()
                || self.method == 9)
    }
}

pub(super) fn codec_of(method: u16, entry: Option<&Entry>) -> Option<Codec> {
    Some(match method {
        8 => Codec::Deflate,
        12 => Codec::Bzip2,
        // Bit 1 says that an end marker is there; then the size is not needed to end.
        14 => Codec::LzmaZip { size: entry.filter(|entry| entry.flags & 2 == 0).map(|entry| entry.size) },
        20 | 93 => Codec::Zstd,
        95 => Codec::Xz,
        _ => return None,
    })
}

/// Whether PyTorch would keep a tensor's bytes under this name: `archive/data/0`, `.data/0.storage`.
fn is_payload_name(name: &str) -> bool {
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    let folder = folder.rsplit('/').next().unwrap_or(folder);
    let numbered = !file.is_empty() && file.bytes().all(|byte| byte.is_ascii_digit());
    numbered && matches!(folder, "data" | "constants" | "tensors")
        || file.ends_with(".storage")
        || matches!(folder, "weights" | "constants")
            && (file.starts_with("weight_") || file.starts_with("tensor_"))
}

fn checksum_mismatch(entry: &Entry, found: u32, facts: &mut ArchiveFacts) {
    let detail = format!("CRC-32 {:08x} declared, {found:08x} found", entry.crc32);
    facts.anomaly(AnomalyKind::ChecksumMismatch, &entry.name, entry.header, detail);
}

fn wrong_size(entry: &Entry, found: u64, facts: &mut ArchiveFacts) {
    let detail = format!("{} bytes declared, {found} found", entry.size);
    facts.anomaly(AnomalyKind::WrongSize, &entry.name, entry.header, detail);
}
