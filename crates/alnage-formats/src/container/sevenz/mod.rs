//! 7z: the header, packed or not, and every file whose coders are common ones.

mod header;
#[cfg(test)]
mod tests;

use std::{io::Read, ops::Range, sync::Arc};

use alnage_types::{IssueKind, Reader, Source, WindowSource};
use lzma_rust2::filter::{bcj::BcjReader, delta::DeltaReader};

use self::header::{Coder, File, Folder, Header, Streams};
use super::{
    ContainerFacts,
    archive::{AnomalyKind, ArchiveFacts, Names, link_escapes, shorten},
    codec::{self, Codec},
};
use crate::{Context, Decoder, Facts, Format, InflatedSource, LoadEffect};

/// The row of this format.
pub(super) static SEVENZ: Format = Format {
    id: "7z",
    title: "7z archive",
    extensions: &["7z"],
    load_effect: LoadEffect::Container,
    reads: "every file packed by LZMA, LZMA2, deflate, bzip2, zstd, lz4 or not at all, with branch and delta filters",
    cannot: "files that are encrypted or packed by PPMd, deflate64 or BCJ2",
    identify: |probe| probe.starts_with(MAGIC),
    parse,
};

const MAGIC: &[u8] = b"7z\xbc\xaf\x27\x1c";
const SIGNATURE_LEN: u64 = 32;
/// The longest header that is read.
const MAX_HEADER: u64 = 16 << 20;

/// Whether a signature header stands at `offset`: its own checksum must fit.
pub(crate) fn is_sevenz_at(source: &dyn Source, offset: u64) -> bool {
    let Ok(bytes) = Reader::at(source, offset).array::<32>() else { return false };
    let crc = u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]);
    bytes.starts_with(MAGIC) && crc32fast::hash(&bytes[12..32]) == crc
}

fn parse(source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    let mut facts = ArchiveFacts::default();
    read_archive(source, &mut facts, context);
    Facts::Container(Box::new(ContainerFacts::Archive(facts)))
}

fn read_archive(source: &Arc<dyn Source>, facts: &mut ArchiveFacts, context: &mut Context<'_>) {
    let mut reader = Reader::at(source.as_ref(), 12);
    let (Ok(offset), Ok(length)) = (reader.u64le(), reader.u64le()) else {
        context.issue(IssueKind::Truncated, 0, "the bytes end inside the 7z signature header");
        return;
    };
    let start = SIGNATURE_LEN.saturating_add(offset);
    let end = start.saturating_add(length);
    if length == 0 {
        context.claim(0..SIGNATURE_LEN);
        return;
    }
    if end > source.len() || length > MAX_HEADER {
        context.issue(IssueKind::Truncated, start.min(source.len()), "the bytes end before the 7z header");
        return;
    }
    context.claim(0..end);
    facts.appended = source.len() - end;
    let Ok(mut bytes) = Reader::at(source.as_ref(), start).take(length).map(|bytes| bytes.into_owned())
    else {
        context.issue(IssueKind::Unreadable, start, "the 7z header could not be read");
        return;
    };
    // A header may be packed once; more than that is no archiver's doing.
    for _ in 0..4 {
        match header::read(&bytes) {
            Ok(Header::Plain { streams, files }) => {
                return read_files(source, &streams, &files, facts, context);
            }
            Ok(Header::Packed(streams)) => {
                let unpacked =
                    streams.folders.first().map(|folder| unpack(source, &streams, folder, 0, facts, context));
                let Some(Some(unpacked)) = unpacked else { return };
                let unpacked = Reader::new(unpacked.as_ref())
                    .take(unpacked.len().min(MAX_HEADER))
                    .map(|all| all.into_owned());
                bytes = unpacked.unwrap_or_default();
            }
            Err(fault) => {
                context.issue(
                    IssueKind::Malformed,
                    start,
                    format!("the 7z header cannot be read: {fault:?}").to_lowercase(),
                );
                return;
            }
        }
    }
    context.issue(IssueKind::Malformed, start, "the 7z header is packed again and again");
}

fn read_files(
    source: &Arc<dyn Source>,
    streams: &Streams,
    files: &[File],
    facts: &mut ArchiveFacts,
    context: &mut Context<'_>,
) {
    facts.entries = files.len() as u64;
    let mut names = Names::default();
    let mut with_content = files.iter().filter(|file| file.has_content);
    files.iter().for_each(|file| facts.judge_name(&file.name, 0));
    let mut first_stream = 0;
    for folder in &streams.folders {
        if let Err(limit) = context.meter().step(folder.substreams.len() as u64 + 1) {
            return context.exhausted(limit, None);
        }
        let unpacked = unpack(source, streams, folder, first_stream, facts, context);
        first_stream += folder.packed as usize;
        let mut at = 0u64;
        for (size, crc32) in &folder.substreams {
            let Some(file) = with_content.next() else { break };
            facts.declared_size = facts.declared_size.saturating_add(*size);
            if let Some(unpacked) = &unpacked {
                let window = WindowSource::new(unpacked.clone(), at, *size);
                judge_file(file, &window, *crc32, facts);
                if !window.is_empty() {
                    context.member(names.unique(&file.name), Arc::new(window));
                }
            } else if facts.anomalies.iter().any(|anomaly| anomaly.kind == AnomalyKind::Encrypted) {
                facts.anomaly(AnomalyKind::Encrypted, &file.name, 0, "");
            }
            at = at.saturating_add(*size);
        }
    }
}

fn judge_file(file: &File, content: &WindowSource, crc32: Option<u32>, facts: &mut ArchiveFacts) {
    if let (Some(declared), Some(bytes)) = (crc32, content.as_bytes())
        && bytes.len() <= 1 << 20
        && crc32fast::hash(bytes) != declared
    {
        let detail = format!("CRC-32 {declared:08x} declared, {:08x} found", crc32fast::hash(bytes));
        facts.anomaly(AnomalyKind::ChecksumMismatch, &file.name, 0, detail);
    }
    let mode = if file.attributes & 0x8000 != 0 { file.attributes >> 16 } else { 0 };
    if mode & 0xf000 == 0xa000 {
        let target = Reader::new(content).take(content.len().min(4096)).unwrap_or_default();
        let target = String::from_utf8_lossy(&target);
        if link_escapes(&file.name, &target) {
            facts.anomaly(AnomalyKind::LinkEscape, &file.name, 0, target);
        }
    }
}

/// What comes out of a folder; absent, with an issue raised, when it cannot be unpacked.
fn unpack(
    source: &Arc<dyn Source>,
    streams: &Streams,
    folder: &Folder,
    first_stream: usize,
    facts: &mut ArchiveFacts,
    context: &mut Context<'_>,
) -> Option<Arc<dyn Source>> {
    let before: u64 =
        streams.pack_sizes.iter().take(first_stream).fold(0, |sum, size| sum.saturating_add(*size));
    let size = *streams.pack_sizes.get(first_stream).unwrap_or(&0);
    let start = SIGNATURE_LEN.saturating_add(streams.pack_position).saturating_add(before);
    let range = start..start.saturating_add(size).min(source.len());
    if range.start >= range.end {
        context.issue(
            IssueKind::Truncated,
            start.min(source.len()),
            "a packed stream of the 7z archive is not there",
        );
        return None;
    }
    if folder.coders.iter().any(|coder| coder.id == [0x06, 0xf1, 0x07, 0x01]) {
        facts.anomaly(AnomalyKind::Encrypted, "", start, "");
        context.issue(IssueKind::Encrypted, start, "a folder of the 7z archive is encrypted");
        return None;
    }
    let Some(decoder) = decoder(source, folder, range.clone()) else {
        let ids: Vec<String> = folder.coders.iter().map(|coder| format!("{:02x?}", coder.id)).collect();
        let message = format!(
            "a folder of the 7z archive uses the coders {}, which are not read",
            shorten(&ids.concat(), 100)
        );
        context.issue(IssueKind::Unsupported, start, message);
        return None;
    };
    let Some(decoder) = decoder else {
        return Some(Arc::new(WindowSource::new(source.clone(), range.start, range.end - range.start)));
    };
    let inflation = InflatedSource::inflate(decoder, range.end - range.start, context.meter());
    if let Some(limit) = inflation.exhausted {
        facts.bomb = true;
        context.exhausted(limit, start);
    } else if let Some(error) = inflation.error {
        context.issue(
            IssueKind::Malformed,
            start,
            format!("a folder of the 7z archive cannot be unpacked to its end: {error}"),
        );
    }
    Some(Arc::new(inflation.source))
}

/// The decompressor of a folder, the inner absent when nothing is compressed; absent when a coder is unknown.
fn decoder(source: &Arc<dyn Source>, folder: &Folder, range: Range<u64>) -> Option<Option<Decoder>> {
    let chain = folder.chain()?;
    let mut decoder: Option<Decoder> = None;
    for at in chain {
        let coder = folder.coders.get(at)?;
        if coder.id == [0] {
            continue;
        }
        if let Some(filter) = filter(coder) {
            let inner = match decoder.take() {
                Some(inner) => inner,
                None => codec::copy(source, range.clone()),
            };
            decoder = Some(Arc::new(move || filter.over(inner())));
            continue;
        }
        // Two compressions on top of each other: no archiver does that.
        if decoder.is_some() {
            return None;
        }
        let codec = compression(coder, *folder.unpack_sizes.get(at)?)?;
        decoder = Some(codec::open(codec, source, range.clone()).0);
    }
    Some(decoder)
}

fn compression(coder: &Coder, size: u64) -> Option<Codec> {
    Some(match coder.id.as_slice() {
        [0x21] => Codec::Lzma2 {
            dictionary: lzma2_dictionary(*coder.properties.first()?)?.min(dictionary_for(size)),
        },
        [0x03, 0x01, 0x01] => {
            let &[properties, d0, d1, d2, d3] = coder.properties.as_slice() else { return None };
            Codec::LzmaRaw { properties, dictionary: u32::from_le_bytes([d0, d1, d2, d3]), size: Some(size) }
        }
        [0x04, 0x01, 0x08] => Codec::Deflate,
        [0x04, 0x02, 0x02] => Codec::Bzip2,
        [0x04, 0xf7, 0x11, 0x01] => Codec::Zstd,
        [0x04, 0xf7, 0x11, 0x04] => Codec::Lz4,
        _ => return None,
    })
}

fn lzma2_dictionary(bits: u8) -> Option<u32> {
    match bits {
        0..40 => Some((2 | u32::from(bits & 1)) << (bits / 2 + 11)),
        40 => Some(u32::MAX),
        _ => None,
    }
}

/// A dictionary longer than the output is never filled.
fn dictionary_for(size: u64) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX).max(1 << 16)
}

/// A filter that undoes what makes machine code or samples compress better.
#[derive(Clone, Copy)]
enum Filter {
    Delta(usize),
    X86,
    Ppc,
    Ia64,
    Arm,
    ArmThumb,
    Sparc,
    Arm64,
    RiscV,
}

fn filter(coder: &Coder) -> Option<Filter> {
    Some(match coder.id.as_slice() {
        [0x03] => Filter::Delta(usize::from(coder.properties.first().copied().unwrap_or(0)) + 1),
        [0x04] | [0x03, 0x03, 0x01, 0x03] => Filter::X86,
        [0x05] | [0x03, 0x03, 0x02, 0x05] => Filter::Ppc,
        [0x06] | [0x03, 0x03, 0x04, 0x01] => Filter::Ia64,
        [0x07] | [0x03, 0x03, 0x05, 0x01] => Filter::Arm,
        [0x08] | [0x03, 0x03, 0x07, 0x01] => Filter::ArmThumb,
        [0x09] | [0x03, 0x03, 0x08, 0x05] => Filter::Sparc,
        [0x0a] => Filter::Arm64,
        [0x0b] => Filter::RiscV,
        _ => return None,
    })
}

impl Filter {
    fn over(self, inner: Box<dyn Read + Send>) -> Box<dyn Read + Send> {
        match self {
            Self::Delta(distance) => Box::new(DeltaReader::new(inner, distance)),
            Self::X86 => Box::new(BcjReader::new_x86(inner, 0)),
            Self::Ppc => Box::new(BcjReader::new_ppc(inner, 0)),
            Self::Ia64 => Box::new(BcjReader::new_ia64(inner, 0)),
            Self::Arm => Box::new(BcjReader::new_arm(inner, 0)),
            Self::ArmThumb => Box::new(BcjReader::new_arm_thumb(inner, 0)),
            Self::Sparc => Box::new(BcjReader::new_sparc(inner, 0)),
            Self::Arm64 => Box::new(BcjReader::new_arm64(inner, 0)),
            Self::RiscV => Box::new(BcjReader::new_riscv(inner, 0)),
        }
    }
}
