//! A chunked dataset as one run of bytes: chunks are unpacked as they are read, and a few of them are kept.

use std::{
    collections::{HashMap, VecDeque},
    io::{self, Read},
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use alnage_types::{Reader, Source};

use crate::container::zlib_decoder;

/// A filter that chunks were written through.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filter {
    pub(super) id: u16,
    /// Its first parameter.
    pub(super) value: u32,
}

const DEFLATE: u16 = 1;
const SHUFFLE: u16 = 2;
const FLETCHER: u16 = 3;

/// A chunk: the index of its first element, its bytes, and the filters it was not written through.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) offset: Vec<u64>,
    pub(super) data: Range<u64>,
    pub(super) mask: u32,
}

/// What is known of the dataset besides its chunks.
pub(super) struct Content {
    /// The file.
    pub(super) source: Arc<dyn Source>,
    pub(super) shape: Vec<u64>,
    /// Bytes of an element.
    pub(super) size: u64,
    pub(super) filters: Vec<Filter>,
    /// An element that was never written; zeros when empty.
    pub(super) fill: Vec<u8>,
    /// Which of the datasets this is to those that share what is kept.
    pub(super) number: usize,
    pub(super) kept: Shared,
}

/// The dataset.
pub(super) struct Chunked {
    content: Content,
    chunk: Vec<u64>,
    chunks: HashMap<Vec<u64>, Chunk>,
    len: u64,
}

/// Unpacked chunks, the oldest first, by dataset and first element.
#[derive(Default)]
pub(super) struct Kept {
    chunks: HashMap<(usize, Vec<u64>), Arc<Vec<u8>>>,
    order: VecDeque<(usize, Vec<u64>)>,
    bytes: u64,
}

/// What the datasets of a file keep together.
pub(super) type Shared = Arc<Mutex<Kept>>;

/// Bytes of unpacked chunks that are kept, one chunk at least.
const MAX_KEPT: u64 = 48 << 20;
/// The longest chunk.
const MAX_CHUNK: u64 = 32 << 20;

impl Chunked {
    pub(super) fn new(content: Content, chunk: Vec<u64>, chunks: Vec<Chunk>) -> Result<Self, String> {
        let mut filters = content.filters.iter();
        if let Some(filter) = filters.find(|filter| !matches!(filter.id, DEFLATE | SHUFFLE | FLETCHER)) {
            return Err(format!("its chunks are packed by filter {}", filter.id));
        }
        let bytes = |sizes: &[u64]| sizes.iter().try_fold(content.size, |all, &size| all.checked_mul(size));
        if chunk.contains(&0)
            || bytes(&chunk).is_none_or(|len| len > MAX_CHUNK)
            || content.size == 0
            || content.shape.is_empty()
        {
            return Err("its chunks have an impossible length".to_owned());
        }
        let len = bytes(&content.shape).ok_or("its sizes overflow")?;
        let chunks = chunks.into_iter().map(|chunk| (chunk.offset.clone(), chunk)).collect();
        Ok(Self { content, chunk, chunks, len })
    }

    /// How many bytes the file has for it.
    pub(super) fn stored(&self) -> u64 {
        let lengths = self.chunks.values().map(|chunk| chunk.data.end - chunk.data.start);
        lengths.fold(0, u64::saturating_add)
    }

    fn chunk_len(&self) -> u64 {
        self.chunk.iter().product::<u64>() * self.content.size
    }

    /// The unpacked chunk whose first element is at `offset`.
    fn unpacked(&self, offset: Vec<u64>) -> io::Result<Arc<Vec<u8>>> {
        let mut kept = self.content.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (self.content.number, offset);
        if let Some(known) = kept.chunks.get(&key) {
            return Ok(known.clone());
        }
        let len = self.chunk_len();
        let bytes = Arc::new(match self.chunks.get(&key.1) {
            Some(chunk) => self.unpack(chunk)?,
            None if self.content.fill.is_empty() => vec![0; len as usize],
            None => self.content.fill.iter().copied().cycle().take(len as usize).collect(),
        });
        if bytes.len() as u64 != len {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a chunk of another length"));
        }
        while kept.bytes.saturating_add(len) > MAX_KEPT {
            let Some(oldest) = kept.order.pop_front() else { break };
            let freed = kept.chunks.remove(&oldest).map_or(0, |chunk| chunk.len() as u64);
            kept.bytes = kept.bytes.saturating_sub(freed);
        }
        kept.bytes = kept.bytes.saturating_add(len);
        kept.chunks.insert(key.clone(), bytes.clone());
        kept.order.push_back(key);
        Ok(bytes)
    }

    fn unpack(&self, chunk: &Chunk) -> io::Result<Vec<u8>> {
        let invalid = |why: &'static str| io::Error::new(io::ErrorKind::InvalidData, why);
        let packed = chunk.data.end - chunk.data.start;
        if packed > 2 * MAX_CHUNK {
            return Err(invalid("a chunk that is too long"));
        }
        let read = Reader::at(self.content.source.as_ref(), chunk.data.start).take(packed);
        let mut bytes = read.map_err(|_| invalid("a chunk that cannot be read"))?.into_owned();
        for (at, filter) in self.content.filters.iter().enumerate().rev() {
            if chunk.mask >> at.min(31) & 1 == 1 {
                continue;
            }
            bytes = match filter.id {
                DEFLATE => {
                    let limit = self.chunk_len() + 64;
                    let mut unpacked = Vec::new();
                    zlib_decoder(bytes).take(limit).read_to_end(&mut unpacked)?;
                    unpacked
                }
                SHUFFLE => unshuffled(&bytes, filter.value as usize),
                _ => {
                    bytes.truncate(bytes.len().saturating_sub(4));
                    bytes
                }
            };
        }
        Ok(bytes)
    }
}

/// Bytes that were put together by their place in the element, put back.
fn unshuffled(bytes: &[u8], size: usize) -> Vec<u8> {
    if size < 2 {
        return bytes.to_vec();
    }
    let count = bytes.len() / size;
    let mut out = bytes.to_vec();
    for element in 0..count {
        for byte in 0..size {
            out[element * size + byte] = bytes[byte * count + element];
        }
    }
    out
}

impl Source for Chunked {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let offset = offset.min(self.len);
        let wanted = (buffer.len() as u64).min(self.len - offset) as usize;
        let mut filled = 0;
        while filled < wanted {
            let at = offset + filled as u64;
            let (element, within) = (at / self.content.size, at % self.content.size);
            // The element's index, then the chunk it is in, then where it is there.
            let mut rest = element;
            let mut index = vec![0; self.content.shape.len()];
            for (slot, &size) in index.iter_mut().zip(&self.content.shape).rev() {
                *slot = rest % size.max(1);
                rest /= size.max(1);
            }
            let first: Vec<u64> =
                index.iter().zip(&self.chunk).map(|(at, chunk)| at / chunk * chunk).collect();
            let inside = index
                .iter()
                .zip(&first)
                .zip(&self.chunk)
                .fold(0, |all, ((at, first), chunk)| all * chunk + (at - first));
            let (last, last_first) = (index.last().copied().unwrap_or(0), first.last().copied().unwrap_or(0));
            let row_end = (last_first + self.chunk.last().copied().unwrap_or(1))
                .min(self.content.shape.last().copied().unwrap_or(1));
            let run = (row_end - last) * self.content.size - within;
            let count = run.min((wanted - filled) as u64) as usize;
            let bytes = self.unpacked(first)?;
            let start = (inside * self.content.size + within) as usize;
            let Some(from) = bytes.get(start..start + count) else {
                return Err(io::ErrorKind::InvalidData.into());
            };
            buffer[filled..filled + count].copy_from_slice(from);
            filled += count;
        }
        Ok(filled)
    }
}
