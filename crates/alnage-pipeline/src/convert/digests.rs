//! What is done beside the copying: one thread hashes the source and what is written, side by side.
//!
//! Two SHA-256 streams interleaved on one core take hardly longer than one, and leave the other core to the copying.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use alnage_convert::{Checksum, Refusal};
use alnage_fs::NewFile;
use alnage_hash::{Engine, Part, Piece, Stream};
use alnage_types::{Buffer, Digest, Source};

use super::checksums::Checksums;
use crate::Progress;

/// Bytes that are hashed at a time: few enough to stay in the processor's cache.
const PIECE: usize = 256 << 10;
/// Pieces that may wait to be hashed.
const WAITING: usize = 32;
/// How long the source waits for something that is hashed beside it.
const PATIENCE: Duration = Duration::from_millis(1);

/// Whether digests are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Digests,
    /// Only the checksums that a source gives for itself are compared.
    Checksums,
}

/// Hashes the source, comparing the checksums it gives for itself, while `work` runs and has hashed what it writes.
pub(super) fn alongside<R>(
    source: &Arc<dyn Source>,
    wanted: Wanted,
    checksums: &[Checksum],
    progress: &dyn Progress,
    work: impl FnOnce(&mut Written) -> R,
) -> Result<(Option<Digest>, R), Refusal> {
    if wanted == Wanted::Checksums && checksums.is_empty() {
        let result = work(&mut Written(None));
        progress.advance(source.len());
        return Ok((None, result));
    }
    thread::scope(|scope| {
        let (sender, messages) = sync_channel(WAITING);
        let (giver, spare) = sync_channel(WAITING);
        let reading = Reading {
            source: source.as_ref(),
            at: 0,
            checksums: Checksums::new(checksums),
            stream: (wanted == Wanted::Digests).then(Stream::default),
            buffer: Buffer::new(PIECE),
            progress,
        };
        let hashing = scope.spawn(move || reading.run(&messages, &giver));
        let handing = (wanted == Wanted::Digests).then(|| Handing { sender, spare, waiting: Vec::new() });
        let mut written = Written(handing);
        let result = work(&mut written);
        drop(written);
        let digest = hashing.join().map_err(|_| Refusal::Unreadable("internal error".to_owned()))??;
        Ok((digest, result))
    })
}

/// Bytes of a file that is written, or its end.
enum Message {
    Bytes(Vec<u8>),
    End(SyncSender<Digest>),
}

/// The source while it is read to be hashed.
struct Reading<'a> {
    source: &'a dyn Source,
    at: u64,
    checksums: Checksums<'a>,
    /// `None` when only checksums are compared.
    stream: Option<Stream>,
    buffer: Buffer,
    progress: &'a dyn Progress,
}

impl Reading<'_> {
    /// Reads to the end, and hashes what is handed over beside it until nobody hands over any more.
    fn run(
        mut self,
        messages: &Receiver<Message>,
        spare: &SyncSender<Vec<u8>>,
    ) -> Result<Option<Digest>, Refusal> {
        let engine = alnage_fs::engine();
        let mut written = Stream::default();
        loop {
            let message = match self.at < self.source.len() {
                true => messages.recv_timeout(PATIENCE),
                false => messages.recv().map_err(RecvTimeoutError::from),
            };
            match message {
                Ok(Message::Bytes(bytes)) => {
                    self.step(engine, Some(Piece { stream: &mut written, bytes: &bytes, part: Part::More }))?;
                    // Where there are spare ones enough, it is let go.
                    let _ = spare.try_send(bytes);
                }
                Ok(Message::End(reply)) => {
                    // Who does not wait for it has failed, and says so.
                    let _ = reply.send(finish(engine, std::mem::take(&mut written)));
                }
                Err(RecvTimeoutError::Timeout) => self.step(engine, None)?,
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        while self.at < self.source.len() {
            self.step(engine, None)?;
        }
        self.checksums.compare()?;
        Ok(self.stream.map(|stream| finish(engine, stream)))
    }

    /// Reads a piece, where there is one, and hashes it with one of what was written.
    fn step(&mut self, engine: Engine, beside: Option<Piece<'_>>) -> Result<(), Refusal> {
        let mut own = None;
        if self.at < self.source.len() {
            let count = self.source.read_at(self.at, &mut self.buffer);
            let count = count.map_err(|error| Refusal::Unreadable(error.to_string()))?;
            let bytes = self.buffer.get(..count).unwrap_or_default();
            if bytes.is_empty() {
                return Err(Refusal::Unreadable("its bytes end while they are read".to_owned()));
            }
            self.checksums.take(self.at, bytes);
            self.at += count as u64;
            self.progress.advance(count as u64);
            own = self.stream.as_mut().map(|stream| Piece { stream, bytes, part: Part::More });
        }
        engine.take(own.into_iter().chain(beside));
        Ok(())
    }
}

fn finish(engine: Engine, mut stream: Stream) -> Digest {
    engine.take([Piece { stream: &mut stream, bytes: &[], part: Part::Last }]);
    Digest::from_bytes(stream.digest().unwrap_or_default())
}

/// Has hashed what is written, where that is wanted.
pub(super) struct Written(Option<Handing>);

impl Written {
    /// Writes a file through `work`, and gives the digest of what it wrote when it is wanted.
    pub(super) fn file(
        &mut self,
        new: &mut NewFile,
        work: impl FnOnce(&mut dyn FnMut(&[u8]) -> Result<(), Refusal>) -> Result<(), Refusal>,
    ) -> Result<Option<Digest>, Refusal> {
        let mut write =
            |bytes: &[u8]| new.write(bytes).map_err(|error| Refusal::Unreadable(error.to_string()));
        let Some(handing) = &mut self.0 else { return work(&mut write).map(|()| None) };
        work(&mut |bytes| {
            write(bytes)?;
            handing.take(bytes);
            Ok(())
        })?;
        Ok(handing.end())
    }
}

/// Hands bytes over to the thread that hashes. That one only ends before this one when it failed, which is noticed when
/// it is joined.
struct Handing {
    sender: SyncSender<Message>,
    /// Pieces that were hashed, to be filled again.
    spare: Receiver<Vec<u8>>,
    waiting: Vec<u8>,
}

impl Handing {
    fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(PIECE - self.waiting.len()));
            self.waiting.extend_from_slice(now);
            bytes = later;
            if self.waiting.len() == PIECE {
                self.hand_over();
            }
        }
    }

    fn hand_over(&mut self) {
        let mut fresh = self.spare.try_recv().unwrap_or_else(|_| Vec::with_capacity(PIECE));
        fresh.clear();
        let piece = std::mem::replace(&mut self.waiting, fresh);
        let _ = self.sender.send(Message::Bytes(piece));
    }

    /// The digest of what came since the last end.
    fn end(&mut self) -> Option<Digest> {
        self.hand_over();
        let (reply, digest) = sync_channel(1);
        self.sender.send(Message::End(reply)).ok()?;
        digest.recv().ok()
    }
}

/// Writes through, counting and hashing.
pub(super) struct Counted<W: Write> {
    inner: io::BufWriter<Tee<W>>,
}

struct Tee<W> {
    inner: W,
    count: u64,
    hasher: alnage_fs::Sha256,
}

impl<W: Write> Write for Tee<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hasher.update(bytes.get(..count).unwrap_or_default());
        self.count += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<W: Write> Counted<W> {
    pub(super) fn new(inner: W) -> Self {
        let tee = Tee { inner, count: 0, hasher: alnage_fs::Sha256::default() };
        Self { inner: io::BufWriter::with_capacity(64 << 10, tee) }
    }

    pub(super) fn finish(self) -> io::Result<(u64, Digest)> {
        let tee = self.inner.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok((tee.count, tee.hasher.finish()))
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
