//! Opens that wait for a worker: a bounded number of them, and each file with one worker at a time.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// File system and number of a file.
pub(super) type Key = (u64, u64);

/// Opens, by `T`, that are not answered yet.
#[derive(Debug)]
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    most: usize,
}

/// An open that a worker has to answer.
#[derive(Debug)]
pub(super) struct Job<T> {
    /// Names it.
    pub(super) number: u64,
    /// Since when it waits.
    pub(super) since: Instant,
    /// The open.
    pub(super) item: Arc<T>,
}

#[derive(Debug)]
struct State<T> {
    next: u64,
    /// All that are not answered, the oldest first.
    open: BTreeMap<u64, (Instant, Arc<T>)>,
    ready: VecDeque<Job<T>>,
    /// Files that a worker is at, and who waits for what it finds.
    busy: HashMap<Key, Vec<Job<T>>>,
    /// Workers that are at something.
    working: usize,
    closed: bool,
}

impl<T> Queue<T> {
    /// A queue for at most `most` opens.
    pub(super) fn new(most: usize) -> Self {
        let state = State {
            next: 0,
            open: BTreeMap::new(),
            ready: VecDeque::new(),
            busy: HashMap::new(),
            working: 0,
            closed: false,
        };
        Self { state: Mutex::new(state), changed: Condvar::new(), most }
    }

    /// Takes `item` in, or gives it back when there are too many.
    pub(super) fn push(&self, item: T, since: Instant) -> Result<(), T> {
        let mut state = self.state();
        // Those whose time is over are answered, and their workers are still at them.
        if state.open.len().max(state.ready.len() + state.working) >= self.most || state.closed {
            return Err(item);
        }
        let (number, item) = (state.next, Arc::new(item));
        state.next = state.next.wrapping_add(1);
        state.open.insert(number, (since, Arc::clone(&item)));
        state.ready.push_back(Job { number, since, item });
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// The next open; waits for one. `None` when there will be none.
    pub(super) fn take(&self) -> Option<Job<T>> {
        let mut state = self.state();
        loop {
            if let Some(job) = state.ready.pop_front() {
                state.working += 1;
                return Some(job);
            }
            if state.closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Gives `job` back when it may go on; else another worker is at its file, and it will come again.
    pub(super) fn claim(&self, key: Key, job: Job<T>) -> Option<Job<T>> {
        let mut state = self.state();
        if let Some(parked) = state.busy.get_mut(&key) {
            parked.push(job);
            state.working -= 1;
            return None;
        }
        state.busy.insert(key, Vec::new());
        Some(job)
    }

    /// The worker has done with the job and, when it claimed it, with its file.
    pub(super) fn done(&self, number: u64, key: Option<Key>) {
        let mut state = self.state();
        state.open.remove(&number);
        state.working -= 1;
        let parked = key.and_then(|key| state.busy.remove(&key)).unwrap_or_default();
        let come = parked.len();
        for job in parked.into_iter().rev() {
            state.ready.push_front(job);
        }
        drop(state);
        // No more than there is work for: on a small host, workers woken for nothing are in the way of who was answered.
        (0..come).for_each(|_| self.changed.notify_one());
    }

    /// Takes out those that waited longer than `limit`: they are to be answered now, and their workers go on.
    pub(super) fn overdue(&self, limit: Duration) -> Vec<Arc<T>> {
        let mut state = self.state();
        let mut overdue = Vec::new();
        while let Some(oldest) = state.open.first_entry().filter(|oldest| oldest.get().0.elapsed() >= limit) {
            overdue.push(oldest.remove().1);
        }
        overdue
    }

    /// How many are not answered.
    pub(super) fn len(&self) -> usize {
        self.state().open.len()
    }

    /// Takes nothing in any more, and gives what no worker has begun.
    pub(super) fn close(&self) -> Vec<Arc<T>> {
        let mut state = self.state();
        state.closed = true;
        let open = std::mem::take(&mut state.open);
        state.ready.clear();
        drop(state);
        self.changed.notify_all();
        open.into_values().map(|(_, item)| item).collect()
    }

    /// A thread that panicked left nothing half done behind this lock.
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(most: usize, items: &[&'static str]) -> (Queue<&'static str>, Vec<bool>) {
        let queue = Queue::new(most);
        let taken = items.iter().map(|&item| queue.push(item, Instant::now()).is_ok()).collect();
        (queue, taken)
    }

    #[test]
    fn it_holds_so_many_and_no_more() {
        let (queue, taken) = queue(2, &["a", "b", "c"]);
        assert_eq!((taken, queue.len()), (vec![true, true, false], 2));
        let job = queue.take().unwrap();
        assert!(queue.push("d", Instant::now()).is_err(), "what a worker is at counts");
        queue.done(job.number, None);
        assert!(queue.push("d", Instant::now()).is_ok());
    }

    #[test]
    fn a_file_has_one_worker_and_the_others_come_next() {
        let (queue, _) = queue(9, &["a", "a again", "b"]);
        let first = queue.take().and_then(|job| queue.claim((1, 1), job)).unwrap();
        assert!(queue.take().and_then(|job| queue.claim((1, 1), job)).is_none());
        queue.done(first.number, Some((1, 1)));
        assert_eq!(*queue.take().unwrap().item, "a again");
        assert_eq!(*queue.take().unwrap().item, "b");
    }

    #[test]
    fn who_waits_too_long_is_told_once() {
        let (queue, _) = queue(9, &["a"]);
        assert!(queue.overdue(Duration::from_secs(60)).is_empty());
        assert_eq!(queue.overdue(Duration::ZERO).len(), 1);
        assert!(queue.overdue(Duration::ZERO).is_empty());
        assert_eq!(queue.take().map(|job| *job.item), Some("a"), "and is judged all the same");
    }

    #[test]
    fn closing_gives_back_what_is_not_answered() {
        let (queue, _) = queue(9, &["a", "b"]);
        let _at_it = queue.take();
        assert_eq!(queue.close().len(), 2);
        assert!(queue.take().is_none() && queue.push("c", Instant::now()).is_err());
    }
}
