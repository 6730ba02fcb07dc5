//! Bodies that are made while they are sent: a stretch of a blob, or what a channel brings.
//!
//! A blob is read a chunk ahead of the connection, on a thread for blocking work that is held for that chunk alone: a
//! slow reader costs two chunks of memory and no thread. Chunks are read into memory that goes from hand to hand, so
//! that none is zeroed or mapped again.

use std::{
    collections::VecDeque,
    future::{Future, poll_fn},
    io, mem,
    ops::Range,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};
use tokio::{sync::mpsc, task::JoinHandle};

/// One read.
const CHUNK: usize = 512 << 10;
/// Chunks that wait to be used again, at most.
const KEPT: usize = 32;

/// Reads bytes at an offset until the buffer is full.
pub(crate) type ReadAt = Arc<dyn Fn(&mut [u8], u64) -> io::Result<()> + Send + Sync>;

/// A body of the bytes in `range`.
pub(crate) fn stretch(read: ReadAt, range: Range<u64>) -> Body {
    Body::new(Stretch {
        read,
        at: range.start,
        end: range.end.max(range.start),
        sent: range.start,
        ahead: None,
    })
}

struct Stretch {
    read: ReadAt,
    /// Where the next read begins.
    at: u64,
    end: u64,
    /// Where what was handed on ends.
    sent: u64,
    ahead: Option<JoinHandle<io::Result<Chunk>>>,
}

impl Stretch {
    /// Begins the next read, unless there is none.
    fn begin(&mut self) {
        let Ok(length) = usize::try_from((self.end - self.at).min(CHUNK as u64)) else { return };
        if length == 0 {
            return;
        }
        let (read, at) = (Arc::clone(&self.read), self.at);
        self.at += length as u64;
        self.ahead = Some(tokio::task::spawn_blocking(move || {
            let mut chunk = Chunk::take(length);
            read(chunk.filled_mut(), at)?;
            Ok(chunk)
        }));
    }
}

impl http_body::Body for Stretch {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.ahead.is_none() {
            self.begin();
        }
        let Some(ahead) = self.ahead.as_mut() else { return Poll::Ready(None) };
        let read = std::task::ready!(Pin::new(ahead).poll(context));
        self.ahead = None;
        let chunk = match read {
            Ok(Ok(chunk)) => chunk,
            Ok(Err(error)) => return Poll::Ready(Some(Err(error))),
            Err(error) => return Poll::Ready(Some(Err(io::Error::other(error)))),
        };
        self.sent += chunk.length as u64;
        self.begin();
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_owner(chunk)))))
    }

    fn is_end_stream(&self) -> bool {
        self.sent >= self.end
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.end - self.sent)
    }
}

static SPARE: Mutex<VecDeque<Vec<u8>>> = Mutex::new(VecDeque::new());

/// Memory for one read; given back when the last who holds it lets go.
struct Chunk {
    memory: Vec<u8>,
    length: usize,
}

impl Chunk {
    fn take(length: usize) -> Self {
        let spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let mut memory = spare.unwrap_or_default();
        if memory.len() < length {
            memory.resize(if length > CHUNK / 4 { CHUNK.max(length) } else { length }, 0);
        }
        Self { memory, length }
    }

    fn filled_mut(&mut self) -> &mut [u8] {
        let length = self.length.min(self.memory.len());
        &mut self.memory[..length]
    }
}

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        self.memory.get(..self.length).unwrap_or_default()
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        let memory = mem::take(&mut self.memory);
        let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.len() >= CHUNK && spare.len() < KEPT {
            spare.push_front(memory);
        }
    }
}

/// A body of what is sent into `receiver`, until every sender is gone.
pub(crate) fn channel(receiver: mpsc::Receiver<Bytes>) -> Body {
    Body::new(Channel(receiver))
}

struct Channel(mpsc::Receiver<Bytes>);

impl http_body::Body for Channel {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// The next bytes of a body.
pub(crate) async fn piece(body: &mut Body) -> Option<Result<Bytes, axum::Error>> {
    loop {
        let frame = poll_fn(|context| http_body::Body::poll_frame(Pin::new(&mut *body), context)).await?;
        match frame.map(Frame::into_data) {
            Ok(Ok(bytes)) => return Some(Ok(bytes)),
            // What follows a body is of no use.
            Ok(Err(_)) => {}
            Err(error) => return Some(Err(error)),
        }
    }
}
