//! The kernel's side of the guard: the group that opens wait at, and the file systems that are marked for it.

use std::{
    ffi::CString,
    io,
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

use crate::raw::{self, fanotify};

/// Numbers of files that a guard can have open. Whoever goes on with its group must answer for each of them.
pub(super) const MOST_FILES: u64 = 1 << 16;

/// Opens wait here for an answer, for as long as anybody has the group open.
#[derive(Debug)]
pub(super) struct Group(OwnedFd);

/// An open that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    /// The file. It stays open until the answer is given, as the answer names its number.
    pub(super) file: OwnedFd,
    /// Which thread opens it; 0 when it cannot be seen.
    pub(super) thread: u32,
    /// Whether it reads, writes or maps what it opened before.
    pub(super) accesses: bool,
    /// Since when.
    pub(super) since: Instant,
    answered: AtomicBool,
}

impl Group {
    /// A new group.
    pub(super) fn new(accesses: bool) -> io::Result<Self> {
        fanotify::group(accesses).map(Self)
    }

    /// The group of a predecessor who is gone. What it had read and not answered is answered by `admit`.
    pub(super) fn adopt(group: OwnedFd, admit: bool) -> Self {
        let group = Self(group);
        for number in 0..MOST_FILES as i32 {
            // Nobody waits for most of them.
            let _ = fanotify::answer(group.0.as_fd(), number, response(admit));
        }
        group
    }

    /// Whether `file` is a group of somebody.
    pub(super) fn is_one(file: impl AsFd) -> bool {
        let link = std::fs::read_link(format!("/proc/self/fd/{}", file.as_fd().as_raw_fd()));
        link.is_ok_and(|link| link.as_os_str() == "anon_inode:[fanotify]")
    }

    /// Has everybody who opens a file on the file system of `place` wait; with `accesses` also who reads, writes or maps
    /// one, which few file systems know.
    pub(super) fn mark(&self, place: &Path, accesses: bool) -> io::Result<()> {
        let place = CString::new(place.as_os_str().as_bytes())?;
        let mask = libc::FAN_OPEN_PERM | libc::FAN_OPEN_EXEC_PERM;
        fanotify::mark(self.0.as_fd(), mask, &place)?;
        match accesses {
            true => fanotify::mark(self.0.as_fd(), fanotify::PRE_ACCESS, &place),
            false => Ok(()),
        }
    }

    /// Those who began to wait.
    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<Vec<Waiting>> {
        let since = Instant::now();
        let waiting = |told: fanotify::Told| {
            let accesses = told.mask & fanotify::PRE_ACCESS != 0;
            let answered = AtomicBool::new(false);
            Some(Waiting { file: told.file?, thread: told.thread, accesses, since, answered })
        };
        Ok(fanotify::events(self.0.as_fd(), buffer)?.into_iter().filter_map(waiting).collect())
    }

    /// Lets `waiting` go on, or not; the first answer counts. Gives whether it was this one.
    pub(super) fn answer(&self, waiting: &Waiting, admit: bool) -> bool {
        let first = !waiting.answered.swap(true, Ordering::SeqCst);
        if first {
            // Who waited may have been killed meanwhile.
            let _ = fanotify::answer(self.0.as_fd(), waiting.file.as_raw_fd(), response(admit));
        }
        first
    }
}

impl AsFd for Group {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn response(admit: bool) -> u32 {
    if admit { libc::FAN_ALLOW } else { libc::FAN_DENY }
}

/// Whether `thread` is one of this process, whose own opens must never wait for itself.
pub(super) fn is_own(thread: u32) -> bool {
    let task = format!("/proc/self/task/{thread}");
    thread != 0 && rustix::fs::access(task, rustix::fs::Access::EXISTS).is_ok()
}

/// The group that whoever started us kept for us.
pub(super) fn inherited() -> Option<OwnedFd> {
    std::env::var_os("LISTEN_FDS")?;
    let mut found = None;
    let look = |file: std::os::fd::BorrowedFd<'_>| {
        if found.is_none() && Group::is_one(file) {
            found = file.try_clone_to_owned().ok();
        }
    };
    raw::inherited(look).ok()?;
    found
}
