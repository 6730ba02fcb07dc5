//! A decompressed stream as a [`Source`]: in memory when short, decompressed anew as it is read when long.

use std::{
    io::{self, Read},
    sync::{Arc, Mutex},
};

use alnage_types::{Exhausted, Meter, Source};

/// Starts a decompressor at the beginning of the stream; called again when a reader goes back.
pub type Decoder = Arc<dyn Fn() -> Box<dyn Read + Send> + Send + Sync>;

const CHUNK: usize = 64 << 10;
/// How much of a long stream is kept for reads that go back a little.
const WINDOW: usize = 1 << 20;

/// The decompressed bytes of a stream.
pub struct InflatedSource {
    content: Content,
    len: u64,
}

enum Content {
    Memory(Vec<u8>),
    Stream { decoder: Decoder, state: Mutex<Playback> },
}

/// A decompressor somewhere in its stream, and the bytes just before its position.
#[derive(Default)]
struct Playback {
    stream: Option<Box<dyn Read + Send>>,
    window: Vec<u8>,
    window_start: u64,
}

/// How a decompression ended.
#[derive(Debug)]
pub struct Inflation {
    /// What was decompressed, up to the error or the limit.
    pub source: InflatedSource,
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
        let mut stream = decoder();
        let mut kept = Some(Vec::new());
        let mut buffer = vec![0; CHUNK];
        let mut len = 0;
        // The whole input counts as consumed from the start: a ratio is only judged downward as output grows.
        let mut exhausted = meter.expand(compressed, 0).err();
        let mut error = None;
        while exhausted.is_none() {
            match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => {
                    exhausted = meter.expand(0, count as u64).err();
                    len += count as u64;
                    if len > keep {
                        kept = None;
                    }
                    if let Some(kept) = &mut kept {
                        kept.extend_from_slice(&buffer[..count]);
                    }
                }
                Err(failure) if failure.kind() == io::ErrorKind::Interrupted => {}
                Err(failure) => {
                    error = Some(failure);
                    break;
                }
            }
        }
        let content = match kept {
            Some(bytes) => Content::Memory(bytes),
            None => Content::Stream { decoder, state: Mutex::default() },
        };
        Inflation { source: Self { content, len }, error, exhausted }
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
        match &self.content {
            Content::Memory(bytes) => {
                buffer.copy_from_slice(&bytes[offset as usize..offset as usize + count])
            }
            Content::Stream { decoder, state } => {
                let mut state = state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                state.read(decoder, offset, buffer)?;
            }
        }
        Ok(count)
    }

    fn as_bytes(&self) -> Option<&[u8]> {
        match &self.content {
            Content::Memory(bytes) => Some(bytes),
            Content::Stream { .. } => None,
        }
    }
}

impl Playback {
    fn read(&mut self, decoder: &Decoder, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        if offset < self.window_start || self.stream.is_none() {
            *self = Self { stream: Some(decoder()), ..Self::default() };
        }
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
        let stream = self.stream.as_mut().ok_or(io::ErrorKind::UnexpectedEof)?;
        let count = stream.read(&mut self.window[filled..]);
        self.window.truncate(filled + *count.as_ref().unwrap_or(&0));
        match count {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(error),
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
    }
}
