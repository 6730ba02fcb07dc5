//! What a handler leaves of a body is read and dropped, so that whoever sends it gets to read the answer.
//!
//! A connection that is closed while the other end still sends is reset, and the answer is lost with it; one that is closed
//! though it looks open fails the next request of that client.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::header,
};
use http_body::{Body as _, Frame, SizeHint};
use tokio::sync::oneshot;

/// The largest body that clients send in one piece, and what may stand around it.
const MOST: u64 = 80 << 20;
/// How long an answer waits at most.
const LONGEST: Duration = Duration::from_secs(20);

/// A body that comes back when nobody wants more of it.
struct Lent {
    body: Option<Body>,
    ended: bool,
    /// Whether the other end sends it only when it is asked for, and was not.
    unasked: bool,
    back: Option<oneshot::Sender<Option<Body>>>,
}

/// The rest of a body that was lent.
pub(super) struct Rest(oneshot::Receiver<Option<Body>>);

/// Lends the body of a request to its handler; `None` when there is none.
pub(super) fn lend(request: &mut Request) -> Option<Rest> {
    if request.body().is_end_stream() {
        return None;
    }
    let unasked = request.headers().contains_key(header::EXPECT);
    let (back, rest) = oneshot::channel();
    let body = Some(std::mem::take(request.body_mut()));
    *request.body_mut() = Body::new(Lent { body, ended: false, unasked, back: Some(back) });
    Some(Rest(rest))
}

impl Rest {
    /// Reads what the handler left, and drops it. `false` says that it is not all read: the connection is of no more use.
    pub(super) async fn drop_all(self) -> bool {
        let all = async {
            // Whoever read everything gives nothing back.
            let Ok(rest) = self.0.await else { return true };
            let Some(mut body) = rest else { return false };
            let mut read = 0_u64;
            while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
                // Nobody is there any more.
                let Ok(frame) = frame else { return false };
                read = read.saturating_add(frame.data_ref().map_or(0, |data| data.len() as u64));
                if read.saturating_add(body.size_hint().lower()) > MOST {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(LONGEST, all).await.unwrap_or(false)
    }
}

impl http_body::Body for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.unasked = false;
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(context);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.ended = true;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(http_body::Body::size_hint).unwrap_or_default()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (false, Some(body), Some(back)) = (self.ended, self.body.take(), self.back.take())
            && !body.is_end_stream()
        {
            // Nobody waits for it when the server ends.
            let _ = back.send((!self.unasked).then_some(body));
        }
    }
}
