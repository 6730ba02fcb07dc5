//! Random-access bytes. Parsers see this and nothing else of the world.

use std::{io, sync::Arc};

/// Random-access, read-only bytes of a known length.
pub trait Source: Send + Sync {
    /// Length in bytes.
    fn len(&self) -> u64;

    /// Whether there are no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads at `offset` into `buffer`; fewer bytes than asked for only at the end. Reading past the end gives 0.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// All bytes, when they are in memory anyway.
    fn as_bytes(&self) -> Option<&[u8]> {
        None
    }
}

impl<S: Source + ?Sized> Source for Arc<S> {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        (**self).read_at(offset, buffer)
    }

    fn as_bytes(&self) -> Option<&[u8]> {
        (**self).as_bytes()
    }
}

/// Bytes in memory.
#[derive(Debug, Clone)]
pub struct MemorySource(Arc<[u8]>);

impl MemorySource {
    /// Takes the bytes over.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self(bytes.into())
    }
}

impl Source for MemorySource {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.0.len());
        let count = buffer.len().min(self.0.len() - start);
        buffer[..count].copy_from_slice(&self.0[start..start + count]);
        Ok(count)
    }

    fn as_bytes(&self) -> Option<&[u8]> {
        Some(&self.0)
    }
}

/// A range of another source: a stored zip member, a buffer inside a checkpoint.
#[derive(Clone)]
pub struct WindowSource {
    inner: Arc<dyn Source>,
    start: u64,
    len: u64,
}

impl WindowSource {
    /// `start..start + len` of `inner`, cut where `inner` ends.
    pub fn new(inner: Arc<dyn Source>, start: u64, len: u64) -> Self {
        let start = start.min(inner.len());
        let len = len.min(inner.len() - start);
        Self { inner, start, len }
    }
}

impl Source for WindowSource {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let offset = offset.min(self.len);
        let count = (buffer.len() as u64).min(self.len - offset) as usize;
        self.inner.read_at(self.start + offset, &mut buffer[..count])
    }

    fn as_bytes(&self) -> Option<&[u8]> {
        self.inner.as_bytes().map(|all| &all[self.start as usize..(self.start + self.len) as usize])
    }
}
