//! Who does what: opens that wait to be judged, a bounded number of them, each file with one thread at a time, and whose
//! turn it is to read what the kernel asks.

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

/// What a thread is to do.
#[derive(Debug)]
pub(super) enum Turn<T> {
    /// Read what the kernel asks, alone.
    Read,
    /// Answer this.
    Judge(Job<T>),
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
    /// Threads that wait for something to do.
    idle: usize,
    /// Whether somebody reads.
    read: bool,
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
            idle: 0,
            read: false,
            closed: false,
        };
        Self { state: Mutex::new(state), changed: Condvar::new(), most }
    }

    /// Takes `item` in, or gives it back when there are too many. Nobody is woken before [`Queue::share`].
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
        Ok(())
    }

    /// For who reads: wakes those who have something to do now. When somebody else is there to go on reading, the reader
    /// is given an open to judge, and its turn to read is over: who waits for the answer then waits for one thread to
    /// wake, not for two.
    pub(super) fn share(&self) -> Option<Job<T>> {
        let mut state = self.state();
        let woken = state.ready.len().min(state.idle);
        let job = if state.idle > 0 { state.ready.pop_front() } else { None };
        if job.is_some() {
            state.working += 1;
            state.read = false;
        }
        drop(state);
        (0..woken).for_each(|_| self.changed.notify_one());
        job
    }

    /// What to do next; waits for something. `None` when there will be nothing.
    pub(super) fn take(&self) -> Option<Turn<T>> {
        let mut state = self.state();
        loop {
            if !state.read {
                state.read = true;
                return Some(Turn::Read);
            }
            if let Some(job) = state.ready.pop_front() {
                state.working += 1;
                return Some(Turn::Judge(job));
            }
            if state.closed {
                return None;
            }
            state.idle += 1;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
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
        assert!(matches!(queue.take(), Some(Turn::Read)), "somebody reads first of all");
        let taken = items.iter().map(|&item| queue.push(item, Instant::now()).is_ok()).collect();
        (queue, taken)
    }

    fn judged(queue: &Queue<&'static str>) -> Option<Job<&'static str>> {
        match queue.take() {
            Some(Turn::Judge(job)) => Some(job),
            _ => None,
        }
    }

    #[test]
    fn the_reader_judges_when_another_can_read() {
        let (queue, _) = queue(9, &["a"]);
        assert!(queue.share().is_none(), "nobody else is there");
        let queue = Arc::new(queue);
        let idle = Arc::clone(&queue);
        let waiting = std::thread::spawn(move || {
            let first = judged(&idle).map(|job| (*job.item, idle.done(job.number, None)).0);
            (first, matches!(idle.take(), Some(Turn::Read)))
        });
        while queue.state().idle == 0 {
            std::thread::yield_now();
        }
        assert!(queue.push("b", Instant::now()).is_ok());
        assert_eq!(queue.share().map(|job| *job.item), Some("b"));
        assert_eq!(waiting.join().unwrap(), (Some("a"), true));
    }

    #[test]
    fn it_holds_so_many_and_no_more() {
        let (queue, taken) = queue(2, &["a", "b", "c"]);
        assert_eq!((taken, queue.len()), (vec![true, true, false], 2));
        let job = judged(&queue).unwrap();
        assert!(queue.push("d", Instant::now()).is_err(), "what a worker is at counts");
        queue.done(job.number, None);
        assert!(queue.push("d", Instant::now()).is_ok());
    }

    #[test]
    fn a_file_has_one_worker_and_the_others_come_next() {
        let (queue, _) = queue(9, &["a", "a again", "b"]);
        let first = judged(&queue).and_then(|job| queue.claim((1, 1), job)).unwrap();
        assert!(judged(&queue).and_then(|job| queue.claim((1, 1), job)).is_none());
        queue.done(first.number, Some((1, 1)));
        assert_eq!(*judged(&queue).unwrap().item, "a again");
        assert_eq!(*judged(&queue).unwrap().item, "b");
    }

    #[test]
    fn who_waits_too_long_is_told_once() {
        let (queue, _) = queue(9, &["a"]);
        assert!(queue.overdue(Duration::from_secs(60)).is_empty());
        assert_eq!(queue.overdue(Duration::ZERO).len(), 1);
        assert!(queue.overdue(Duration::ZERO).is_empty());
        assert_eq!(judged(&queue).map(|job| *job.item), Some("a"), "and is judged all the same");
    }

    #[test]
    fn closing_gives_back_what_is_not_answered() {
        let (queue, _) = queue(9, &["a", "b"]);
        let _at_it = judged(&queue);
        assert_eq!(queue.close().len(), 2);
        assert!(queue.take().is_none() && queue.push("c", Instant::now()).is_err());
    }
}
