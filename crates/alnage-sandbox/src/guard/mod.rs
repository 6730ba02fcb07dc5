//! The guard of a host: whoever opens a file on a guarded file system waits until the file was judged.
//!
//! One thread at a time reads what the kernel asks. While it does it opens nothing, writes nothing and waits for nobody,
//! so that the guard's own opens, which it lets through, and those whose time is over are answered whatever the others are
//! at. Those judge; a file is with one of them at a time. When another has nothing to do, the reader leaves the reading to
//! it and judges itself what it has read. The main thread takes signals: an end, a reload, a writer at a file that is held.

mod group;
mod judge;
mod metrics;
mod place;
mod queue;
mod start;
mod systemd;

use std::{
    io,
    net::TcpListener,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::json;

use group::{Group, Waiting, is_own};
use judge::Judge;
pub use metrics::Report;
use metrics::{Now, add};
use queue::{Job, Queue, Turn};

use crate::{
    Audit, Error,
    admission::Gate,
    audit::say,
    hold::Broken,
    raw::{next_signal_within, send_signal},
};

/// What is guarded, and how.
pub struct Guarding {
    /// Makes the gate that judges, at the start and whenever trust is read again.
    pub gate: Box<dyn Fn() -> Result<Gate, String>>,
    /// Where decisions go.
    pub audit: Audit,
    /// Where files are judged.
    pub places: Vec<Guarded>,
    /// What is answered when there is no time to judge.
    pub overload: Overload,
    /// So many opens wait at most.
    pub queue: usize,
    /// So many are judged at a time.
    pub workers: usize,
    /// After this time an open is answered without the judgement.
    pub limit: Duration,
    /// Whether reads, writes and maps of open files are judged, too.
    pub accesses: bool,
    /// What becomes of programs whose model is written to.
    pub on_change: OnChange,
    /// Where the figures go.
    pub report: Option<Report>,
    /// A guard that runs and is to be followed.
    pub predecessor: Option<u32>,
}

/// A place whose files are judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guarded {
    /// The whole file system that this lies on.
    FileSystem(PathBuf),
    /// What lies below this directory.
    Folder(PathBuf),
}

/// What is answered when there is no time to judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overload {
    /// The file is not opened.
    Deny,
    /// It is.
    Allow,
}

/// What becomes of programs that have a verified file open which somebody is about to write to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnChange {
    /// They are stopped before the first byte changes.
    Stop,
    /// It is told.
    Tell,
}

/// Everything that the threads share.
struct Guard {
    group: Group,
    judge: Judge,
    queue: Queue<Waiting>,
    limit: Duration,
    /// Whether what nobody looked at is let through.
    admits_unseen: bool,
    on_change: OnChange,
    report: Option<Report>,
    ending: AtomicBool,
    ended: AtomicBool,
    /// How often the reader came round.
    rounds: AtomicU64,
}

/// How long a guard that ends judges on.
const LAST_WORK: Duration = Duration::from_secs(5);
/// How often trust is read again by itself: seals grow old and revocations come.
const RELOAD: Duration = Duration::from_secs(300);

/// Guards until somebody ends it.
pub fn guard(guarding: Guarding) -> Result<(), Error> {
    let (guard, make_gate, workers) = start::start(guarding)?;
    if let Some(Report::Address(address)) = guard.report {
        let listener = TcpListener::bind(address).map_err(Error::at(format!("`{address}`")))?;
        let serving = Arc::clone(&guard);
        spawn(move || metrics::serve(&listener, || serving.figures()))?;
    }
    // One of them reads.
    for _ in 0..=workers {
        let working = Arc::clone(&guard);
        spawn(move || working.work())?;
    }
    guard.write_figures();
    systemd::tell("READY=1");
    guard.watch(&*make_gate);
    guard.end();
    Ok(())
}

fn spawn(work: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    thread::Builder::new().spawn(work).map(|_| ()).map_err(Error::at("a thread"))
}

impl Guard {
    /// Whoever reads, until there is something else for it to do; `None` at the end.
    fn read(&self, buffer: &mut [u8]) -> Option<Job<Waiting>> {
        const ROUND: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
        while !(self.ending.load(Ordering::SeqCst) && self.queue.len() == 0) {
            self.rounds.fetch_add(1, Ordering::Relaxed);
            for late in self.queue.overdue(self.limit) {
                if self.group.answer(&late, self.admits_unseen) {
                    add(&self.judge.metrics.late);
                }
            }
            let mut polled = [PollFd::new(&self.group, PollFlags::IN)];
            // An interrupted wait is a short one.
            let _ = poll(&mut polled, Some(&ROUND));
            match self.group.read(buffer) {
                Ok(events) => events.into_iter().for_each(|waiting| self.take_in(waiting)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // Without descriptors the kernel refuses who waits; some will be free again.
                Err(_) => thread::sleep(Duration::from_millis(1)),
            }
            if let Some(job) = self.queue.share() {
                return Some(job);
            }
        }
        self.ended.store(true, Ordering::SeqCst);
        None
    }

    fn take_in(&self, waiting: Waiting) {
        if is_own(waiting.thread) {
            add(&self.judge.metrics.own);
            self.group.answer(&waiting, true);
            return;
        }
        let since = waiting.since;
        if let Err(waiting) = self.queue.push(waiting, since) {
            add(&self.judge.metrics.crowded);
            self.group.answer(&waiting, self.admits_unseen);
        }
    }

    /// A thread of the guard.
    fn work(&self) {
        let mut buffer = vec![0; 24 * 256];
        while let Some(turn) = self.queue.take() {
            let job = match turn {
                Turn::Judge(job) => Some(job),
                Turn::Read => self.read(&mut buffer),
            };
            let Some(job) = job else { return };
            let (number, since) = (job.number, job.since);
            let stat = rustix::fs::fstat(&job.item.file);
            let regular = stat.is_ok_and(|stat| stat.st_mode & libc::S_IFMT == libc::S_IFREG);
            let Ok(stat) = stat.map_err(|_| ()).and_then(|stat| if regular { Ok(stat) } else { Err(()) })
            else {
                self.group.answer(&job.item, true);
                self.queue.done(number, None);
                continue;
            };
            let key = (stat.st_dev, stat.st_ino);
            let Some(job) = self.queue.claim(key, job) else { continue };
            // A panic in a parser of a hostile file is a file that was not understood, and not opened.
            let decided = catch_unwind(AssertUnwindSafe(|| self.judge.decide(&job.item)));
            let admit = decided.unwrap_or(self.judge.only_looks());
            if self.group.answer(&job.item, admit) {
                self.judge.metrics.took(since.elapsed());
            }
            self.queue.done(number, Some(key));
        }
    }

    /// The main thread, until somebody ends the guard.
    fn watch(&self, make_gate: &dyn Fn() -> Result<Gate, String>) {
        let (mut reloaded, mut tidied, mut reported, mut unseen) = (Instant::now(), Instant::now(), None, 0);
        let mut rounds = 0;
        loop {
            match next_signal_within(1).map(|signal| signal.number) {
                Some(libc::SIGTERM | libc::SIGINT | libc::SIGQUIT) => return,
                Some(libc::SIGHUP) => {
                    if let Err(error) = self.judge.audit.reopen() {
                        say(error);
                    }
                    self.reload(make_gate);
                    reloaded = Instant::now();
                }
                _ => {}
            }
            self.writers(self.judge.holds.broken());
            if reloaded.elapsed() >= RELOAD {
                self.reload(make_gate);
                reloaded = Instant::now();
            }
            if tidied.elapsed() >= Duration::from_secs(10) {
                self.judge.holds.let_go_of_unused();
                let now = self.judge.metrics.unseen();
                if now > unseen {
                    let what = if self.admits_unseen { "admitted" } else { "refused" };
                    say(format_args!(
                        "{} opens were {what} unseen: too many at a time, or too long",
                        now - unseen
                    ));
                    self.judge
                        .audit
                        .event("overload", vec![("opens", json!(now - unseen)), ("answer", json!(what))]);
                    unseen = now;
                }
                tidied = Instant::now();
            }
            if reported.is_none_or(|reported: Instant| reported.elapsed() >= Duration::from_secs(15)) {
                self.write_figures();
                reported = Some(Instant::now());
            }
            let now = self.rounds.load(Ordering::Relaxed);
            if systemd::is_watched() && now != rounds {
                systemd::tell("WATCHDOG=1");
            }
            rounds = now;
        }
    }

    fn reload(&self, make_gate: &dyn Fn() -> Result<Gate, String>) {
        self.judge.gate().keep();
        match make_gate() {
            Ok(gate) => {
                self.judge.set_gate(gate);
                add(&self.judge.metrics.reloaded);
            }
            Err(error) => {
                say(format_args!("trust stays as it was: {error}"));
                self.judge.audit.event("not-reloaded", vec![("reason", json!(error))]);
                add(&self.judge.metrics.not_reloaded);
            }
        }
    }

    /// Somebody wrote, or waits to write, to verified files. Who waits goes on when `broken` is gone.
    fn writers(&self, broken: Vec<Broken>) {
        for held in &broken {
            let stamp = held.file.stamp();
            let mut users = place::holders(stamp.device, stamp.inode);
            if users.is_empty() {
                continue;
            }
            add(&self.judge.metrics.changed);
            self.judge.audit.changed(&held.place);
            if self.on_change == OnChange::Tell || self.judge.only_looks() {
                continue;
            }
            say(format_args!("{users:?} are stopped: what they have open is no longer what was signed"));
            users.iter().for_each(|&process| send_signal(process, libc::SIGKILL));
            // Until they are gone, as far as that does not take long.
            for _ in 0..100 {
                if users.is_empty() {
                    break;
                }
                thread::sleep(Duration::from_millis(10));
                users = place::holders(stamp.device, stamp.inode);
            }
        }
    }

    fn figures(&self) -> String {
        let enforcing = !self.judge.only_looks();
        self.judge.metrics.text(Now { waiting: self.queue.len(), held: self.judge.holds.len(), enforcing })
    }

    fn write_figures(&self) {
        if let Some(Report::File(path)) = &self.report
            && let Err(error) = metrics::write(path, &self.figures())
        {
            say(format_args!("`{}` cannot be written: {error}", path.display()));
        }
    }

    /// Answers what was asked, and nothing more. Whatever opens files comes first, while the reader still runs.
    fn end(&self) {
        systemd::tell("STOPPING=1");
        self.judge.gate().keep();
        self.judge.audit.event("end", Vec::new());
        self.write_figures();
        self.ending.store(true, Ordering::SeqCst);
        let began = Instant::now();
        while !self.ended.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(5));
            if began.elapsed() >= LAST_WORK {
                for waiting in self.queue.close() {
                    self.group.answer(&waiting, self.admits_unseen);
                }
            }
        }
    }
}
