//! Does the work that waits in the records. Any number of these may run, in any number of processes.

mod evidence;
mod housekeeping;
mod notify;
mod scan;

#[cfg(test)]
mod kill_tests;
#[cfg(test)]
mod tests;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

pub use notify::{Webhook, sign};
pub use scan::rules_digest;

use crate::{
    Error, Registry, Result,
    jobs::{ATTEMPTS, Job},
};

/// For how long a job is one's own without a sign of life.
const LEASE: u64 = 60;
/// How often a sign of life is given.
const ALIVE: Duration = Duration::from_secs(15);
/// How often a worker without work looks for what other processes ask for.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often is looked for what has run out.
const HOUSEKEEPING: Duration = Duration::from_secs(30);

/// The kinds of work there are.
pub const KINDS: [&str; 4] = ["pull", "scan", "notify", crate::sweep::JOB];

/// Takes jobs of these kinds and does them until `stop` says so. What is under way then is ended first.
pub fn run(registry: &Registry, kinds: &[&str], stop: &AtomicBool) {
    let worker = format!("{}-{}", std::process::id(), registry.ordered_id());
    let mut looked: Option<Instant> = None;
    while !stop.load(Ordering::Relaxed) {
        let rung = registry.bell().count();
        if kinds.contains(&"scan") && looked.is_none_or(|looked| looked.elapsed() > HOUSEKEEPING) {
            looked = Some(Instant::now());
            // What fails here is tried again soon, and work comes first.
            let _ = housekeeping::run(registry);
        }
        match registry.lease(kinds, &worker, LEASE) {
            Ok(Some(job)) => work(registry, &job),
            Ok(None) => registry.bell().wait(rung, PATIENCE),
            // The database is away: it is asked again, not all the time.
            Err(_) => registry.bell().wait(rung, PATIENCE * 4),
        }
    }
}

/// Does one job if one waits; gives whether there was one. For tests and tools that do not want a loop.
pub fn run_one(registry: &Registry, kinds: &[&str]) -> Result<bool> {
    let worker = format!("{}-{}", std::process::id(), registry.ordered_id());
    match registry.lease(kinds, &worker, LEASE)? {
        Some(job) => {
            work(registry, &job);
            Ok(true)
        }
        None => Ok(false),
    }
}

fn work(registry: &Registry, job: &Job) {
    let pulse = Pulse { registry, job, last: Mutex::new(Instant::now()), lost: AtomicBool::new(false) };
    let over = AtomicBool::new(false);
    let outcome = std::thread::scope(|scope| {
        let heart = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                std::thread::park_timeout(ALIVE);
                let _ = pulse.beat();
            }
        });
        // One hostile model must not take the worker with it.
        let outcome = catch_unwind(AssertUnwindSafe(|| perform(registry, job, &pulse)));
        over.store(true, Ordering::Relaxed);
        heart.thread().unpark();
        outcome
    });
    let outcome = outcome.unwrap_or_else(|_| Err(Error::internal("the work ended in a panic")));
    conclude(registry, job, outcome);
    registry.bell().ring();
}

/// Says that a job is being done, and hears that it is not ours any more.
struct Pulse<'a> {
    registry: &'a Registry,
    job: &'a Job,
    last: Mutex<Instant>,
    lost: AtomicBool,
}

impl Pulse<'_> {
    fn beat(&self) -> Result<()> {
        if self.lost.load(Ordering::Relaxed) {
            return Err(Error::Conflict("the job is somebody else's by now".into()));
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() < ALIVE / 2 {
            return Ok(());
        }
        *last = Instant::now();
        drop(last);
        let beaten = self.registry.heartbeat(self.job, LEASE);
        if matches!(beaten, Err(Error::Conflict(_))) {
            self.lost.store(true, Ordering::Relaxed);
        }
        beaten
    }
}

fn perform(registry: &Registry, job: &Job, pulse: &Pulse<'_>) -> Result<()> {
    match job.kind.as_str() {
        crate::pull::JOB => crate::pull::run(registry, &job.payload, job.attempts, &|| pulse.beat()),
        "scan" => scan::run(registry, &job.payload, &|| pulse.beat()),
        "notify" => notify::run(registry, &job.payload),
        crate::sweep::JOB => crate::sweep::run(registry, &|| pulse.beat()),
        kind => Err(Error::Invalid(format!("`{kind:.40}` is no kind of work"))),
    }
}

/// Writes down how a job ended. What cannot be written is found by the next worker once the lease has run out.
fn conclude(registry: &Registry, job: &Job, outcome: Result<()>) {
    let _ = match outcome {
        Ok(()) | Err(Error::NotFound(_)) => registry.done(job),
        Err(error) => {
            let passing = matches!(error, Error::Unavailable(_) | Error::Internal(_) | Error::Conflict(_));
            let retry = (passing && job.attempts < ATTEMPTS).then(|| 1_u64 << job.attempts.min(8));
            let message = error.to_string();
            if retry.is_none() && job.kind == "scan" {
                let _ = scan::give_up(registry, &job.payload, &message);
            }
            registry.failed(job, &message, retry)
        }
    };
}
