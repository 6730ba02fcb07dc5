//! The calls of fanotify: events that wait for an answer, marks, and files told by their handle.

use std::{
    ffi::{CStr, c_int, c_uint},
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
};

use super::{check, own};

/// An event as the kernel tells it.
#[derive(Debug)]
pub(crate) struct Told {
    /// What happened, `FAN_…`.
    pub(crate) mask: u64,
    /// The file, opened for us without another event; none when the queue ran over.
    pub(crate) file: Option<OwnedFd>,
    /// The thread that waits; 0 when it is one that we cannot see.
    pub(crate) thread: u32,
}

/// Before each read, write and map. Linux 6.14.
pub(crate) const PRE_ACCESS: u64 = 0x0010_0000;

/// A group whose events wait for an answer.
pub(crate) fn group(accesses: bool) -> io::Result<OwnedFd> {
    let class = if accesses { libc::FAN_CLASS_PRE_CONTENT } else { libc::FAN_CLASS_CONTENT };
    // A queue with a limit runs over, and the kernel lets through what does not fit.
    let flags = class
        | libc::FAN_CLOEXEC
        | libc::FAN_NONBLOCK
        | libc::FAN_UNLIMITED_QUEUE
        | libc::FAN_UNLIMITED_MARKS
        | libc::FAN_REPORT_TID;
    let files = (libc::O_RDONLY | libc::O_LARGEFILE | libc::O_CLOEXEC | libc::O_NOATIME) as c_uint;
    // SAFETY: the arguments are numbers.
    own(check(unsafe { libc::fanotify_init(flags, files) })?)
}

/// Asks for events of `mask` on the whole file system that `place` lies on.
pub(crate) fn mark(group: BorrowedFd<'_>, mask: u64, place: &CStr) -> io::Result<()> {
    let flags = libc::FAN_MARK_ADD | libc::FAN_MARK_FILESYSTEM;
    // SAFETY: `place` is a path that ends with a zero.
    check(unsafe { libc::fanotify_mark(group.as_raw_fd(), flags, mask, libc::AT_FDCWD, place.as_ptr()) })
        .map(|_| ())
}

/// The events that are there.
pub(crate) fn events(group: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<Vec<Told>> {
    let read = rustix::io::read(group, &mut *buffer)?;
    let mut rest = buffer.get(..read).unwrap_or_default();
    let mut events = Vec::new();
    while let Some((event, len)) = event(rest) {
        let file = match event.fd {
            number if number >= 0 => Some(own(i64::from(number))?),
            _ => None,
        };
        events.push(Told { mask: event.mask, file, thread: u32::try_from(event.pid).unwrap_or(0) });
        rest = rest.get(len..).unwrap_or_default();
    }
    Ok(events)
}

struct Metadata {
    mask: u64,
    fd: c_int,
    pid: c_int,
}

/// The first event of `bytes` and how long it is; `struct fanotify_event_metadata`.
fn event(bytes: &[u8]) -> Option<(Metadata, usize)> {
    let word = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes);
    let len =
        usize::try_from(word(0)?).ok().filter(|&len| len >= size_of::<libc::fanotify_event_metadata>())?;
    let mask = bytes.get(8..16)?.try_into().ok().map(u64::from_ne_bytes)?;
    Some((Metadata { mask, fd: word(16)?.cast_signed(), pid: word(20)?.cast_signed() }, len))
}

/// Answers the event whose file has this number, `FAN_ALLOW` or `FAN_DENY`. Who waited may be gone.
pub(crate) fn answer(group: BorrowedFd<'_>, number: c_int, response: u32) -> io::Result<()> {
    let mut bytes = [0; 8];
    let (first, second) = bytes.split_at_mut(4);
    first.copy_from_slice(&number.to_ne_bytes());
    second.copy_from_slice(&response.to_ne_bytes());
    Ok(rustix::io::write(group, &bytes).map(|_| ())?)
}

/// `struct file_handle`, with room for the longest.
#[repr(C)]
struct Handle {
    len: c_uint,
    kind: c_int,
    bytes: [u8; libc::MAX_HANDLE_SZ as usize],
}

/// What `file` has open, as the mount of `folder` shows it (`O_PATH`); both lie on the same file system.
pub(crate) fn as_seen_from(folder: impl AsFd, file: impl AsFd) -> io::Result<OwnedFd> {
    let mut handle =
        Handle { len: libc::MAX_HANDLE_SZ as c_uint, kind: 0, bytes: [0; libc::MAX_HANDLE_SZ as usize] };
    let mut mount: c_int = 0;
    let file = file.as_fd().as_raw_fd();
    // SAFETY: the kernel writes at most as many bytes as `len` says, and one number.
    check(unsafe {
        libc::syscall(
            libc::SYS_name_to_handle_at,
            file,
            c"".as_ptr(),
            &raw mut handle,
            &raw mut mount,
            libc::AT_EMPTY_PATH,
        )
    })?;
    let flags = libc::O_PATH | libc::O_CLOEXEC;
    let folder = folder.as_fd().as_raw_fd();
    // SAFETY: the kernel reads the handle that it has just written.
    own(check(unsafe { libc::syscall(libc::SYS_open_by_handle_at, folder, &raw mut handle, flags) })?)
}
