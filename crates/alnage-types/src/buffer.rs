//! What files are read into.

use std::ops::{Deref, DerefMut, Range};

/// Bytes to read into, which begin at a line of the processor's cache. They are zeros at first.
#[derive(Debug, Default)]
pub struct Buffer {
    bytes: Vec<u8>,
    aligned: Range<usize>,
}

impl Buffer {
    /// A line of the processor's cache. The kernel copies to the beginning of one at full speed; long vectors lie 16
    /// bytes behind it as the allocator gives them, and reading into them is up to twice as slow.
    pub const LINE: usize = 64;

    /// `len` bytes.
    pub fn new(len: usize) -> Self {
        let bytes = vec![0; len.saturating_add(Self::LINE)];
        let start = bytes.as_ptr().align_offset(Self::LINE).min(Self::LINE);
        Self { bytes, aligned: start..start + len }
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(self.aligned.clone()).unwrap_or_default()
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.aligned.clone()).unwrap_or_default()
    }
}
