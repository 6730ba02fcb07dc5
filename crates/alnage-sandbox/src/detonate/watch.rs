//! Sees what the model asks the kernel for, and decides what the kernel answers.

use std::{
    ffi::OsString,
    fs::File,
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::{OsStrExt, OsStringExt},
    },
    path::{Component, Path, PathBuf},
    sync::OnceLock,
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{
    event::{Events, Kind, of_path},
    filter::escape,
    names::Names,
};
use crate::{
    raw::{
        Notice, answer_continue, answer_error, answer_file, next_notice, read_memory, send_signal,
        still_waits,
    },
    run::descendants,
};

/// Processes that may be started in one load.
const MOST_PROCESSES: u32 = 64;
/// Threads that may be started in one load.
const MOST_THREADS: u32 = 512;
/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Why the load was ended from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// It took longer than it may.
    Time,
    /// It used more memory than it may.
    Memory,
}

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) events: Events,
    pub(super) ended: Option<Ended>,
    /// Whether the model was opened at all.
    pub(super) opened: bool,
}

/// Who looks.
pub(super) struct Watch {
    listener: OwnedFd,
    names: Names,
    /// The model, as it is called inside, and open when it is a file.
    model: PathBuf,
    file: Option<File>,
    memory: u64,
    deadline: Instant,
    started: bool,
    processes: u32,
    threads: u32,
    seen: Seen,
}

/// What the kernel answers.
enum Answer {
    Proceed,
    Fail(i32),
    Model,
}

impl Watch {
    pub(super) fn new(
        listener: OwnedFd,
        names: OwnedFd,
        model: PathBuf,
        file: Option<File>,
        (time, memory): (Duration, u64),
    ) -> Self {
        Self {
            listener,
            names: Names::new(names),
            model,
            file,
            memory,
            deadline: Instant::now() + time,
            started: false,
            processes: 0,
            threads: 0,
            seen: Seen::default(),
        }
    }

    /// Looks until the last process has ended; `outermost` is set to the one that ends all the others with it.
    pub(super) fn look(mut self, outermost: &OnceLock<u32>) -> Seen {
        crate::raw::wake_here(self.listener.as_fd());
        let mut next_look = Instant::now() + LOOK;
        loop {
            let now = Instant::now();
            if now >= next_look {
                self.stop_what_is_over(now, outermost);
                // Where there are many processes, looking takes its time.
                next_look = Instant::now() + LOOK.max(now.elapsed() * 4);
            }
            let wait = Timespec { tv_sec: 0, tv_nsec: LOOK.as_nanos() as _ };
            let mut polled = [
                PollFd::new(&self.listener, PollFlags::IN),
                PollFd::from_borrowed_fd(self.names.socket(), PollFlags::IN),
            ];
            if poll(&mut polled, Some(&wait)).is_err() {
                continue;
            }
            let [asked, named] = polled.map(|polled| polled.revents());
            if named.contains(PollFlags::IN) {
                let name = self.names.answer();
                if let Some(name) = name.filter(|_| self.seen.opened) {
                    self.seen.events.add(Kind::Lookup, name, String::new(), String::new());
                }
            }
            if asked.contains(PollFlags::IN) {
                self.one();
            } else if asked.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
                return self.seen;
            }
        }
    }

    fn stop_what_is_over(&mut self, now: Instant, outermost: &OnceLock<u32>) {
        let Some(&outermost) = outermost.get() else { return };
        if self.seen.ended.is_none() {
            if now >= self.deadline {
                self.seen.ended = Some(Ended::Time);
            } else if memory_of(outermost) > self.memory {
                self.seen.ended = Some(Ended::Memory);
            }
        }
        if self.seen.ended.is_some() {
            // Process 1 of the jail takes all others with it; whatever is listed after it may have ended by now.
            let first = descendants(outermost).into_iter().next();
            first.into_iter().chain([outermost]).for_each(|process| send_signal(process, libc::SIGKILL));
        }
    }

    fn one(&mut self) {
        // Who asked may have been killed meanwhile.
        let Ok(notice) = next_notice(self.listener.as_fd()) else { return };
        let answer = self.answer(&notice);
        let listener = self.listener.as_fd();
        let given = match (answer, &self.file) {
            (Answer::Proceed, _) | (Answer::Model, None) => answer_continue(listener, notice.id),
            (Answer::Fail(errno), _) => answer_error(listener, notice.id, errno),
            // Nobody in the jail need have the right to read the file.
            (Answer::Model, Some(file)) => reopened(file)
                .and_then(|file| answer_file(listener, notice.id, file.as_fd(), true))
                .or_else(|_| answer_continue(listener, notice.id)),
        };
        drop(given);
    }

    fn answer(&mut self, notice: &Notice) -> Answer {
        let [first, second, third, fourth, fifth, _] = notice.arguments;
        if let Some(name) = escape(notice.call, first) {
            self.add(notice, Kind::Escape, name.to_owned(), String::new());
            return Answer::Fail(libc::EPERM);
        }
        match notice.call {
            libc::SYS_execve => self.start(notice, (None, first), second),
            libc::SYS_execveat => self.start(notice, (Some(first), second), third),
            libc::SYS_openat => return self.open(notice, (Some(first), second), third),
            libc::SYS_openat2 => {
                let flags = word(notice.thread, third).unwrap_or(0);
                return self.open(notice, (Some(first), second), flags);
            }
            libc::SYS_clone => return self.more(notice, first & libc::CLONE_THREAD as u64 != 0),
            libc::SYS_connect => return self.address(notice, second, third, Kind::Connection),
            libc::SYS_bind => return self.address(notice, second, third, Kind::Listening),
            libc::SYS_sendto => return self.address(notice, fifth, notice.arguments[5], Kind::Connection),
            libc::SYS_sendmsg | libc::SYS_sendmmsg => {
                let name = word(notice.thread, second).unwrap_or(0);
                let length = word(notice.thread, second.wrapping_add(8)).unwrap_or(0) & 0xffff_ffff;
                return match name {
                    0 => Answer::Proceed,
                    name => self.address(notice, name, length, Kind::Connection),
                };
            }
            libc::SYS_unlinkat => self.change(notice, (Some(first), second), Kind::Removed),
            libc::SYS_renameat2 => {
                self.change(notice, (Some(first), second), Kind::Removed);
                self.change(notice, (Some(third), fourth), Kind::Written);
            }
            libc::SYS_linkat => self.change(notice, (Some(third), fourth), Kind::Written),
            libc::SYS_symlinkat => self.change(notice, (Some(second), third), Kind::Written),
            libc::SYS_mkdirat | libc::SYS_mknodat | libc::SYS_fchmodat => {
                self.change(notice, (Some(first), second), Kind::Written);
            }
            libc::SYS_memfd_create => {
                let name = text(notice.thread, first).unwrap_or_default();
                let name = format!("memory:{}", String::from_utf8_lossy(&name));
                self.add(notice, Kind::Written, name, String::new());
                return Answer::Fail(libc::ENOSYS);
            }
            libc::SYS_truncate => self.change(notice, (None, first), Kind::Written),
            #[cfg(target_arch = "x86_64")]
            call => return self.old_call(notice, call),
            #[cfg(not(target_arch = "x86_64"))]
            _ => {}
        }
        Answer::Proceed
    }

    #[cfg(target_arch = "x86_64")]
    fn old_call(&mut self, notice: &Notice, call: i64) -> Answer {
        let [first, second, third, fourth, ..] = notice.arguments;
        match call {
            libc::SYS_open => return self.open(notice, (None, first), second),
            libc::SYS_creat => {
                let flags = libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC;
                return self.open(notice, (None, first), flags as u64);
            }
            libc::SYS_fork | libc::SYS_vfork => return self.more(notice, false),
            libc::SYS_unlink | libc::SYS_rmdir => self.change(notice, (None, first), Kind::Removed),
            libc::SYS_rename => {
                self.change(notice, (None, first), Kind::Removed);
                self.change(notice, (None, second), Kind::Written);
            }
            libc::SYS_renameat => {
                self.change(notice, (Some(first), second), Kind::Removed);
                self.change(notice, (Some(third), fourth), Kind::Written);
            }
            libc::SYS_link | libc::SYS_symlink => self.change(notice, (None, second), Kind::Written),
            libc::SYS_mkdir | libc::SYS_mknod | libc::SYS_chmod => {
                self.change(notice, (None, first), Kind::Written);
            }
            _ => {}
        }
        Answer::Proceed
    }

    /// Notes an event, unless the model was not opened yet or who asked is gone and the memory was another's.
    fn add(&mut self, notice: &Notice, kind: Kind, subject: String, detail: String) {
        if self.seen.opened && still_waits(self.listener.as_fd(), notice.id) {
            self.seen.events.add(kind, subject, detail, program_of(notice.thread));
        }
    }

    fn start(&mut self, notice: &Notice, path: (Option<u64>, u64), arguments: u64) {
        if !std::mem::replace(&mut self.started, true) {
            return;
        }
        let path = resolved(notice.thread, path).unwrap_or_default();
        let words = words(notice.thread, arguments);
        self.add(notice, Kind::Process, shown(&path), words.join(" "));
    }

    fn more(&mut self, notice: &Notice, thread: bool) -> Answer {
        let (count, most) = match thread {
            true => (&mut self.threads, MOST_THREADS),
            false => (&mut self.processes, MOST_PROCESSES),
        };
        *count = count.saturating_add(1);
        if *count <= most {
            return Answer::Proceed;
        }
        let what = if thread { "threads" } else { "processes" };
        self.add(notice, Kind::Exhaustion, format!("{what}: more than {most}"), String::new());
        Answer::Fail(libc::EAGAIN)
    }

    fn open(&mut self, notice: &Notice, path: (Option<u64>, u64), flags: u64) -> Answer {
        let Some(path) = resolved(notice.thread, path) else { return Answer::Proceed };
        let flags = flags as i32;
        let writes = flags & libc::O_ACCMODE != libc::O_RDONLY
            || flags & (libc::O_CREAT | libc::O_TRUNC) != 0
            || flags & libc::O_TMPFILE == libc::O_TMPFILE;
        if path.starts_with(&self.model) && !writes {
            self.seen.opened = true;
            return if path == self.model { Answer::Model } else { Answer::Proceed };
        }
        let text = shown(&path);
        if let Some(kind) = of_path(&text, writes) {
            self.add(notice, kind, text, String::new());
        }
        Answer::Proceed
    }

    fn change(&mut self, notice: &Notice, path: (Option<u64>, u64), kind: Kind) {
        let Some(path) = resolved(notice.thread, path) else { return };
        let text = shown(&path);
        match of_path(&text, true) {
            Some(Kind::Persistence) if kind == Kind::Written => {
                self.add(notice, Kind::Persistence, text, String::new());
            }
            Some(_) => self.add(notice, kind, text, String::new()),
            None => {}
        }
    }

    /// Something is sent, connected or bound to the address. Nothing but the loopback is there.
    fn address(&mut self, notice: &Notice, at: u64, length: u64, kind: Kind) -> Answer {
        match read_address(notice.thread, at, length) {
            Some(Address::Internet(address)) if kind == Kind::Listening => {
                if address.port() != 0 {
                    self.add(notice, kind, address.to_string(), String::new());
                }
                Answer::Proceed
            }
            Some(Address::Internet(address)) => {
                if address == SocketAddr::from((Ipv4Addr::LOCALHOST, 53)) {
                    return Answer::Proceed;
                }
                let name = self.names.of(address.ip()).unwrap_or_default().to_owned();
                self.add(notice, kind, address.to_string(), name);
                Answer::Fail(libc::ECONNREFUSED)
            }
            Some(Address::Local(path)) if kind == Kind::Connection && !path.contains("nscd") => {
                self.add(notice, kind, path, String::new());
                Answer::Fail(libc::ECONNREFUSED)
            }
            _ => Answer::Proceed,
        }
    }
}

fn reopened(file: &File) -> io::Result<File> {
    use std::os::fd::AsRawFd;
    File::open(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

/// Bytes of memory that the processes below `ancestor` have that come from no file; what two of them share counts twice.
fn memory_of(ancestor: u32) -> u64 {
    let of = |process: u32| {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let lines =
            status.lines().filter(|line| line.starts_with("RssAnon:") || line.starts_with("RssShmem:"));
        let numbers = lines.filter_map(|line| line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok());
        Some(numbers.fold(0, u64::saturating_add).saturating_mul(1024))
    };
    descendants(ancestor).into_iter().filter_map(of).fold(0, u64::saturating_add)
}

fn word(thread: u32, address: u64) -> Option<u64> {
    let mut bytes = [0; 8];
    (read_memory(thread, address, &mut bytes).ok()? == 8).then_some(u64::from_ne_bytes(bytes))
}

/// The bytes at `address` up to a zero, at most 4095.
fn text(thread: u32, address: u64) -> Option<Vec<u8>> {
    let mut buffer = vec![0; libc::PATH_MAX as usize];
    let read = read_memory(thread, address, &mut buffer).ok()?;
    buffer.truncate(read);
    let end = buffer.iter().position(|&byte| byte == 0).unwrap_or(buffer.len());
    buffer.truncate(end);
    Some(buffer)
}

/// The words of a program's arguments.
fn words(thread: u32, address: u64) -> Vec<String> {
    const MOST: u64 = 32;
    let mut words = Vec::new();
    for index in 0..MOST {
        let Some(at) = word(thread, address.wrapping_add(index * 8)).filter(|&at| at != 0) else { break };
        let Some(text) = text(thread, at) else { break };
        let text: String = String::from_utf8_lossy(&text).chars().take(400).collect();
        words.push(text);
    }
    words
}

/// The absolute path that the program means, without links followed.
fn resolved(thread: u32, (base, path): (Option<u64>, u64)) -> Option<PathBuf> {
    let path = PathBuf::from(OsString::from_vec(text(thread, path)?));
    if path.is_absolute() {
        return Some(plain(&path));
    }
    let link = match base.map(|base| base as i32) {
        None | Some(libc::AT_FDCWD) => format!("/proc/{thread}/cwd"),
        Some(number) => format!("/proc/{thread}/fd/{number}"),
    };
    let base = std::fs::read_link(link).ok()?;
    Some(plain(&base.join(path)))
}

/// The path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

fn shown(path: &Path) -> String {
    String::from_utf8_lossy(path.as_os_str().as_bytes()).into_owned()
}

/// What the program calls itself.
fn program_of(thread: u32) -> String {
    let name = std::fs::read_to_string(format!("/proc/{thread}/comm")).unwrap_or_default();
    name.trim_end().to_owned()
}

/// Where something is sent.
enum Address {
    Internet(SocketAddr),
    Local(String),
}

fn read_address(thread: u32, at: u64, length: u64) -> Option<Address> {
    let mut bytes = [0; 128];
    let length = usize::try_from(length).ok()?.min(bytes.len());
    let read = read_memory(thread, at, bytes.get_mut(..length)?).ok()?;
    let bytes = bytes.get(..read)?;
    let family = i32::from(u16::from_ne_bytes(bytes.first_chunk().copied()?));
    let port = || Some(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?));
    match family {
        libc::AF_INET => {
            let address: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
            Some(Address::Internet((Ipv4Addr::from(address), port()?).into()))
        }
        libc::AF_INET6 => {
            let address: [u8; 16] = bytes.get(8..24)?.try_into().ok()?;
            Some(Address::Internet((Ipv6Addr::from(address), port()?).into()))
        }
        libc::AF_UNIX => {
            let path = bytes.get(2..)?;
            let path = path.strip_prefix(b"\0").unwrap_or(path);
            let end = path.iter().position(|&byte| byte == 0).unwrap_or(path.len());
            Some(Address::Local(String::from_utf8_lossy(path.get(..end)?).into_owned()))
        }
        _ => None,
    }
}
