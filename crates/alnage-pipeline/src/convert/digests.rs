//! Digests that are taken while other work is done: of the source on a thread of its own, of what is written on another.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        mpsc::{SyncSender, sync_channel},
    },
    thread,
};

use alnage_convert::{Checksum, Refusal};
use alnage_types::{Digest, Source};

use crate::Progress;

/// Bytes that are read at a time.
const PIECE: usize = 1 << 20;
/// Pieces that may wait to be hashed.
const WAITING: usize = 8;

/// Hashes the source, comparing the checksums it gives for itself, while `work` runs.
pub(super) fn alongside<R>(
    source: &Arc<dyn Source>,
    checksums: &[Checksum],
    progress: &dyn Progress,
    work: impl FnOnce() -> R,
) -> Result<(Digest, R), Refusal> {
    thread::scope(|scope| {
        let hashing = scope.spawn(|| digest(source.as_ref(), checksums, progress));
        let result = work();
        let digest = hashing.join().map_err(|_| Refusal::Unreadable("internal error".to_owned()))??;
        Ok((digest, result))
    })
}

fn digest(source: &dyn Source, checksums: &[Checksum], progress: &dyn Progress) -> Result<Digest, Refusal> {
    let mut sums: Vec<(&Checksum, crc32fast::Hasher)> =
        checksums.iter().map(|checksum| (checksum, crc32fast::Hasher::new())).collect();
    sums.sort_by_key(|(checksum, _)| checksum.range.start);
    let mut first = 0;
    let mut hasher = alnage_fs::Sha256::default();
    let mut buffer = vec![0; PIECE];
    let mut at = 0;
    while at < source.len() {
        let count =
            source.read_at(at, &mut buffer).map_err(|error| Refusal::Unreadable(error.to_string()))?;
        let bytes = buffer.get(..count).unwrap_or_default();
        if bytes.is_empty() {
            return Err(Refusal::Unreadable("its bytes end while they are read".to_owned()));
        }
        hasher.update(bytes);
        let end = at + count as u64;
        while sums.get(first).is_some_and(|(checksum, _)| checksum.range.end <= at) {
            first += 1;
        }
        for (checksum, sum) in sums.iter_mut().skip(first) {
            if checksum.range.start >= end {
                break;
            }
            let from = checksum.range.start.max(at) - at;
            let to = checksum.range.end.min(end).max(at) - at;
            sum.update(bytes.get(from as usize..to as usize).unwrap_or_default());
        }
        at = end;
        progress.advance(count as u64);
    }
    for (checksum, sum) in sums {
        if sum.finalize() != checksum.crc32 {
            let name: String = checksum.name.chars().take(120).flat_map(char::escape_debug).collect();
            return Err(Refusal::Malformed(format!("the checksum of `{name}` does not fit its bytes")));
        }
    }
    Ok(hasher.finish())
}

/// Takes bytes to be hashed on another thread.
pub(super) struct Hashing {
    sender: SyncSender<Vec<u8>>,
    waiting: Vec<u8>,
}

impl Hashing {
    /// Runs `work`, which hands over bytes, and gives their digest.
    pub(super) fn run(work: impl FnOnce(&mut Self) -> Result<(), Refusal>) -> Result<Digest, Refusal> {
        thread::scope(|scope| {
            let (sender, receiver) = sync_channel::<Vec<u8>>(WAITING);
            let hashing = scope.spawn(move || {
                let mut hasher = alnage_fs::Sha256::default();
                receiver.iter().for_each(|piece| hasher.update(&piece));
                hasher.finish()
            });
            let mut own = Self { sender, waiting: Vec::with_capacity(PIECE) };
            let worked = work(&mut own);
            own.hand_over();
            drop(own);
            let digest = hashing.join().map_err(|_| Refusal::Unreadable("internal error".to_owned()))?;
            worked.map(|()| digest)
        })
    }

    /// More bytes.
    pub(super) fn update(&mut self, mut bytes: &[u8]) {
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
        let piece = std::mem::replace(&mut self.waiting, Vec::with_capacity(PIECE));
        // The other thread only ends before this one when it failed, which is noticed when it is joined.
        let _ = self.sender.send(piece);
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
