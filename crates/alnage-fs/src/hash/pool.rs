//! What is to be hashed and what nobody works on at the moment; threads share it so that none runs dry.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use alnage_hash::Engine;

use super::{Extent, worker::Stream};

/// Streams a thread takes at most at a time, however short they are.
const MOST: usize = 256;

/// The work of all threads.
pub(super) struct Pool<'a> {
    pub(super) extents: &'a [Extent<'a>],
    /// What hashes several streams together; `None` when each is hashed alone.
    share: Option<Engine>,
    state: Mutex<State>,
    /// Something was put back, or all is done.
    news: Condvar,
}

struct State {
    /// Not begun yet, the shortest last.
    waiting: std::vec::IntoIter<usize>,
    /// Begun, and put back for another thread.
    parked: Vec<Stream>,
    /// How many streams threads hold.
    held: usize,
    threads: usize,
}

impl<'a> Pool<'a> {
    /// A pool of `extents`, to be begun in the given order, for threads that hash with `share`.
    pub(super) fn new(extents: &'a [Extent<'a>], order: Vec<usize>, share: Option<Engine>) -> Self {
        let state = State { waiting: order.into_iter(), parked: Vec::new(), held: 0, threads: 0 };
        Self { extents, share, state: Mutex::new(state), news: Condvar::new() }
    }

    /// Counts the calling thread among those that share the work.
    pub(super) fn join(&self) {
        self.lock().threads += 1;
    }

    /// Fills `own`, what the thread holds, so that a turn of it is about `turn` bytes in parts of at most `part`, and
    /// takes from it what is more than its share; `ended` of its streams have ended since. Waits while others have
    /// all the work; says whether there is any.
    pub(super) fn refill(&self, own: &mut Vec<Stream>, ended: usize, turn: u64, part: u64) -> bool {
        let mut state = self.lock();
        state.held = state.held.saturating_sub(ended);
        loop {
            let total = state.held + state.parked.len() + state.waiting.len();
            let share = self
                .share
                .map_or(total.div_ceil(state.threads.max(1)), |engine| engine.share(total, state.threads));
            while own.len() > share
                && let Some(stream) = own.pop()
            {
                state.parked.push(stream);
                state.held = state.held.saturating_sub(1);
                self.news.notify_one();
            }
            // The last ones are all taken at once, and take turns: else fewer than there are lanes were left over.
            let last = self.share.is_some_and(|engine| share < 2 * engine.streams());
            let mut bytes: u64 = own.iter().map(|stream| stream.left().min(part)).sum();
            while own.len() < share.min(MOST) && (bytes < turn || last) {
                let next = state.parked.pop().or_else(|| {
                    let index = state.waiting.next()?;
                    Some(Stream::new(index, self.extents.get(index)?.size()))
                });
                let Some(stream) = next else { break };
                // A file without content takes a place, too.
                bytes += stream.left().clamp(1, part);
                state.held += 1;
                own.push(stream);
            }
            if !own.is_empty() {
                return true;
            }
            if state.held == 0 && state.parked.is_empty() && state.waiting.len() == 0 {
                self.news.notify_all();
                return false;
            }
            state = self.news.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A thread that panicked leaves the numbers as they were between two steps, which are all in one place.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
