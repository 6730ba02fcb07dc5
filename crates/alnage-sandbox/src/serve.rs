//! Answering the filter's questions: opens for the program what it may have.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use alnage_fs::Handed;
use rustix::{fs::OFlags, io::Errno};

use crate::{
    Audit, Mode,
    admission::{Admission, Gate, Judgement, Places},
    asked::Asked,
    hold::{Copies, Holds},
    raw::{Notice, answer_continue, answer_error, answer_file, next_notice, still_waits},
    resolve::{Found, KERNEL, PIPES, PROC, file_system, find, make, make_nameless},
};

/// What answers.
pub(crate) struct Supervisor {
    pub(crate) listener: OwnedFd,
    pub(crate) gate: Gate,
    pub(crate) audit: Audit,
    pub(crate) holds: Holds,
    copies: Copies,
    /// Where may be written; `None` for everywhere.
    pub(crate) writable: Option<Vec<PathBuf>>,
    /// Where it may start programs from.
    programs: Vec<PathBuf>,
    /// Threads that wait for a question.
    idle: AtomicUsize,
    /// Threads there are.
    threads: AtomicUsize,
}

/// The answer to a question.
enum Answer {
    /// Do as if nobody had been asked. Behind the wall that can give bytes of no file but programs, devices and `/proc`.
    Proceed,
    /// It fails.
    Fail(Errno),
    /// Here it is.
    File(OwnedFd),
    /// A pipe with a name, which opens when somebody opens its other end.
    Pipe(Found),
}

/// As many questions can be answered at a time. Each may take as long as hashing a file does.
const MOST_THREADS: usize = 64;
/// Threads that are always there.
const FIRST_THREADS: usize = 2;

impl Supervisor {
    pub(crate) fn new(
        listener: OwnedFd,
        gate: Gate,
        audit: Audit,
        writable: Option<Vec<PathBuf>>,
        programs: Vec<PathBuf>,
    ) -> Arc<Self> {
        let (idle, threads) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (holds, copies) = Default::default();
        Arc::new(Self { listener, gate, audit, holds, copies, writable, programs, idle, threads })
    }

    /// Starts answering. The threads end with the process.
    pub(crate) fn start(self: &Arc<Self>) -> io::Result<()> {
        crate::raw::wake_here(self.listener.as_fd());
        (0..FIRST_THREADS).try_for_each(|_| self.add_thread())
    }

    fn add_thread(self: &Arc<Self>) -> io::Result<()> {
        let supervisor = Arc::clone(self);
        self.idle.fetch_add(1, Ordering::SeqCst);
        self.threads.fetch_add(1, Ordering::SeqCst);
        let started = thread::Builder::new().spawn(move || supervisor.work());
        if started.is_err() {
            self.idle.fetch_sub(1, Ordering::SeqCst);
            self.threads.fetch_sub(1, Ordering::SeqCst);
        }
        started.map(|_| ())
    }

    fn work(self: Arc<Self>) {
        while let Some(notice) = self.next() {
            // The last one that waited goes to work: who asks next must not wait for it.
            if self.idle.fetch_sub(1, Ordering::SeqCst) == 1
                && self.threads.load(Ordering::SeqCst) < MOST_THREADS
            {
                // Without another thread, questions wait their turn.
                let _ = self.add_thread();
            }
            // A panic in a parser of a hostile file is a file that was not understood, and not opened.
            let asked = Asked::read(&notice);
            let answered = catch_unwind(AssertUnwindSafe(|| match &asked {
                Some(asked) => self.answer(&notice, asked),
                None => Answer::Proceed,
            }));
            self.give(&notice, asked.as_ref(), answered.unwrap_or(Answer::Fail(Errno::ACCESS)));
            self.idle.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// The next question; `None` when nobody is left who could ask.
    fn next(&self) -> Option<Notice> {
        loop {
            match next_notice(self.listener.as_fd()) {
                Ok(notice) => return Some(notice),
                // Who asked is gone, or everybody is.
                Err(error) if error.raw_os_error() == Some(libc::ENOENT) => {
                    let mut polled =
                        [rustix::event::PollFd::new(&self.listener, rustix::event::PollFlags::IN)];
                    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
                    let asked = rustix::event::poll(&mut polled, Some(&now));
                    let [polled] = polled;
                    if asked.is_ok() && polled.revents().contains(rustix::event::PollFlags::HUP) {
                        return None;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
    }

    fn give(self: &Arc<Self>, notice: &Notice, asked: Option<&Asked>, answer: Answer) {
        let listener = self.listener.as_fd();
        let given = match answer {
            Answer::Proceed => answer_continue(listener, notice.id),
            Answer::Fail(errno) => answer_error(listener, notice.id, errno.raw_os_error()),
            Answer::File(file) => {
                let close_on_exec = asked.is_some_and(Asked::closes_on_exec);
                answer_file(listener, notice.id, file.as_fd(), close_on_exec).or_else(|error| {
                    answer_error(listener, notice.id, error.raw_os_error().unwrap_or(libc::EIO))
                })
            }
            Answer::Pipe(pipe) => {
                self.wait_for_pipe(*notice, asked, pipe);
                Ok(())
            }
        };
        // Who asked may have been killed meanwhile.
        drop(given);
    }

    /// Opens a pipe in a thread of its own: nobody knows how long that takes.
    fn wait_for_pipe(self: &Arc<Self>, notice: Notice, asked: Option<&Asked>, pipe: Found) {
        let (supervisor, asked) = (Arc::clone(self), asked.cloned());
        let opened = move || {
            let flags = asked.as_ref().map_or(OFlags::RDONLY, kept_flags);
            let answer = pipe.open(flags).map_or_else(Answer::Fail, Answer::File);
            supervisor.give(&notice, asked.as_ref(), answer);
        };
        if thread::Builder::new().spawn(opened).is_err() {
            self.give(&notice, None, Answer::Fail(Errno::MFILE));
        }
    }

    fn answer(&self, notice: &Notice, asked: &Asked) -> Answer {
        match self.audit.mode() {
            Mode::Enforce if asked.starts => self.starting(asked),
            Mode::Enforce if asked.has(libc::O_PATH) => Answer::Proceed,
            Mode::Enforce if asked.has(libc::O_TMPFILE) => self.nameless(notice, asked),
            Mode::Enforce if asked.reads() => self.readable(notice, asked),
            Mode::Enforce => self.writable_only(asked),
            Mode::Warn | Mode::Observe => {
                if asked.reads() && !asked.has(libc::O_TMPFILE) {
                    self.look_only(asked);
                }
                Answer::Proceed
            }
        }
    }

    /// The wall decides what is started; nobody would understand why.
    fn starting(&self, asked: &Asked) -> Answer {
        if let Ok(found) = find(asked)
            && is_regular(&found)
            && let Ok(places) = found.places(asked)
            && places.place.is_absolute()
            && !self.programs.iter().any(|place| places.place.starts_with(place))
            && !places.place.starts_with("/memfd:")
        {
            let folder = places.place.parent().unwrap_or(&places.place).display();
            let reason = format!("no programs are started from there; `--exec {folder}` lifts that");
            self.audit.refused(asked.thread, &places, &reason);
        }
        Answer::Proceed
    }

    /// Judges and lets the kernel do what was asked.
    fn look_only(&self, asked: &Asked) {
        let Ok(found) = find(asked) else { return };
        if !is_regular(&found) || is_kernels(&found) {
            return;
        }
        let Ok(places) = found.places(asked) else { return };
        let Ok(file) = found.open(OFlags::RDONLY) else { return };
        if let Ok(judgement) =
            Handed::new(file.into()).and_then(|file| self.gate.judge(&file, &places, &|_| Ok(())))
        {
            self.audit.judged(asked.thread, &places, &judgement);
        }
    }

    /// A file that is only written to gives no bytes. But it may be one that another program reads.
    fn writable_only(&self, asked: &Asked) -> Answer {
        match find(asked) {
            Ok(found) if self.is_held(&found) => self.refuse_writing(asked, &found),
            _ => Answer::Proceed,
        }
    }

    fn is_held(&self, found: &Found) -> bool {
        alnage_fs::Stamp::at(crate::resolve::own_name(&found.place).as_ref())
            .is_ok_and(|stamp| self.holds.holds(stamp))
    }

    fn refuse_writing(&self, asked: &Asked, found: &Found) -> Answer {
        if let Ok(places) = found.places(asked) {
            self.audit.refused(
                asked.thread,
                &places,
                "it was verified, and is not written to while it is in use",
            );
        }
        Answer::Fail(Errno::ACCESS)
    }

    fn nameless(&self, notice: &Notice, asked: &Asked) -> Answer {
        let Ok(found) = find(asked) else { return Answer::Proceed };
        if !self.may_write_at(&found, asked) {
            return Answer::Fail(Errno::ROFS);
        }
        if !still_waits(self.listener.as_fd(), notice.id) {
            return Answer::Proceed;
        }
        make_nameless(asked, &found).map_or_else(Answer::Fail, Answer::File)
    }

    fn readable(&self, notice: &Notice, asked: &Asked) -> Answer {
        const TRIES: usize = 4;
        for _ in 0..TRIES {
            match find(asked) {
                Ok(found) => return self.found(notice, asked, found),
                Err(Errno::NOENT) if asked.has(libc::O_CREAT) => match self.make(notice, asked) {
                    // Somebody else was faster.
                    Err(Errno::EXIST) if !asked.has(libc::O_EXCL) => {}
                    made => return made.map_or_else(Answer::Fail, Answer::File),
                },
                Err(Errno::ACCESS) => return Answer::Fail(Errno::ACCESS),
                Err(_) => return Answer::Proceed,
            }
        }
        Answer::Proceed
    }

    fn make(&self, notice: &Notice, asked: &Asked) -> Result<OwnedFd, Errno> {
        if self.writable.is_some() {
            let folder = std::path::Path::new(&asked.path).parent().map(|path| path.as_os_str().to_owned());
            let folder = folder.filter(|path| !path.is_empty()).unwrap_or_else(|| ".".into());
            let folder = Asked { path: folder, ..asked.clone() };
            if !self.may_write_at(&find(&folder)?, &folder) {
                return Err(Errno::ROFS);
            }
        }
        match still_waits(self.listener.as_fd(), notice.id) {
            true => make(asked),
            false => Err(Errno::SRCH),
        }
    }

    fn may_write_at(&self, found: &Found, asked: &Asked) -> bool {
        let Some(writable) = &self.writable else { return true };
        found.places(asked).is_ok_and(|places| writable.iter().any(|place| places.place.starts_with(place)))
    }

    /// What is there already.
    fn found(&self, notice: &Notice, asked: &Asked, found: Found) -> Answer {
        let Ok(stat) = rustix::fs::fstat(&found.place) else { return Answer::Proceed };
        match stat.st_mode & libc::S_IFMT {
            libc::S_IFREG if asked.has(libc::O_CREAT | libc::O_EXCL) => Answer::Fail(Errno::EXIST),
            libc::S_IFREG => self.regular(notice, asked, &found),
            libc::S_IFBLK => {
                if let Ok(places) = found.places(asked) {
                    self.audit.refused(asked.thread, &places, "a disk may hold any model");
                }
                Answer::Fail(Errno::ACCESS)
            }
            libc::S_IFIFO if file_system(&found.place) != PIPES => Answer::Pipe(found),
            // Directories, links that are not to be followed, devices: nothing of a file's content.
            _ => Answer::Proceed,
        }
    }

    fn regular(&self, notice: &Notice, asked: &Asked, found: &Found) -> Answer {
        match file_system(&found.place) {
            // There each process sees something else.
            PROC => return Answer::Proceed,
            system if KERNEL.contains(&system) => {
                return found.open(kept_flags(asked)).map_or_else(Answer::Fail, Answer::File);
            }
            _ => {}
        }
        let Ok(places) = found.places(asked) else { return Answer::Fail(Errno::ACCESS) };
        let writes = asked.has(libc::O_RDWR) || asked.has(libc::O_TRUNC);
        if writes {
            if !self.may_write_at(found, asked) {
                return Answer::Fail(Errno::ROFS);
            }
            if self.is_held(found) {
                return self.refuse_writing(asked, found);
            }
        }
        if asked.has(libc::O_TRUNC) {
            // Nothing is left to be read.
            return match still_waits(self.listener.as_fd(), notice.id) {
                true => found.open(kept_flags(asked) | OFlags::TRUNC).map_or_else(Answer::Fail, Answer::File),
                false => Answer::Proceed,
            };
        }
        let file = match found.open(OFlags::RDONLY) {
            Ok(file) => file,
            Err(errno) => return Answer::Fail(errno),
        };
        let Ok(file) = Handed::new(file.into()) else { return Answer::Fail(Errno::ACCESS) };
        let answer = match writes {
            true => self.read_and_written(asked, found, &file, &places),
            false => self.judged(asked, found, file, &places),
        };
        answer.unwrap_or_else(|error| {
            self.audit.refused(asked.thread, &places, &format!("it could not be looked at: {error}"));
            Answer::Fail(Errno::ACCESS)
        })
    }

    /// What is opened for both could be changed after it was verified.
    fn read_and_written(
        &self,
        asked: &Asked,
        found: &Found,
        file: &Handed,
        places: &Places,
    ) -> io::Result<Answer> {
        if self.gate.is_guarded(file, places)? {
            self.audit.refused(
                asked.thread,
                places,
                "a model is opened for reading alone, not for writing too",
            );
            return Ok(Answer::Fail(Errno::ACCESS));
        }
        Ok(found.open(kept_flags(asked)).map_or_else(Answer::Fail, Answer::File))
    }

    fn judged(&self, asked: &Asked, found: &Found, file: Handed, places: &Places) -> io::Result<Answer> {
        let counts = |admission: &Admission| self.gate.still_counts(admission);
        if let Some((copy, admission)) = self.copies.again(&file, places, counts) {
            self.audit.judged(asked.thread, places, &Judgement::Admitted(Box::new(admission)));
            return Ok(Answer::File(copy));
        }
        let known = self.holds.admitted(&file, places).filter(counts);
        let judgement = match known {
            Some(admission) => Judgement::Admitted(Box::new(admission)),
            None => self.gate.judge(&file, places, &|file| self.holds.take(file, places))?,
        };
        self.audit.judged(asked.thread, places, &judgement);
        let plain = kept_flags(asked) == OFlags::RDONLY;
        match judgement {
            Judgement::Refused(_) => Ok(Answer::Fail(Errno::ACCESS)),
            Judgement::Admitted(mut admission) => match admission.bytes.take() {
                Some(bytes) => {
                    let name = places.shown().file_name().unwrap_or_default().to_string_lossy();
                    Ok(Answer::File(self.copies.make(&name, &bytes, &file, places, *admission)?))
                }
                None => {
                    self.holds.admit(&file, places, &admission);
                    self.handed(asked, found, file, plain)
                }
            },
            Judgement::NoModel => self.handed(asked, found, file, plain),
        }
    }

    /// The file that was judged, opened as it was asked for.
    fn handed(&self, asked: &Asked, found: &Found, file: Handed, plain: bool) -> io::Result<Answer> {
        match plain {
            true => Ok(Answer::File(file.into_file().into())),
            false => Ok(found.open(kept_flags(asked)).map_or_else(Answer::Fail, Answer::File)),
        }
    }
}

/// The flags that stay with what is opened.
fn kept_flags(asked: &Asked) -> OFlags {
    let kept = libc::O_ACCMODE
        | libc::O_APPEND
        | libc::O_NONBLOCK
        | libc::O_SYNC
        | libc::O_DSYNC
        | libc::O_DIRECT
        | libc::O_NOATIME;
    OFlags::from_bits_retain((asked.flags & kept) as u32)
}

fn is_regular(found: &Found) -> bool {
    rustix::fs::fstat(&found.place).is_ok_and(|stat| stat.st_mode & libc::S_IFMT == libc::S_IFREG)
}

fn is_kernels(found: &Found) -> bool {
    let system = file_system(&found.place);
    system == PROC || KERNEL.contains(&system)
}
