//! Open connections that wait for work.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::{Error, Result};

/// How long somebody waits for a connection before being told that the database is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// Some number of connections, opened when they are first needed.
pub(super) struct Pool<C> {
    state: Mutex<State<C>>,
    returned: Condvar,
    most: usize,
}

struct State<C> {
    idle: Vec<(C, Instant)>,
    open: usize,
}

impl<C> Pool<C> {
    pub(super) fn new(most: usize) -> Self {
        Self { state: Mutex::new(State { idle: Vec::new(), open: 0 }), returned: Condvar::new(), most }
    }

    /// Lends a connection to `work`, which says whether it may be used again. A panic in it closes the connection.
    pub(super) fn with(
        &self,
        connect: &dyn Fn() -> Result<C>,
        healthy: &dyn Fn(&mut C, Duration) -> bool,
        work: &mut dyn FnMut(&mut C) -> Reuse,
    ) -> Result<()> {
        let mut place = self.take()?;
        let kept = place.connection.take();
        let kept = kept.and_then(|(mut kept, since)| healthy(&mut kept, since.elapsed()).then_some(kept));
        let mut connection = match kept {
            Some(kept) => kept,
            None => connect()?,
        };
        if matches!(work(&mut connection), Reuse::Yes) {
            place.connection = Some((connection, Instant::now()));
        }
        Ok(())
    }

    fn take(&self) -> Result<Place<'_, C>> {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.lock();
        loop {
            if let Some(connection) = state.idle.pop() {
                return Ok(Place { pool: self, connection: Some(connection) });
            }
            if state.open < self.most {
                state.open += 1;
                return Ok(Place { pool: self, connection: None });
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::Unavailable("the database is busy".into()));
            }
            state = self.returned.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<C>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a connection goes back into the pool.
pub(super) enum Reuse {
    Yes,
    No,
}

/// One of the places of the pool; given back when dropped, with its connection if it still has one.
struct Place<'p, C> {
    pool: &'p Pool<C>,
    connection: Option<(C, Instant)>,
}

impl<C> Drop for Place<'_, C> {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        match self.connection.take() {
            Some(connection) => state.idle.push(connection),
            None => state.open = state.open.saturating_sub(1),
        }
        drop(state);
        self.pool.returned.notify_one();
    }
}
