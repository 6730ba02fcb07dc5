//! A decompressed stream as a [`Source`]: in memory when short, decompressed anew as it is read when long.

use std::{
    io::{self, Read},
    sync::{Arc, Mutex, OnceLock},
};

use alnage_types::{Exhausted, Meter, Source};

/// Starts a decompressor at the beginning of the stream; called again when a reader goes back.
pub type Decoder = Arc<dyn Fn() -> Box<dyn Read + Send> + Send + Sync>;

const CHUNK: usize = 64 << 10;
/// How much of a long stream is kept for reads that go back a little.
const WINDOW: usize = 1 << 20;
/// How much of the beginning of a stream is handed on when the budget does not allow for all of it.
const SAMPLE: u64 = 4 << 20;
/// How much of the end of a stream is kept, for identification looks there.
const TAIL: usize = 128 << 10;

/// The decompressed bytes of a stream.
pub struct InflatedSource {
    content: Content,
    len: u64,
}

enum Content {
    /// All of it.
    Memory(Vec<u8>),
    /// Short, but there was no room to keep it: decompressed into memory when first read.
    Later { decoder: Decoder, bytes: OnceLock<Vec<u8>> },
    /// Too long for memory.
    Stream { decoder: Decoder, tail: Vec<u8>, state: Mutex<Vec<Playback>> },
}

/// A decompressor somewhere in its stream, and the bytes just before its position.
struct Playback {
    stream: Patient,
    window: Vec<u8>,
    window_start: u64,
}

/// How a decompression ended.
#[derive(Debug)]
pub struct Inflation {
    /// What was decompressed, up to the error or the limit.
    pub source: InflatedSource,
    /// CRC-32 of it.
    pub crc32: u32,
    /// The decompressor's error, when the stream is damaged: the bytes before it are still what a loader sees.
    pub error: Option<io::Error>,
    /// The limit that stopped it.
    pub exhausted: Option<Exhausted>,
}

impl std::fmt::Debug for InflatedSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InflatedSource").field("len", &self.len).finish_non_exhaustive()
    }
}

impl InflatedSource {
    /// Decompresses once to learn the length, under the meter; `compressed` is the length of the input.
    pub fn inflate(decoder: Decoder, compressed: u64, meter: &mut Meter) -> Inflation {
        let keep = meter.budget().max_member_memory;
        Self::inflate_keeping(decoder, compressed, keep, meter)
    }

    /// Like [`inflate`](Self::inflate), but keeps the bytes in memory only when they are no more than `keep`.
    pub fn inflate_keeping(decoder: Decoder, compressed: u64, keep: u64, meter: &mut Meter) -> Inflation {
        let mut stream = Patient::new(decoder.clone());
        let mut kept = Some(Vec::new());
        let mut tail = Vec::new();
        let mut buffer = vec![0; CHUNK];
        let mut len = 0;
        let mut hasher = crc32fast::Hasher::new();
        // The whole input counts as consumed from the start: a ratio is only judged downward as output grows.
        let mut exhausted = meter.expand(compressed, 0).err();
        let mut error = None;
        while exhausted.is_none() || len < SAMPLE && meter.sample(CHUNK as u64) {
            match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => {
                    let bytes = &buffer[..count];
                    exhausted = exhausted.or(meter.expand(0, count as u64).err());
                    hasher.update(bytes);
                    len += count as u64;
                    if len > keep {
                        kept = None;
                    }
                    if let Some(kept) = &mut kept {
                        kept.extend_from_slice(bytes);
                    }
                    if tail.len() >= 2 * TAIL {
                        tail.drain(..tail.len() - TAIL);
                    }
                    tail.extend_from_slice(bytes);
                }
                Err(failure) => {
                    error = Some(failure);
                    break;
                }
            }
        }
        if exhausted.is_some() && len > SAMPLE {
            len = SAMPLE;
            kept = None;
        }
        let content = match kept {
            Some(bytes) => Content::Memory(bytes),
            None if len <= meter.budget().max_member_memory => {
                Content::Later { decoder, bytes: OnceLock::new() }
            }
            None => {
                tail.drain(..tail.len().saturating_sub(TAIL));
                Content::Stream { decoder, tail, state: Mutex::default() }
            }
        };
        Inflation { source: Self { content, len }, crc32: hasher.finalize(), error, exhausted }
    }
}

impl Source for InflatedSource {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let offset = offset.min(self.len);
        let count = (buffer.len() as u64).min(self.len - offset) as usize;
        let buffer = &mut buffer[..count];
        if let Some(bytes) = self.as_bytes() {
            let bytes = bytes.get(offset as usize..).unwrap_or_default();
            let count = count.min(bytes.len());
            buffer[..count].copy_from_slice(&bytes[..count]);
            return Ok(count);
        }
        if let Content::Stream { decoder, tail, state } = &self.content {
            let tail_start = self.len - tail.len() as u64;
            if offset >= tail_start {
                let from = (offset - tail_start) as usize;
                buffer.copy_from_slice(&tail[from..from + count]);
            } else {
                let mut playbacks = state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                playback(&mut playbacks, decoder, offset).read(offset, buffer)?;
            }
        }
        Ok(count)
    }

    fn as_bytes(&self) -> Option<&[u8]> {
        match &self.content {
            Content::Memory(bytes) => Some(bytes),
            Content::Later { decoder, bytes } => Some(bytes.get_or_init(|| {
                let mut all = Vec::with_capacity(self.len as usize);
                // The first pass met the same error after the same bytes.
                _ = Patient::new(decoder.clone()).take(self.len).read_to_end(&mut all);
                all
            })),
            Content::Stream { .. } => None,
        }
    }
}

/// The playback that is nearest before `offset`. Two are kept, so that a reader at the front and one further
/// back do not send each other to the start.
fn playback<'a>(playbacks: &'a mut Vec<Playback>, decoder: &Decoder, offset: u64) -> &'a mut Playback {
    const MAX_PLAYBACKS: usize = 2;
    let usable = (0..playbacks.len()).filter(|&at| playbacks[at].window_start <= offset);
    let at = usable.max_by_key(|&at| playbacks[at].window_start).unwrap_or_else(|| {
        if playbacks.len() == MAX_PLAYBACKS {
            playbacks.remove(0);
        }
        playbacks.push(Playback {
            stream: Patient::new(decoder.clone()),
            window: Vec::new(),
            window_start: 0,
        });
        playbacks.len() - 1
    });
    &mut playbacks[at]
}

impl Playback {
    fn read(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut done = 0;
        while done < buffer.len() {
            let at = offset + done as u64;
            let window_end = self.window_start + self.window.len() as u64;
            if at < window_end {
                let from = (at - self.window_start) as usize;
                let count = (self.window.len() - from).min(buffer.len() - done);
                buffer[done..done + count].copy_from_slice(&self.window[from..from + count]);
                done += count;
            } else {
                self.advance()?;
            }
        }
        Ok(())
    }

    fn advance(&mut self) -> io::Result<()> {
        if self.window.len() >= 2 * WINDOW {
            self.window.drain(..WINDOW);
            self.window_start += WINDOW as u64;
        }
        let filled = self.window.len();
        self.window.resize(filled + CHUNK, 0);
        let count = self.stream.read(&mut self.window[filled..]);
        self.window.truncate(filled + *count.as_ref().unwrap_or(&0));
        match count {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// A decompressor that gives every byte before an error. Decompressors drop what they made in the call that
/// fails, so the failing stretch is decompressed again byte by byte.
struct Patient {
    decoder: Decoder,
    stream: Box<dyn Read + Send>,
    given: u64,
    bytewise: bool,
}

impl Patient {
    fn new(decoder: Decoder) -> Self {
        let stream = decoder();
        Self { decoder, stream, given: 0, bytewise: false }
    }

    fn restart(&mut self) -> io::Result<()> {
        self.stream = (self.decoder)();
        self.bytewise = true;
        let mut skipped = vec![0; CHUNK];
        let mut left = self.given;
        while left > 0 {
            let want = left.min(CHUNK as u64) as usize;
            match self.stream.read(&mut skipped[..want])? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => left -= count as u64,
            }
        }
        Ok(())
    }
}

impl Read for Patient {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let want = if self.bytewise { buffer.len().min(1) } else { buffer.len() };
            match self.stream.read(&mut buffer[..want]) {
                Ok(count) => {
                    self.given += count as u64;
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if self.bytewise => return Err(error),
                Err(_) => self.restart()?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alnage_types::Budget;

    use super::*;

    fn counting(len: u64) -> Decoder {
        Arc::new(move || Box::new(io::Cursor::new((0..len).map(|i| (i / 7) as u8).collect::<Vec<u8>>())))
    }

    #[test]
    fn a_long_stream_reads_like_memory() {
        let mut meter = Meter::new(Budget { max_member_memory: 1000, ..Budget::default() });
        let len = 5 << 20;
        let inflation = InflatedSource::inflate(counting(len), 100, &mut meter);
        assert!(inflation.error.is_none() && inflation.exhausted.is_none());
        assert!(inflation.source.as_bytes().is_none());
        for offset in [0, len - 3, 4 << 20, 12, len] {
            let mut buffer = [0; 5];
            let count = inflation.source.read_at(offset, &mut buffer).unwrap();
            let expected: Vec<u8> = (offset..(offset + 5).min(len)).map(|i| (i / 7) as u8).collect();
            assert_eq!(&buffer[..count], expected);
        }
    }

    #[test]
    fn a_bomb_is_stopped() {
        let mut meter = Meter::new(Budget { max_expanded: 1 << 16, max_ratio: 10, ..Budget::default() });
        let decoder: Decoder = Arc::new(|| Box::new(io::repeat(0)));
        let inflation = InflatedSource::inflate(decoder, 100, &mut meter);
        assert_eq!(inflation.exhausted, Some(Exhausted { limit: "max-expanded" }));
        assert_eq!(inflation.source.len(), SAMPLE);
        let mut tail = [1; 4];
        assert_eq!(inflation.source.read_at(SAMPLE - 4, &mut tail).unwrap(), 4);
        assert_eq!(tail, [0; 4]);
    }

    #[test]
    fn the_beginnings_of_members_behind_a_bomb_are_seen() {
        let mut meter = Meter::new(Budget { max_expanded: 1 << 16, max_ratio: 10, ..Budget::default() });
        let bomb: Decoder = Arc::new(|| Box::new(io::repeat(0)));
        InflatedSource::inflate(bomb.clone(), 100, &mut meter);
        let behind = InflatedSource::inflate(counting(2000), 10, &mut meter);
        assert!(behind.exhausted.is_some());
        assert_eq!(behind.source.len(), 2000);
        for _ in 0..8 {
            InflatedSource::inflate(bomb.clone(), 100, &mut meter);
        }
        assert_eq!(InflatedSource::inflate(bomb, 100, &mut meter).source.len(), 0, "not without end");
    }

    /// Ten bytes, then an error that swallows what the failing call had made.
    struct Failing(usize);

    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0 + buffer.len() > 10 {
                return Err(io::ErrorKind::InvalidData.into());
            }
            buffer.fill(7);
            self.0 += buffer.len();
            Ok(buffer.len())
        }
    }

    #[test]
    fn bytes_before_an_error_are_kept() {
        let mut meter = Meter::new(Budget::default());
        let decoder: Decoder = Arc::new(|| Box::new(Failing(0)));
        for keep in [100, 0] {
            let inflation = InflatedSource::inflate_keeping(decoder.clone(), 10, keep, &mut meter);
            assert!(inflation.error.is_some());
            assert_eq!(inflation.source.as_bytes(), Some(&[7; 10][..]));
        }
    }
}
