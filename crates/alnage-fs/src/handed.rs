//! A file that somebody else has opened: its stamp, its bytes and its digests, from the very descriptor.

use std::{fs::File, io, ops::Range, os::unix::fs::FileExt, sync::Arc, time::SystemTime};

use alnage_hash::{Engine, Part};
use alnage_types::{Buffer, ContentDigest, HashAlgorithm, Source};

use crate::{Stamp, engine, hash::Hasher, read::FileSource, seen::Settled};

/// How much is hashed at a time: small enough to stay in the processor's cache.
const TURN: usize = 1 << 20;

/// An open regular file, as it was when it was handed over.
#[derive(Debug)]
pub struct Handed {
    file: File,
    stamp: Stamp,
}

impl Handed {
    /// Takes over `file`. An error when it is no regular file.
    pub fn new(file: File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        match metadata.is_file() {
            true => Ok(Self { stamp: Stamp::of(&metadata), file }),
            false => Err(io::Error::other("not a regular file")),
        }
    }

    /// As it was when it was handed over.
    pub fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// The file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The file, given back.
    pub fn into_file(self) -> File {
        self.file
    }

    /// Whether somebody has written to it since.
    pub fn has_changed(&self) -> bool {
        self.file.metadata().map_or(true, |metadata| Stamp::of(&metadata) != self.stamp)
    }

    /// Whether the file, if its stamp is the same at some later time, has the same content then: it was not changed for
    /// long before `now`, on a file system whose times of change count.
    pub fn is_settled(&self, now: SystemTime) -> bool {
        Settled::of(&self.file, now).is_some_and(|settled| settled.holds(&self.stamp))
    }

    /// Its bytes, read where they are asked for.
    pub fn source(&self) -> io::Result<Arc<dyn Source>> {
        Ok(Arc::new(FileSource { file: self.file.try_clone()?, len: self.stamp.len }))
    }

    /// The digests of `parts` of it. An error when somebody wrote to it meanwhile.
    pub fn digests(&self, algorithm: HashAlgorithm, parts: &[Range<u64>]) -> io::Result<Vec<ContentDigest>> {
        let engine = engine();
        let mut buffer = Buffer::new(TURN);
        let digests = parts.iter().map(|part| self.digest(engine, algorithm, part.clone(), &mut buffer));
        let digests = digests.collect::<io::Result<_>>()?;
        match self.has_changed() {
            true => Err(io::Error::other("written to while it was read")),
            false => Ok(digests),
        }
    }

    fn digest(
        &self,
        engine: Engine,
        algorithm: HashAlgorithm,
        part: Range<u64>,
        buffer: &mut [u8],
    ) -> io::Result<ContentDigest> {
        let mut hasher = Hasher::new(algorithm);
        let mut offset = part.start;
        loop {
            let left = part.end.saturating_sub(offset);
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            let piece = buffer.get_mut(..wanted).unwrap_or_default();
            self.file.read_exact_at(piece, offset)?;
            offset = offset.saturating_add(piece.len() as u64);
            let end = if offset >= part.end { Part::Last } else { Part::More };
            Hasher::take(engine, std::iter::once((&mut hasher, &*piece, end)));
            if offset >= part.end {
                break;
            }
        }
        hasher.digest().ok_or_else(|| io::Error::other("not all of it was hashed"))
    }
}

/// The digests of `parts` of bytes at hand; `None` when a part lies outside.
pub fn digests_of(
    bytes: &[u8],
    algorithm: HashAlgorithm,
    parts: &[Range<u64>],
) -> Option<Vec<ContentDigest>> {
    let engine = engine();
    let digest = |part: &Range<u64>| {
        let range = usize::try_from(part.start).ok()?..usize::try_from(part.end).ok()?;
        let mut hasher = Hasher::new(algorithm);
        Hasher::take(engine, std::iter::once((&mut hasher, bytes.get(range)?, Part::Last)));
        hasher.digest()
    };
    parts.iter().map(digest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_hashed_as_bytes_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let bytes: Vec<u8> = (0..TURN + 77).map(|index| (index % 251) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let handed = Handed::new(File::open(&path).unwrap()).unwrap();
        let len = bytes.len() as u64;
        let parts = [0..len, 0..0, 5..TURN as u64 + 5, 0..TURN as u64];
        for algorithm in [HashAlgorithm::Sha256, HashAlgorithm::Blake2b512, HashAlgorithm::Blake3] {
            let found = handed.digests(algorithm, &parts).unwrap();
            assert_eq!(Some(found), digests_of(&bytes, algorithm, &parts), "{algorithm:?}");
        }
        let beyond = 0..len + 1;
        let outside = std::slice::from_ref(&beyond);
        assert!(digests_of(&bytes, HashAlgorithm::Sha256, outside).is_none());
        assert!(handed.digests(HashAlgorithm::Sha256, outside).is_err());
        std::fs::write(&path, "other").unwrap();
        assert!(handed.digests(HashAlgorithm::Sha256, &parts).is_err());
    }
}
