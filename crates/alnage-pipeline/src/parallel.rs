//! The same work over many items on several threads, results in the order of the items.

use std::{
    panic::{self, AssertUnwindSafe},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// Deep value graphs are walked without recursion; what is left (dropping nested values) gets room.
const STACK: usize = 8 << 20;

/// `work(0)`, `work(1)`, … on at most `jobs` threads.
pub(crate) fn map<R: Send>(jobs: usize, count: usize, work: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let run = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return done;
            }
            done.push((index, work(index)));
        }
    };
    let mut results: Vec<(usize, R)> = thread::scope(|scope| {
        let threads: Vec<_> = (1..jobs.min(count))
            .map_while(|_| thread::Builder::new().stack_size(STACK).spawn_scoped(scope, run).ok())
            .collect();
        let mut results = run();
        for thread in threads {
            match thread.join() {
                Ok(done) => results.extend(done),
                Err(payload) => panic::resume_unwind(payload),
            }
        }
        results
    });
    results.sort_unstable_by_key(|&(index, _)| index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// The result of `work`, or what its panic said: a defect in one parser must not take other files' verdicts away.
pub(crate) fn guarded<R>(work: impl FnOnce() -> R) -> Result<R, String> {
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let said = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        said.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_the_order_of_the_items() {
        for jobs in [0, 1, 2, 7] {
            assert_eq!(
                map(jobs, 100, |index| index * 2),
                (0..100).map(|index| index * 2).collect::<Vec<_>>()
            );
        }
        assert_eq!(map(4, 0, |index| index), Vec::<usize>::new());
    }

    #[test]
    fn a_panic_is_caught() {
        assert_eq!(guarded(|| 1), Ok(1));
        let silent = panic::take_hook();
        panic::set_hook(Box::new(|_| {}));
        let caught = guarded(|| -> u8 { panic!("at {}", 1) });
        panic::set_hook(silent);
        assert_eq!(caught, Err("at 1".to_owned()));
    }
}
