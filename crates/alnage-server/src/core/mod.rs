//! What every surface stands on: the route table, the state, failures, limits, connections.

pub(crate) mod audit;
pub(crate) mod bytes;
pub(crate) mod extract;
pub(crate) mod failure;
pub(crate) mod layers;
pub(crate) mod listen;
pub(crate) mod metrics;
pub(crate) mod probes;
pub(crate) mod routes;
pub(crate) mod state;
#[cfg(test)]
mod tests;
mod unwound;

pub(crate) use extract::{Json, Query};
pub(crate) use failure::{Answered, Failure};
pub(crate) use routes::{Access, Door, On, Route};
pub(crate) use state::State;

/// Runs what blocks, a query or a read, where it holds nobody up.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Answered<T> + Send + 'static,
) -> Answered<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(_) => Err(Failure::internal("the work panicked")),
    }
}
