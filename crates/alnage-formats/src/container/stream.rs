//! Compressed streams that hold one file: gzip, zlib, bzip2, xz, lzma, zstd, lz4, and joblib's old `ZF` files.

use std::{io::Read, ops::Range, sync::Arc};

use alnage_types::{ArtifactPath, IssueKind, Meter, Reader, Source, WindowSource};
use serde::Serialize;

use super::{
    ContainerFacts,
    archive::is_zero,
    codec::{self, Codec},
};
use crate::{Context, Facts, Format, InflatedSource, LoadEffect, Probe};

/// Facts about a compressed stream.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StreamFacts {
    /// Streams, members or frames that follow each other and are read as one.
    pub streams: u64,
    /// Bytes that came out.
    pub decompressed_size: u64,
    /// Bytes behind the stream that a reader skips or trips over.
    #[serde(skip_serializing_if = "is_zero")]
    pub appended: u64,
    /// Whether a checksum at the end of a stream does not fit; loaders have used the bytes by then.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub checksum_failed: bool,
    /// Whether the stream is damaged; what came before the damage was read.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub damaged: bool,
    /// Whether decompression was stopped because too much came out of too little.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub bomb: bool,
}

macro_rules! streams {
    ($($(#[$doc:meta])* $name:ident, $id:literal, $title:literal, $extensions:expr, $codec:expr, $identify:expr;)*) => {$(
        $(#[$doc])*
        pub(super) static $name: Format = Format {
            id: $id,
            title: $title,
            extensions: $extensions,
            load_effect: LoadEffect::Container,
            reads: "the decompressed content, as an artifact of its own",
            cannot: "content behind damage in the stream",
            identify: $identify,
            parse: |source, context| parse($codec, 0, source, context),
        };
    )*};
}

streams! {
    GZIP, "gzip", "Gzip stream", &["gz", "tgz", "nemo"], Codec::Gzip,
        |probe| probe.starts_with(b"\x1f\x8b\x08") && probe.head.get(3).is_some_and(|flags| flags & 0xe0 == 0);
    BZIP2, "bzip2", "Bzip2 stream", &["bz2", "tbz2"], Codec::Bzip2,
        |probe| probe.starts_with(b"BZh") && (probe.has_at(4, b"1AY&SY") || probe.has_at(4, b"\x17\x72\x45\x38\x50\x90"));
    XZ, "xz", "XZ stream", &["xz", "txz"], Codec::Xz, |probe| probe.starts_with(b"\xfd7zXZ\0");
    LZMA, "lzma", "LZMA stream", &["lzma"], Codec::LzmaAlone, is_lzma;
    ZLIB, "zlib", "Zlib stream", &["z", "zlib"], Codec::Zlib, is_zlib;
    ZSTD, "zstd", "Zstandard stream", &["zst", "zstd"], Codec::Zstd, is_zstd;
    LZ4, "lz4", "LZ4 stream", &["lz4"], Codec::Lz4,
        |probe| probe.starts_with(b"\x04\x22\x4d\x18") || probe.starts_with(b"\x02\x21\x4c\x18");
}

/// What joblib before 0.10 wrote: `ZF`, the length in hexadecimal padded to 19 characters, a zlib stream.
pub(super) static JOBLIB_ZF: Format = Format {
    id: "joblib-zfile",
    title: "Joblib ZF file",
    extensions: &["z"],
    load_effect: LoadEffect::Container,
    reads: "the decompressed content, as an artifact of its own",
    cannot: "content behind damage in the stream",
    identify: |probe| probe.starts_with(b"ZF0x") && zlib_start(probe.head).is_some(),
    parse: |source, context| {
        let head = alnage_types::Reader::new(source.as_ref()).take(source.len().min(32));
        parse(Codec::Zlib, head.ok().and_then(|head| zlib_start(&head)).unwrap_or(21), source, context)
    },
};

/// Where the zlib stream of a ZF file starts; some writers padded by one more blank.
fn zlib_start(head: &[u8]) -> Option<u64> {
    [21, 22].into_iter().find(|&at| head.get(at) == Some(&0x78)).map(|at| at as u64)
}

fn is_zstd(probe: &Probe<'_>) -> bool {
    let skippable = probe.has_at(1, b"\x2a\x4d\x18") && probe.head[0] & 0xf0 == 0x50;
    probe.starts_with(b"\x28\xb5\x2f\xfd") || skippable
}

/// LZMA has no magic: the header's numbers must be ones that encoders write, and decoding must get going.
fn is_lzma(probe: &Probe<'_>) -> bool {
    let Some((header, _)) = probe.head.split_first_chunk::<14>() else { return false };
    let dictionary = u32::from_le_bytes([header[1], header[2], header[3], header[4]]);
    let size = header[5..13].iter().rev().fold(0, |size, &byte| size << 8 | u64::from(byte));
    let usual_dictionary = dictionary == u32::MAX
        || dictionary >= 4096 && (dictionary.is_power_of_two() || (dictionary / 3 * 2).is_power_of_two());
    header[0] < 225
        && usual_dictionary
        // Nothing is hidden in a stream of nothing, and zeros in the header are what other binary files have.
        && size != 0
        && (size == u64::MAX || size < 1 << 38)
        && header[13] == 0
        && trial(Codec::LzmaAlone, probe.head).is_some_and(|(count, sound)| sound || count >= 16)
}

/// The header of RFC 1950, 2.2: deflate, with a window of some size, a check, and no dictionary.
pub(crate) fn is_zlib_header(method: u8, flags: u8) -> bool {
    let header = u16::from_be_bytes([method, flags]);
    method & 0x0f == 8 && method >> 4 <= 7 && header.is_multiple_of(31) && flags & 0x20 == 0
}

/// Two bytes are little of a magic: what follows must decode.
fn is_zlib(probe: &Probe<'_>) -> bool {
    let &[method, flags, ..] = probe.head else { return false };
    is_zlib_header(method, flags)
        && trial(Codec::Zlib, probe.head).is_some_and(|(count, sound)| sound || method == 0x78 && count >= 16)
}

/// A decompressor for the stream format with this id that starts at `range`'s start: to see whether it gets going.
pub(crate) fn trial_decoder(
    id: &str,
    source: &Arc<dyn Source>,
    range: Range<u64>,
) -> Option<Box<dyn Read + Send>> {
    let codec = match id {
        "gzip" => Codec::Gzip,
        "bzip2" => Codec::Bzip2,
        "xz" => Codec::Xz,
        "zstd" => Codec::Zstd,
        "lz4" => Codec::Lz4,
        _ => return None,
    };
    Some(codec::open(codec, source, range).0())
}

/// What a zlib stream in memory holds.
pub(crate) fn zlib_decoder(bytes: Vec<u8>) -> Box<dyn Read + Send> {
    let source: Arc<dyn Source> = Arc::new(alnage_types::MemorySource::new(bytes));
    let range = 0..source.len();
    codec::open(Codec::Zlib, &source, range).0()
}

/// What a compressed stream holds, unpacked once under `meter` to know its length; `None` when the bytes are no
/// compressed stream.
pub fn unpacked(
    probe: &Probe<'_>,
    source: &Arc<dyn Source>,
    meter: &mut Meter,
) -> Option<Result<InflatedSource, String>> {
    let streams = [
        (&GZIP, Codec::Gzip),
        (&BZIP2, Codec::Bzip2),
        (&XZ, Codec::Xz),
        (&LZMA, Codec::LzmaAlone),
        (&ZSTD, Codec::Zstd),
        (&LZ4, Codec::Lz4),
        (&ZLIB, Codec::Zlib),
    ];
    let start = if (JOBLIB_ZF.identify)(probe) { zlib_start(probe.head)? } else { 0 };
    let codec = match start {
        0 => streams.iter().find(|(format, _)| (format.identify)(probe))?.1,
        _ => Codec::Zlib,
    };
    let range = start..source.len();
    let (decoder, end) = codec::open(codec, source, range.clone());
    let inflation = InflatedSource::inflate(decoder, range.end - range.start, meter);
    Some(match (inflation.exhausted, inflation.error) {
        (Some(limit), _) => Err(format!("stopped at the limit `{}`", limit.limit)),
        (None, Some(error)) => Err(error.to_string()),
        (None, None) if codec::ended(&end).checksum_failed => Err("its checksum does not fit".to_owned()),
        (None, None) => Ok(inflation.source),
    })
}

/// Whether another zlib stream begins here.
fn follows(source: &Arc<dyn Source>) -> bool {
    let Ok(head) = Reader::new(source.as_ref()).take(source.len().min(Probe::HEAD as u64)) else {
        return false;
    };
    let path = ArtifactPath::file("next");
    is_zlib(&Probe::new(source.as_ref(), &path, &head, &head))
}

/// Decodes the head: how many bytes come out of it, and whether nothing was wrong but the cut.
fn trial(codec: Codec, head: &[u8]) -> Option<(usize, bool)> {
    let source: Arc<dyn Source> = Arc::new(alnage_types::MemorySource::new(head));
    let (decoder, _) = codec::open(codec, &source, 0..head.len() as u64);
    let mut stream = decoder();
    let mut buffer = [0; 1];
    let mut count = 0;
    // Byte by byte, so that none is lost to the error; a head of 4 KiB can unfold to megabytes.
    while count < 8 << 10 {
        match stream.read(&mut buffer) {
            Ok(0) => return Some((count, true)),
            Ok(_) => count += 1,
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                return Some((count, count > 0));
            }
            Err(_) => return Some((count, false)),
        }
    }
    Some((count, true))
}

fn parse(codec: Codec, start: u64, source: &Arc<dyn Source>, context: &mut Context<'_>) -> Facts {
    let range: Range<u64> = start.min(source.len())..source.len();
    let (decoder, end) = codec::open(codec, source, range.clone());
    let inflation = InflatedSource::inflate(decoder, range.end - range.start, context.meter());
    let end = codec::ended(&end);
    let mut facts = StreamFacts {
        streams: end.streams,
        decompressed_size: inflation.source.len(),
        checksum_failed: end.checksum_failed,
        bomb: inflation.exhausted.is_some(),
        damaged: inflation.error.is_some(),
        appended: 0,
    };
    if let Some(limit) = inflation.exhausted {
        context.exhausted(limit, start);
    }
    if let Some(error) = inflation.error {
        let kind = match error.kind() {
            std::io::ErrorKind::UnexpectedEof => IssueKind::Truncated,
            std::io::ErrorKind::OutOfMemory => IssueKind::Unsupported,
            _ => IssueKind::Malformed,
        };
        let message =
            format!("the stream breaks after {} decompressed bytes: {error}", facts.decompressed_size);
        context.issue(kind, None, message);
    }
    if end.end > 0 {
        facts.appended = source.len() - end.end.min(source.len());
        context.claim(0..end.end);
    } else {
        context.claim(0..source.len());
    }
    // Whoever decompresses one stream after another gets the next, too.
    if codec == Codec::Zlib && facts.appended > 0 && !facts.damaged {
        let rest: Arc<dyn Source> = Arc::new(WindowSource::new(source.clone(), end.end, facts.appended));
        if follows(&rest) {
            context.claim(end.end..source.len());
            context.member("next".to_owned(), rest);
        }
    }
    if !inflation.source.is_empty() {
        let name = content_name(context.path().name());
        context.member(name, Arc::new(inflation.source));
    }
    Facts::Container(Box::new(ContainerFacts::Stream(facts)))
}

/// What the content is called: the file's name without its compression suffix.
fn content_name(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    for (suffix, instead) in
        [(".gz", ""), (".bz2", ""), (".xz", ""), (".lzma", ""), (".zst", ""), (".lz4", ""), (".tgz", ".tar")]
    {
        if let Some(stem) = lower.strip_suffix(suffix).and_then(|stem| name.get(..stem.len()))
            && !stem.is_empty()
        {
            return format!("{stem}{instead}");
        }
    }
    "decompressed".to_owned()
}
