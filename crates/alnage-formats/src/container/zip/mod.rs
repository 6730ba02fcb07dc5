//! Zip, read the way every common reader reads it: each distinct reading's members are handed on.

mod agreed;
mod contents;
mod directory;
mod local;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    sync::Arc,
};

use alnage_types::{IssueKind, Reader, Source, WindowSource};

pub use self::agreed::{ZipMember, agreed_zip};
use self::{
    contents::Contents,
    directory::{Directory, Entry},
    local::LocalHeader,
};
use super::{
    ContainerFacts,
    archive::{AnomalyKind, ArchiveFacts, link_escapes, shorten},
};
use crate::{Context, Facts, Format, LoadEffect, Probe};

/// The row of this format.
pub(super) static ZIP: Format = Format {
    id: "zip",
    title: "Zip archive",
    extensions: &["zip", "whl", "jar", "egg", "docx", "xlsx"],
    load_effect: LoadEffect::Container,
    reads: "every member that any of Python's, PyTorch's or 7-Zip's readers would see, hidden ones included",
    cannot: "members that are encrypted or packed by deflate64, PPMd and other rare methods",
    identify,
    parse,
};

/// How a zip starts when nothing stands in front of it: an entry, nothing at all, the mark of a split archive.
pub(super) const ZIP_MAGIC: [&[u8]; 4] =
    [b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08PK\x03\x04", b"PK00PK\x03\x04"];

/// How much of the gaps between entries is searched for entries that no directory lists.
const MAX_GAP_SEARCH: u64 = 64 << 20;

/// Whether the bytes are a zip to some reader: by its head, or by an end record that leads to a directory. A tar
/// whose last member is a zip ends like one too; there the member is the zip.
pub(super) fn identify(probe: &Probe<'_>) -> bool {
    ZIP_MAGIC.iter().any(|magic| probe.starts_with(magic))
        || memchr::memmem::find(probe.tail, b"PK\x05\x06").is_some()
            && !super::tar::is_header(probe.head)
            && directory::has_directory(probe.source)
}

/// A member as most readers see it, for the formats that are built on zip.
pub(super) struct Listed {
    /// The member's name.
    pub(super) name: String,
    /// Its size when unpacked, as declared.
    pub(super) size: u64,
    /// Whether it is stored as it is, and then where.
    pub(super) stored: Option<Range<u64>>,
}

/// The members of the directory most readers take, in its order.
pub(super) fn list(source: &dyn Source) -> Vec<Listed> {
    let Some(directory) = directory::directories(source, None).into_iter().next() else { return Vec::new() };
    let listed = |entry: Entry| {
        let stored = (entry.method == 0).then(|| local::read(source, entry.header)).flatten();
        let stored = stored.map(|local| local.data..local.data.saturating_add(entry.compressed));
        Listed { name: entry.name, size: entry.size, stored }
    };
    directory.entries.into_iter().map(listed).collect()
}

/// Names of the members only: cheap enough for identification.
pub(super) fn names(source: &dyn Source) -> Vec<String> {
    let directory = directory::directories(source, None).into_iter().next();
    directory
        .map(|directory| directory.entries.into_iter().map(|entry| entry.name).collect())
        .unwrap_or_default()
}

/// Where the zip ends whose first entry stands at `range`'s start; absent when no plausible entry stands there.
pub(crate) fn zip_at(source: &Arc<dyn Source>, range: Range<u64>) -> Option<u64> {
    local::read(source.as_ref(), range.start).filter(LocalHeader::is_plausible)?;
    let window = WindowSource::new(source.clone(), range.start, range.end.saturating_sub(range.start));
    let directories = directory::directories(&window, None);
    let end = directories.iter().map(|directory| directory.end).max();
    Some(end.map_or(range.end, |end| range.start.saturating_add(end)))
}

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    let directories = directory::directories(source.as_ref(), Some(context));
    let mut facts = ArchiveFacts::default();
    let mut contents = Contents::new(source.clone());
    let mut claims: Vec<Range<u64>> = Vec::new();
    judge_directories(&directories, &mut facts);
    if directories.is_empty() {
        context.issue(
            IssueKind::Malformed,
            None,
            "no directory of entries; entries were looked for one by one",
        );
    }
    let mut done = HashSet::new();
    for directory in &directories {
        claims.push(directory.start..directory.entries_end);
        claims.push(directory.end_at..directory.end);
        if let Some(end64_at) = directory.end64_at {
            claims.push(end64_at..directory.end_at);
        }
        judge_names(directory, &mut facts);
        let mut ranges = Vec::new();
        for entry in &directory.entries {
            let first_time = done.insert((entry.header, entry.method, entry.compressed, entry.name.clone()));
            let Some(local) = local::read(source.as_ref(), entry.header) else {
                if first_time && directory.end_at == directories[0].end_at {
                    let message =
                        format!("no header where the directory has `{}`", shorten(&entry.name, 100));
                    context.issue(IssueKind::Malformed, entry.header, message);
                }
                continue;
            };
            let data_end = local.data.saturating_add(entry.compressed).min(source.len());
            ranges.push((entry.header..data_end, entry));
            if !first_time {
                continue;
            }
            let descriptor = if (entry.flags | local.flags) & 8 != 0 {
                local::descriptor_len(source.as_ref(), data_end, entry.crc32, entry.compressed)
            } else {
                0
            };
            claims.push(entry.header..data_end.saturating_add(descriptor));
            compare(entry, &local, &mut facts);
            judge_kind(source, entry, &local, &mut facts);
            contents.hand_on(entry, &local, &mut facts, context);
        }
        judge_overlaps(ranges, &mut facts);
    }
    facts.entries = directories.first().map_or(0, |directory| directory.entries.len() as u64);
    facts.declared_size = directories.first().map_or(0, |directory| {
        directory.entries.iter().fold(0, |sum: u64, entry| sum.saturating_add(entry.size))
    });
    if let Some(directory) = directories.first() {
        let comment = directory::decode_name(&directory.comment);
        facts.comment = (!comment.is_empty()).then(|| shorten(&comment, 200));
        facts.appended = source.len().saturating_sub(directories.iter().map(|d| d.end).max().unwrap_or(0));
    }
    find_hidden(source, &mut claims, &mut contents, &mut facts, context);
    facts.prepended = claims.iter().map(|claim| claim.start).min().unwrap_or(0);
    claims.into_iter().for_each(|claim| context.claim(claim));
    facts.bomb = contents.bomb;
    Facts::Container(Box::new(ContainerFacts::Archive(facts)))
}

/// Whether the readers agree on the directory.
fn judge_directories(directories: &[Directory], facts: &mut ArchiveFacts) {
    let Some((first, rivals)) = directories.split_first() else { return };
    for rival in rivals {
        let detail = format!(
            "one reader finds {} entries by the record at {:#x}, another {} by the record at {:#x}",
            first.entries.len(),
            first.end_at,
            rival.entries.len(),
            rival.end_at
        );
        facts.anomaly(AnomalyKind::RivalDirectory, "", rival.start, detail);
    }
    for directory in directories {
        let found = directory.entries.len() as u64;
        let wraps = directory.end64_at.is_none() && found & 0xffff == directory.promised;
        if !(found == directory.promised || wraps) || directory.within_len != found {
            let detail = format!(
                "the end record promises {} entries, its length covers {}, and {found} are there",
                directory.promised, directory.within_len
            );
            facts.anomaly(AnomalyKind::RivalDirectory, "", directory.end_at, detail);
        }
    }
}

/// What a name leads to where case, the kind of slash and parts that lead nowhere make no difference.
fn folded(name: &str) -> String {
    let lower = name.to_lowercase().replace('\\', "/");
    if !lower.starts_with('.') && !lower.contains("/.") && !lower.contains("//") {
        return lower;
    }
    let parts: Vec<&str> = lower.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let folder = if lower.ends_with('/') { "/" } else { "" };
    parts.join("/") + folder
}

fn judge_names(directory: &Directory, facts: &mut ArchiveFacts) {
    let mut by_name: HashMap<&str, &Entry> = HashMap::new();
    let mut by_folded: HashMap<String, &str> = HashMap::new();
    for entry in &directory.entries {
        facts.judge_name(&entry.name, entry.header);
        if let Some(unicode) = &entry.unicode_name
            && entry.raw_name.is_ascii()
        {
            let detail = format!("`{}` in the directory, `{unicode}` in its Unicode field", entry.name);
            facts.anomaly(AnomalyKind::NameMismatch, &entry.name, entry.header, detail);
        }
        if let Some(other) = by_name.insert(&entry.name, entry) {
            if (other.crc32, other.size) != (entry.crc32, entry.size) {
                let detail =
                    format!("also at {:#x}; one reader takes the first, another the last", other.header);
                facts.anomaly(AnomalyKind::DuplicateName, &entry.name, entry.header, detail);
            }
            continue;
        }
        let folded = folded(&entry.name);
        if let Some(other) = by_folded.insert(folded, &entry.name) {
            facts.anomaly(
                AnomalyKind::NameCollision,
                &entry.name,
                entry.header,
                format!("`{other}` is another entry"),
            );
        }
    }
}

/// Whether the directory and the entry's own header agree.
fn compare(entry: &Entry, local: &LocalHeader, facts: &mut ArchiveFacts) {
    if entry.raw_name != local.raw_name {
        let detail = format!("`{}` in the directory, `{}` in its own header", entry.name, local.name);
        facts.anomaly(AnomalyKind::NameMismatch, &entry.name, entry.header, detail);
        facts.judge_name(&local.name, entry.header);
    }
    if entry.method != local.method {
        let detail = format!("{} in the directory, {} in its own header", entry.method, local.method);
        facts.anomaly(AnomalyKind::MethodMismatch, &entry.name, entry.header, detail);
    }
    // Encryption, patch data, strong encryption, masked header: the bits that make readers refuse.
    const REFUSED: u16 = 1 | 1 << 5 | 1 << 6 | 1 << 13;
    if (entry.flags ^ local.flags) & REFUSED != 0 {
        let detail = format!("{:#06x} in the directory, {:#06x} in its own header", entry.flags, local.flags);
        facts.anomaly(AnomalyKind::FlagMismatch, &entry.name, entry.header, detail);
    }
    // With a data descriptor the header leaves its fields 0 or saturated.
    let left_open =
        |number: u64| (local.flags | entry.flags) & 8 != 0 && matches!(number, 0 | 0xffff_ffff | u64::MAX);
    let pairs = [
        ("CRC-32", u64::from(entry.crc32), u64::from(local.crc32)),
        ("compressed size", entry.compressed, local.compressed),
        ("size", entry.size, local.size),
    ];
    for (what, central, own) in pairs {
        if central != own && !left_open(own) {
            let detail = format!("{what} {central} in the directory, {own} in its own header");
            facts.anomaly(AnomalyKind::SizeMismatch, &entry.name, entry.header, detail);
        }
    }
}

/// Links, devices and directories with content.
fn judge_kind(source: &Arc<dyn Source>, entry: &Entry, local: &LocalHeader, facts: &mut ArchiveFacts) {
    match entry.mode & 0xf000 {
        0xa000 if entry.method == 0 => {
            let target = Reader::at(source, local.data).take(entry.compressed.min(4096));
            let target = directory::decode_name(&target.unwrap_or_default());
            if link_escapes(&entry.name, &target) {
                facts.anomaly(AnomalyKind::LinkEscape, &entry.name, entry.header, target);
            }
        }
        0x1000 | 0x2000 | 0x6000 | 0xc000 => {
            let detail = format!("mode {:o}", entry.mode);
            facts.anomaly(AnomalyKind::SpecialFile, &entry.name, entry.header, detail);
        }
        _ => {}
    }
    if entry.name.ends_with('/') && entry.size > 0 {
        let detail = format!("{} bytes", entry.size);
        facts.anomaly(AnomalyKind::DirectoryWithContent, &entry.name, entry.header, detail);
    }
}

fn judge_overlaps(mut ranges: Vec<(Range<u64>, &Entry)>, facts: &mut ArchiveFacts) {
    ranges.sort_by_key(|(range, _)| (range.start, range.end));
    let mut covered = 0;
    let mut before = "";
    for (range, entry) in &ranges {
        if range.start < covered {
            let detail = format!("shares bytes with `{before}`");
            facts.anomaly(AnomalyKind::Overlap, &entry.name, entry.header, detail);
        }
        if range.end > covered {
            covered = range.end;
            before = &entry.name;
        }
    }
}

/// Entries in the gaps between what the directories account for.
fn find_hidden(
    source: &Arc<dyn Source>,
    claims: &mut Vec<Range<u64>>,
    contents: &mut Contents,
    facts: &mut ArchiveFacts,
    context: &mut Context<'_>,
) {
    let mut left = MAX_GAP_SEARCH;
    for gap in crate::analyse::gaps(claims.clone(), source.len()) {
        let mut at = gap.start;
        while at < gap.end && left > 0 {
            const PIECE: u64 = 1 << 20;
            let want = (gap.end - at).min(PIECE);
            let Ok(piece) = Reader::at(source, at).take(want) else { break };
            left = left.saturating_sub(want);
            let Some(found) = memchr::memmem::find(&piece, &directory::LOCAL) else {
                at += if want == gap.end - at { want } else { want - 3 };
                continue;
            };
            let header = at + found as u64;
            at = header + 4;
            let Some(local) = local::read(source, header).filter(LocalHeader::is_plausible) else { continue };
            let used = contents.hand_on_hidden(header, &local, gap.end, facts, context);
            facts.anomaly(AnomalyKind::HiddenEntry, &local.name, header, "no directory lists this entry");
            let end = local.data.saturating_add(used).min(gap.end);
            claims.push(header..end);
            at = end.max(at);
        }
    }
}
