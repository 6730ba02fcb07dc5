//! What every surface stands on: the route table, the state, failures, limits, connections.

pub(crate) mod access;
pub(crate) mod audit;
pub(crate) mod bytes;
pub(crate) mod extract;
pub(crate) mod failure;
pub(crate) mod handler;
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

use std::{
    any::Any,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::task::JoinHandle;

pub(crate) use access::{Access, Ask, Needs, On};
pub(crate) use extract::{Form, Json, Last, Path, Query};
pub(crate) use failure::{Answered, Failure};
pub(crate) use routes::{Door, Route};
pub(crate) use state::State;

/// Runs what blocks, a query or a read, where it holds nobody up.
pub(crate) fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Answered<T> + Send + 'static,
) -> Blocking<T> {
    // One type of task and of future for all work: a type for each costs ten kilobytes of code.
    let work = move || work().map(|answer| Box::new(answer) as Box<dyn Any + Send>);
    Blocking { task: tokio::task::spawn_blocking(Box::new(work)), answer: PhantomData }
}

type Task = JoinHandle<Answered<Box<dyn Any + Send>>>;

/// The answer to come from [`blocking`].
pub(crate) struct Blocking<T> {
    task: Task,
    answer: PhantomData<fn() -> T>,
}

impl<T: 'static> Future for Blocking<T> {
    type Output = Answered<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answered<T>> {
        let answer = ready!(done(&mut self.task, context));
        Poll::Ready(answer.and_then(|answer| match answer.downcast() {
            Ok(answer) => Ok(*answer),
            Err(_) => Err(Failure::internal("the work gave something else")),
        }))
    }
}

fn done(task: &mut Task, context: &mut Context<'_>) -> Poll<Answered<Box<dyn Any + Send>>> {
    let answer = ready!(Pin::new(task).poll(context));
    Poll::Ready(answer.unwrap_or_else(|_| Err(Failure::internal("the work panicked"))))
}
