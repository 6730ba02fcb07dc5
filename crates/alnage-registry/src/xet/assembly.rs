//! A file read out of the xorbs it is made of.

use std::{
    collections::{HashMap, VecDeque},
    io::{self, Read},
};

use alnage_types::Digest;
use alnage_xet::{Chunk, MerkleHash, Piece, Plan, decode_chunk};

use super::Kept;
use crate::blobs::{BlobReader, Blobs};

/// Bytes of a xorb that are read at a time, at least.
const WINDOW: u32 = 4 << 20;

/// The content of a file, chunk by chunk.
pub(super) struct Assembly<'a> {
    blobs: &'a Blobs,
    kept: &'a HashMap<MerkleHash, Kept>,
    pieces: std::slice::Iter<'a, Piece>,
    /// Chunks of the piece that is being read.
    chunks: VecDeque<Chunk>,
    open: Option<(Digest, BlobReader)>,
    window: Vec<u8>,
    /// Where in the xorb the window begins.
    window_start: u32,
    ready: Vec<u8>,
    taken: usize,
}

impl<'a> Assembly<'a> {
    pub(super) fn new(blobs: &'a Blobs, plan: &'a Plan, kept: &'a HashMap<MerkleHash, Kept>) -> Self {
        Self {
            blobs,
            kept,
            pieces: plan.pieces.iter(),
            chunks: VecDeque::new(),
            open: None,
            window: Vec::new(),
            window_start: 0,
            ready: Vec::new(),
            taken: 0,
        }
    }

    /// Makes the next chunk ready; `false` at the end of the file.
    fn advance(&mut self) -> io::Result<bool> {
        while self.chunks.is_empty() {
            let Some(piece) = self.pieces.next() else { return Ok(false) };
            self.begin(piece)?;
        }
        let last = self.chunks.back().map_or(0, |chunk| chunk.end);
        let Some(chunk) = self.chunks.pop_front() else { return Ok(false) };
        let frame = match self.frame(chunk) {
            Some(frame) => frame,
            None => {
                self.fill(chunk, last)?;
                self.frame(chunk).ok_or(io::ErrorKind::UnexpectedEof)?
            }
        };
        self.ready = decode_chunk(frame).map_err(io::Error::other)?;
        self.taken = 0;
        Ok(true)
    }

    fn begin(&mut self, piece: &Piece) -> io::Result<()> {
        let gone = || io::Error::other("a xorb was swept while a file was made of it");
        let kept = self.kept.get(&piece.xorb).ok_or_else(gone)?;
        self.chunks =
            kept.xorb.chunks.get(piece.start..piece.end).ok_or_else(gone)?.iter().copied().collect();
        if self.open.as_ref().is_none_or(|(digest, _)| *digest != kept.blob) {
            let reader = self.blobs.open(kept.blob).map_err(io::Error::other)?.ok_or_else(gone)?;
            self.open = Some((kept.blob, reader));
            self.window.clear();
        }
        Ok(())
    }

    /// The chunk behind its header, if the window has it.
    fn frame(&self, chunk: Chunk) -> Option<&[u8]> {
        let start = chunk.start.checked_sub(self.window_start)?;
        let end = chunk.end.checked_sub(self.window_start)?;
        self.window.get(start as usize..end as usize)
    }

    fn fill(&mut self, chunk: Chunk, last: u32) -> io::Result<()> {
        let end = chunk.start.saturating_add(WINDOW).min(last).max(chunk.end);
        let (_, reader) = self.open.as_ref().ok_or(io::ErrorKind::NotFound)?;
        self.window.clear();
        self.window.resize((end - chunk.start) as usize, 0);
        self.window_start = chunk.start;
        reader.read_exact_at(&mut self.window, u64::from(chunk.start))
    }
}

impl Read for Assembly<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.ready.len() {
            if !self.advance()? {
                return Ok(0);
            }
        }
        let rest = self.ready.get(self.taken..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.taken += count;
        Ok(count)
    }
}
