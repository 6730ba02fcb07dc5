//! What every surface stands on: the route table, the state, failures, limits, connections.

pub(crate) mod access;
pub(crate) mod audit;
pub(crate) mod bytes;
pub(crate) mod extract;
pub(crate) mod failure;
pub(crate) mod layers;
mod linger;
pub(crate) mod listen;
pub(crate) mod metrics;
pub(crate) mod probes;
pub(crate) mod routes;
pub(crate) mod state;
#[cfg(test)]
mod tests;
mod unwound;

use std::sync::{Arc, Mutex, PoisonError};

pub(crate) use access::{Access, Ask, Needs, On};
pub(crate) use extract::{Bytes, Form, Json, Path, Query};
pub(crate) use failure::{Answered, Failure};
pub(crate) use routes::{Door, Route};
pub(crate) use state::State;

/// Runs what blocks, a query or a read, where it holds nobody up.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Answered<T> + Send + 'static,
) -> Answered<T> {
    let done = Arc::new(Mutex::new(None));
    let place = Arc::clone(&done);
    // Tasks of one type for all work: a type for each costs ten kilobytes of code.
    spawned(Box::new(move || {
        let answer = work();
        *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
    }))
    .await;
    let answer = done.lock().unwrap_or_else(PoisonError::into_inner).take();
    answer.unwrap_or_else(|| Err(Failure::internal("the work panicked")))
}

async fn spawned(work: Box<dyn FnOnce() + Send>) {
    // Whoever panicked left no answer.
    let _ = tokio::task::spawn_blocking(work).await;
}
