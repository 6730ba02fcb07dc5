//! One file's bytes for parsers, and their digest.

use std::{fs::File, io, os::unix::fs::FileExt, sync::Arc};

use alnage_types::{Buffer, Digest, Source};
use sha2::Digest as _;

use crate::{Stamp, root::RegularFile};

/// Files up to this size are read whole, once, and hashed and parsed from memory.
pub const IN_MEMORY: u64 = 8 << 20;
/// How much of a longer file is hashed at a time: small enough to stay in the processor's cache.
const CHUNK: usize = 256 << 10;

/// An opened file.
pub struct Content {
    /// Its bytes.
    pub source: Arc<dyn Source>,
    /// Digest of the bytes, when asked for.
    pub sha256: Option<Digest>,
    /// What is read from while it is parsed, and its state before; nothing when the bytes are at hand.
    read_from: Option<(File, Stamp)>,
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Content").field("len", &self.source.len()).field("sha256", &self.sha256).finish()
    }
}

impl Content {
    /// Reads `file`: whole when it is short; else through a descriptor, with one streaming pass for the digest.
    /// `progress` hears of the bytes as they are read.
    pub(crate) fn read(opened: RegularFile, hash: bool, progress: &dyn Fn(u64)) -> io::Result<Self> {
        let RegularFile { file, metadata } = opened;
        let stamp = Stamp::of(&metadata);
        if stamp.len <= IN_MEMORY {
            let bytes = read_whole(&file, stamp.len as usize)?;
            progress(bytes.len() as u64);
            let sha256 = hash.then(|| Digest::of(&bytes));
            if bytes.len() as u64 != stamp.len {
                return Err(io::Error::other("it was written to while it was read"));
            }
            return Ok(Self { source: Arc::new(MemoryBytes(bytes)), sha256, read_from: None });
        }
        let sha256 = if hash { Some(digest(&file, stamp.len, progress)?) } else { None };
        let source = Arc::new(FileSource { file: file.try_clone()?, len: stamp.len });
        Ok(Self { source, sha256, read_from: Some((file, stamp)) })
    }

    /// The same, when nobody writes to the file any more.
    pub(crate) fn settled(self) -> Self {
        Self { read_from: None, ..self }
    }

    /// Whether somebody wrote to the file since it was opened, so that the digest and what was parsed may be of
    /// different bytes.
    pub fn has_changed(&self) -> bool {
        self.read_from.as_ref().is_some_and(|(file, stamp)| {
            file.metadata().map_or(true, |metadata| Stamp::of(&metadata) != *stamp)
        })
    }
}

fn read_whole(file: &File, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    let mut filled = 0;
    while filled < len {
        match file.read_at(&mut bytes[filled..], filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

fn digest(file: &File, len: u64, progress: &dyn Fn(u64)) -> io::Result<Digest> {
    let mut hasher = sha2::Sha256::new();
    let mut buffer = Buffer::new(CHUNK);
    let mut offset = 0;
    while offset < len {
        match file.read_at(&mut buffer, offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                hasher.update(&buffer[..count]);
                offset += count as u64;
                progress(count as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Digest::from_bytes(hasher.finalize().into()))
}

/// A file's bytes, in memory, taken over without a copy.
pub struct MemoryBytes(pub Vec<u8>);

impl Source for MemoryBytes {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|start| self.0.get(start..)).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn as_bytes(&self) -> Option<&[u8]> {
        Some(&self.0)
    }
}

/// A file's bytes, read where they are asked for.
pub(crate) struct FileSource {
    pub(crate) file: File,
    pub(crate) len: u64,
}

impl Source for FileSource {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        // A file that grows meanwhile keeps the length it had, which is the length that was hashed.
        let rest = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut filled = 0;
        let wanted = buffer.len().min(rest);
        while filled < wanted {
            match self.file.read_at(&mut buffer[filled..wanted], offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}
