//! Tar: v7, ustar, pax and GNU, links and special files judged, what follows the end blocks read as well.

use std::{ops::Range, sync::Arc};

use alnage_types::{IssueKind, Reader, Source, WindowSource};

use super::{
    ContainerFacts,
    archive::{AnomalyKind, ArchiveFacts, Names, link_escapes, shorten},
};
use crate::{Context, Facts, Format, LoadEffect, Probe};

/// The row of this format.
pub(super) static TAR: Format = Format {
    id: "tar",
    title: "Tar archive",
    extensions: &["tar"],
    load_effect: LoadEffect::Container,
    reads: "every member, long and pax names, links and special files, archives behind the end blocks",
    cannot: "the expanded content of sparse members",
    identify: |probe| is_header(probe.head),
    parse,
};

const BLOCK: u64 = 512;
/// The longest name, link target or pax header that is believed.
const MAX_EXTENSION: u64 = 1 << 20;

/// Whether a block is a header: its checksum, in either of the two sums that tars have written, must fit.
pub(super) fn is_header(head: &[u8]) -> bool {
    let Some(block) = head.first_chunk::<512>() else { return false };
    let Some(stored) = octal(&block[148..156]) else { return false };
    let sum = |signed: bool| {
        block.iter().enumerate().fold(0i64, |sum, (at, &byte)| {
            let byte = if (148..156).contains(&at) { b' ' } else { byte };
            sum + if signed { i64::from(byte as i8) } else { i64::from(byte) }
        })
    };
    block[0] != 0 && (stored as i64 == sum(false) || stored as i64 == sum(true))
}

/// A header's fields, as far as they matter.
struct Header {
    name: String,
    size: u64,
    kind: u8,
    link: String,
}

/// What extension headers say about the next member.
#[derive(Default)]
struct Extension {
    name: Option<String>,
    link: Option<String>,
    size: Option<u64>,
    sparse: bool,
}

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    let mut facts = ArchiveFacts::default();
    let mut names = Names::default();
    let mut extension = Extension::default();
    let mut reader = Reader::new(source.as_ref());
    let mut ended = false;
    let mut content_end = 0;
    loop {
        let at = reader.position();
        let block = match reader.array::<512>() {
            Ok(block) => block,
            Err(_) if reader.remaining() == 0 => break,
            Err(end) => {
                if !ended {
                    context.read_end(end, at, "a tar header");
                }
                break;
            }
        };
        if let Err(limit) = context.meter().step(1) {
            context.exhausted(limit, at);
            break;
        }
        if block == [0; 512] {
            ended = true;
            context.claim(at..at + BLOCK);
            continue;
        }
        if !is_header(&block) {
            if !ended {
                context.issue(IssueKind::Malformed, at, "a tar header whose checksum does not fit");
            }
            break;
        }
        if ended {
            facts.anomaly(
                AnomalyKind::Concatenated,
                "",
                at,
                "entries follow the blocks that end the archive",
            );
            ended = false;
        }
        let mut header = read_header(&block);
        let data = at + BLOCK;
        // Extension headers describe the next member and carry their own size.
        if !matches!(header.kind, b'x' | b'g' | b'L' | b'K') {
            apply(&mut header, std::mem::take(&mut extension), at, context);
        }
        // Links, devices and folders have no content, whatever size they give; old tars give links their file's.
        let size = if matches!(header.kind, b'1'..=b'6') { 0 } else { header.size };
        let Some(padded) = size.checked_next_multiple_of(BLOCK) else {
            context.issue(IssueKind::Malformed, at, "a tar member of impossible size");
            break;
        };
        content_end = data.saturating_add(padded).min(source.len());
        context.claim(at..content_end);
        if size > source.len().saturating_sub(data) {
            let message = format!("the bytes end inside `{}`", shorten(&header.name, 100));
            context.issue(IssueKind::Truncated, data, message);
        }
        let range = data..data.saturating_add(size);
        match header.kind {
            b'x' | b'g' => read_pax(source, range, header.kind == b'g', &mut extension),
            b'L' => extension.name = read_text(source, range),
            b'K' => extension.link = read_text(source, range),
            _ => {
                facts.entries += 1;
                facts.declared_size = facts.declared_size.saturating_add(size);
                judge(&header, at, &mut facts);
                if size > 0 {
                    let window = WindowSource::new(source.clone(), data, size);
                    context.member(names.unique(&header.name), Arc::new(window));
                }
            }
        }
        reader.seek(data.saturating_add(padded));
    }
    facts.appended = source.len().saturating_sub(reader.position().max(content_end));
    Facts::Container(Box::new(ContainerFacts::Archive(facts)))
}

fn apply(header: &mut Header, extension: Extension, at: u64, context: &mut Context<'_>) {
    if extension.sparse || header.kind == b'S' {
        context.issue(IssueKind::Unsupported, at, "a sparse tar member is read without its holes");
    }
    header.name = extension.name.unwrap_or_else(|| std::mem::take(&mut header.name));
    header.link = extension.link.unwrap_or_else(|| std::mem::take(&mut header.link));
    header.size = extension.size.unwrap_or(header.size);
}

fn judge(header: &Header, at: u64, facts: &mut ArchiveFacts) {
    facts.judge_name(&header.name, at);
    match header.kind {
        // A hard link's target is a name in the archive, a symbolic link's is relative to the link.
        b'1' if super::archive::escapes(&header.link) => {
            facts.anomaly(AnomalyKind::LinkEscape, &header.name, at, header.link.as_str());
        }
        b'2' if link_escapes(&header.name, &header.link) => {
            facts.anomaly(AnomalyKind::LinkEscape, &header.name, at, header.link.as_str());
        }
        b'3' | b'4' | b'6' => {
            let what = match header.kind {
                b'3' => "a character device",
                b'4' => "a block device",
                _ => "a named pipe",
            };
            facts.anomaly(AnomalyKind::SpecialFile, &header.name, at, what);
        }
        _ => {}
    }
}

fn read_header(block: &[u8; 512]) -> Header {
    let mut name = text(&block[..100]);
    let prefix = text(&block[345..500]);
    if &block[257..263] == b"ustar\0" && !prefix.is_empty() {
        name = format!("{prefix}/{name}");
    }
    let kind = if block[156] == 0 && name.ends_with('/') { b'5' } else { block[156] };
    Header { name, size: octal(&block[124..136]).unwrap_or(0), kind, link: text(&block[157..257]) }
}

/// A number in octal digits, or in base 256 when its first bit is set.
fn octal(field: &[u8]) -> Option<u64> {
    let (&first, rest) = field.split_first()?;
    if first & 0x80 != 0 {
        let start = u64::from(first & 0x7f);
        return rest
            .iter()
            .try_fold(start, |number, &byte| number.checked_mul(256)?.checked_add(u64::from(byte)));
    }
    let digits =
        field.iter().skip_while(|&&byte| byte == b' ').take_while(|&&byte| !matches!(byte, 0 | b' '));
    let mut count = 0;
    let number = digits.into_iter().try_fold(0u64, |number, &byte| {
        count += 1;
        let digit = u64::from(byte.checked_sub(b'0').filter(|digit| *digit < 8)?);
        number.checked_mul(8)?.checked_add(digit)
    });
    number.filter(|_| count > 0)
}

/// Text up to the first NUL.
fn text(field: &[u8]) -> String {
    let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

fn read_text(source: &Arc<dyn Source>, range: Range<u64>) -> Option<String> {
    let length = (range.end - range.start).min(MAX_EXTENSION);
    Reader::at(source.as_ref(), range.start).take(length).ok().map(|bytes| text(&bytes))
}

/// Reads the records of a pax header: `length key=value\n`.
fn read_pax(source: &Arc<dyn Source>, range: Range<u64>, global: bool, extension: &mut Extension) {
    let length = (range.end - range.start).min(MAX_EXTENSION);
    let Ok(bytes) = Reader::at(source.as_ref(), range.start).take(length) else { return };
    let mut rest = &bytes[..];
    while let Some(blank) = rest.iter().take(20).position(|&byte| byte == b' ') {
        let length = std::str::from_utf8(&rest[..blank]).ok().and_then(|digits| digits.parse::<usize>().ok());
        let Some(record) = length.and_then(|length| rest.get(blank + 1..length)) else { break };
        rest = &rest[blank + 1 + record.len()..];
        let record = String::from_utf8_lossy(record);
        let Some((key, value)) = record.trim_end_matches('\n').split_once('=') else { continue };
        match key {
            "path" | "GNU.sparse.name" if !global => extension.name = Some(value.to_owned()),
            "linkpath" if !global => extension.link = Some(value.to_owned()),
            "size" if !global => extension.size = value.parse().ok(),
            _ => extension.sparse |= key.starts_with("GNU.sparse."),
        }
    }
}

/// The files of a tar with where their bytes are; `None` when the archive breaks off or two have one name.
pub fn agreed_tar(source: &dyn Source) -> Option<Vec<(String, Range<u64>)>> {
    const MOST: usize = 1_000_000;
    let mut members: Vec<(String, Range<u64>)> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let mut at = 0;
    while members.len() < MOST {
        let block = Reader::at(source, at).array::<512>().ok()?;
        if block == [0; 512] {
            return Some(members);
        }
        let header = is_header(&block).then(|| read_header(&block))?;
        let data = at.checked_add(BLOCK)?;
        let is_file = matches!(header.kind, 0 | b'0' | b'7');
        let size = if is_file { header.size } else { 0 };
        let end = data.checked_add(size).filter(|&end| end <= source.len())?;
        if is_file {
            let name = header.name.trim_start_matches("./").to_owned();
            if !seen.insert(name.clone()) {
                return None;
            }
            members.push((name, data..end));
        } else if header.kind != b'5' {
            return None;
        }
        at = end.checked_next_multiple_of(BLOCK)?;
    }
    None
}

/// Names of the members, as far as `max`: cheap enough for identification.
pub(super) fn names(probe: &Probe<'_>, max: usize) -> Vec<String> {
    let mut names = Vec::new();
    let mut at = 0;
    while names.len() < max {
        let Ok(block) = Reader::at(probe.source, at).array::<512>() else { break };
        if !is_header(&block) {
            break;
        }
        let header = read_header(&block);
        if !matches!(header.kind, b'x' | b'g' | b'L' | b'K') {
            names.push(header.name);
        }
        let size = if matches!(header.kind, b'1'..=b'6') { 0 } else { header.size };
        let Some(next) = size.checked_next_multiple_of(BLOCK).and_then(|size| size.checked_add(at + BLOCK))
        else {
            break;
        };
        at = next;
    }
    names
}
