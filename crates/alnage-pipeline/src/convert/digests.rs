//! What is done beside the copying: the source is hashed on a thread of its own, what is written on another, and a third
//! has it brought to the disk meanwhile.
//!
//! Two streams interleaved on one core (as `alnage-hash` does it) gain little over one, and the copying has the other
//! core only half of the time: two threads for the two digests are faster.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use alnage_convert::{Checksum, Refusal};
use alnage_fs::{Flusher, NewFile};
use alnage_types::{Digest, Source};

use crate::Progress;

/// Bytes that are hashed at a time: few enough to stay in the processor's cache.
const PIECE: usize = 256 << 10;
/// Pieces that may wait to be hashed.
const WAITING: usize = 32;
/// Bytes after which what was written is brought to the disk.
const UNFLUSHED: u64 = 32 << 20;

/// Whether digests are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Digests,
    /// Only the checksums that a source gives for itself are compared.
    Checksums,
}

/// Hashes the source, comparing the checksums it gives for itself, while `work` runs.
pub(super) fn alongside<R>(
    source: &Arc<dyn Source>,
    wanted: Wanted,
    checksums: &[Checksum],
    progress: &dyn Progress,
    work: impl FnOnce() -> R,
) -> Result<(Option<Digest>, R), Refusal> {
    if wanted == Wanted::Checksums && checksums.is_empty() {
        let result = work();
        progress.advance(source.len());
        return Ok((None, result));
    }
    thread::scope(|scope| {
        let hashing = scope.spawn(|| digest(source.as_ref(), wanted, checksums, progress));
        let result = work();
        let digest = hashing.join().map_err(|_| Refusal::Unreadable("internal error".to_owned()))??;
        Ok((digest, result))
    })
}

fn digest(
    source: &dyn Source,
    wanted: Wanted,
    checksums: &[Checksum],
    progress: &dyn Progress,
) -> Result<Option<Digest>, Refusal> {
    let mut sums: Vec<(&Checksum, crc32fast::Hasher)> =
        checksums.iter().map(|checksum| (checksum, crc32fast::Hasher::new())).collect();
    sums.sort_by_key(|(checksum, _)| checksum.range.start);
    let mut first = 0;
    let mut hasher = (wanted == Wanted::Digests).then(alnage_fs::Sha256::default);
    let mut buffer = vec![0; PIECE];
    let mut at = 0;
    while at < source.len() {
        let count =
            source.read_at(at, &mut buffer).map_err(|error| Refusal::Unreadable(error.to_string()))?;
        let bytes = buffer.get(..count).unwrap_or_default();
        if bytes.is_empty() {
            return Err(Refusal::Unreadable("its bytes end while they are read".to_owned()));
        }
        if let Some(hasher) = &mut hasher {
            hasher.update(bytes);
        }
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
    Ok(hasher.map(alnage_fs::Sha256::finish))
}

/// Writes a file through `work`, and gives the digest of what it wrote when it is wanted.
pub(super) fn written(
    new: &mut NewFile,
    wanted: Wanted,
    work: impl FnOnce(&mut dyn FnMut(&[u8]) -> Result<(), Refusal>) -> Result<(), Refusal>,
) -> Result<Option<Digest>, Refusal> {
    let unwritten = |error: alnage_fs::Error| Refusal::Unreadable(error.to_string());
    let flusher = new.flusher().map_err(unwritten)?;
    flushed_behind(flusher, |behind| {
        let mut since = 0_u64;
        let mut write = |bytes: &[u8]| {
            new.write(bytes).map_err(unwritten)?;
            since += bytes.len() as u64;
            if since >= UNFLUSHED {
                since = 0;
                behind();
            }
            Ok(())
        };
        if wanted == Wanted::Checksums {
            return work(&mut write).map(|()| None);
        }
        let digest = Hashing::run(|hashing| {
            work(&mut |bytes| {
                write(bytes)?;
                hashing.update(bytes);
                Ok(())
            })
        });
        digest.map(Some)
    })
}

/// Runs `work`, which asks for flushing without waiting for it: at the end little is left to be waited for.
fn flushed_behind<R>(
    flusher: Flusher,
    work: impl FnOnce(&dyn Fn()) -> Result<R, Refusal>,
) -> Result<R, Refusal> {
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel::<()>(1);
        let flushing = scope.spawn(move || receiver.iter().try_for_each(|()| flusher.flush()));
        let worked = work(&|| {
            // One that waits already is enough.
            let _ = sender.try_send(());
        });
        drop(sender);
        let flushed = flushing.join().map_err(|_| Refusal::Unreadable("internal error".to_owned()))?;
        flushed.map_err(|error| Refusal::Unreadable(error.to_string()))?;
        worked
    })
}

/// Takes bytes to be hashed on another thread.
struct Hashing {
    sender: SyncSender<Vec<u8>>,
    /// Pieces that were hashed, to be filled again.
    spare: Receiver<Vec<u8>>,
    waiting: Vec<u8>,
}

impl Hashing {
    /// Runs `work`, which hands over bytes, and gives their digest.
    fn run(work: impl FnOnce(&mut Self) -> Result<(), Refusal>) -> Result<Digest, Refusal> {
        thread::scope(|scope| {
            let (sender, receiver) = sync_channel::<Vec<u8>>(WAITING);
            let (giver, spare) = sync_channel::<Vec<u8>>(WAITING);
            let hashing = scope.spawn(move || {
                let mut hasher = alnage_fs::Sha256::default();
                for piece in receiver {
                    hasher.update(&piece);
                    // Where there are spare ones enough, it is let go.
                    let _ = giver.try_send(piece);
                }
                hasher.finish()
            });
            let mut own = Self { sender, spare, waiting: Vec::with_capacity(PIECE) };
            let worked = work(&mut own);
            own.hand_over();
            drop(own);
            let digest = hashing.join().map_err(|_| Refusal::Unreadable("internal error".to_owned()))?;
            worked.map(|()| digest)
        })
    }

    /// More bytes.
    fn update(&mut self, mut bytes: &[u8]) {
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
