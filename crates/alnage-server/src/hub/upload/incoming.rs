//! Bodies that are longer than memory: read line by line, or handed to what blocks.

use std::io::{self, Read};

use axum::body::{Body, Bytes};
use tokio::sync::mpsc;

use super::super::reply::Refusal;
use crate::core::bytes::piece;

/// A file of ten megabytes in base64, and what stands around it.
const MAX_LINE: usize = 16 << 20;
/// All lines together.
const MAX_COMMIT: usize = 4 << 30;
/// Pieces that wait to be written.
const AHEAD: usize = 16;

/// The lines of a body.
pub(super) struct Lines {
    body: Body,
    rest: Vec<u8>,
    /// How much of the rest was searched.
    searched: usize,
    read: usize,
    ended: bool,
}

impl Lines {
    pub(super) fn of(body: Body) -> Self {
        Self { body, rest: Vec::new(), searched: 0, read: 0, ended: false }
    }

    /// The next line that is not empty.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>, Refusal> {
        loop {
            let unsearched = self.rest.get(self.searched..).unwrap_or_default();
            if let Some(place) = unsearched.iter().position(|byte| *byte == b'\n') {
                let after = self.rest.split_off(self.searched + place + 1);
                let line = std::mem::replace(&mut self.rest, after);
                self.searched = 0;
                if !line.trim_ascii().is_empty() {
                    return Ok(Some(line));
                }
                continue;
            }
            self.searched = self.rest.len();
            if self.ended {
                let line = std::mem::take(&mut self.rest);
                self.searched = 0;
                return Ok((!line.trim_ascii().is_empty()).then_some(line));
            }
            match piece(&mut self.body).await {
                Some(Ok(bytes)) => {
                    self.read = self.read.saturating_add(bytes.len());
                    if self.rest.len() + bytes.len() > MAX_LINE || self.read > MAX_COMMIT {
                        let text = "the commit is too large: send large files by LFS or Xet, as clients do by themselves";
                        return Err(Refusal::Invalid(text.into()));
                    }
                    self.rest.extend_from_slice(&bytes);
                }
                Some(Err(error)) => return Err(Refusal::Invalid(format!("the request broke off: {error}"))),
                None => self.ended = true,
            }
        }
    }
}

/// A body as what blocks reads it.
pub(crate) struct Incoming {
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    current: Bytes,
}

impl Incoming {
    /// Reads ahead of whoever reads, a little.
    pub(crate) fn of(mut body: Body) -> Self {
        let (sender, pieces) = mpsc::channel(AHEAD);
        tokio::spawn(async move {
            while let Some(next) = piece(&mut body).await {
                if sender.send(next.map_err(io::Error::other)).await.is_err() {
                    break;
                }
            }
        });
        Self { pieces, current: Bytes::new() }
    }
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.pieces.blocking_recv() {
                Some(next) => self.current = next?,
                None => return Ok(0),
            }
        }
        let count = buffer.len().min(self.current.len());
        let taken = self.current.split_to(count);
        if let Some(place) = buffer.get_mut(..count) {
            place.copy_from_slice(&taken);
        }
        Ok(count)
    }
}
