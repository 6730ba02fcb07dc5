//! The calls that have no safe spelling elsewhere: seccomp notifications, Landlock rules, leases, another process's
//! memory. The only module here that says `unsafe`; it decides nothing.

#![expect(unsafe_code, reason = "system calls that neither std nor rustix offer")]

use std::{
    ffi::{c_int, c_ulong, c_void},
    io,
    mem::{size_of, zeroed},
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd},
        unix::process::CommandExt,
    },
    process::Command,
};

pub(crate) mod fanotify;

/// One instruction of a filter.
pub(crate) type Instruction = libc::sock_filter;

/// A call that waits for an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Notice {
    /// Names the call while it waits.
    pub(crate) id: u64,
    /// The thread that made it.
    pub(crate) thread: u32,
    /// Which call.
    pub(crate) call: i64,
    /// Its arguments.
    pub(crate) arguments: [u64; 6],
}

fn check(result: impl TryInto<i64>) -> io::Result<i64> {
    match result.try_into() {
        Ok(result) if result >= 0 => Ok(result),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Has `setup` run in the child of `command`, between fork and exec.
///
/// `setup` may only make system calls: other threads' locks stay locked in the child.
pub(crate) fn before_exec(
    command: &mut Command,
    setup: impl FnMut() -> io::Result<()> + Send + Sync + 'static,
) {
    // SAFETY: the only caller's closure makes system calls on values that exist already, and nothing else.
    unsafe { command.pre_exec(setup) };
}

/// Puts `program` before every call of this thread and its children; gives the descriptor that its notices come from.
pub(crate) fn install_filter(program: &[Instruction]) -> io::Result<OwnedFd> {
    let len = u16::try_from(program.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let program = libc::sock_fprog { len, filter: program.as_ptr().cast_mut() };
    let install = |flags: c_ulong| {
        // SAFETY: `program` points at `len` instructions, which the kernel copies and does not write to.
        check(unsafe {
            libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program)
        })
    };
    let flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
    // A signal that is caught would make the call again, and the file would be opened twice: better wait. Linux 5.19.
    let listener = match install(flags | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) {
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => install(flags)?,
        installed => installed?,
    };
    own(listener)
}

fn own(descriptor: i64) -> io::Result<OwnedFd> {
    let descriptor = RawFd::try_from(descriptor).map_err(|_| io::ErrorKind::InvalidData)?;
    // SAFETY: the kernel has just opened it for us and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Waits for the next notice.
pub(crate) fn next_notice(listener: BorrowedFd<'_>) -> io::Result<Notice> {
    // SAFETY: all zeros is a value of this struct of integers, and the one the kernel asks for.
    let mut notice: libc::seccomp_notif = unsafe { zeroed() };
    let request = libc::SECCOMP_IOCTL_NOTIF_RECV;
    // SAFETY: the kernel writes one struct of the size that is part of the request's number.
    check(unsafe { libc::ioctl(listener.as_raw_fd(), request, &raw mut notice) })?;
    let (id, thread, data) = (notice.id, notice.pid, notice.data);
    Ok(Notice { id, thread, call: i64::from(data.nr), arguments: data.args })
}

/// Whether the call still waits, so that what was read of its process was of the process that made it.
pub(crate) fn still_waits(listener: BorrowedFd<'_>, id: u64) -> bool {
    let request = libc::SECCOMP_IOCTL_NOTIF_ID_VALID;
    // SAFETY: the kernel reads eight bytes.
    unsafe { libc::ioctl(listener.as_raw_fd(), request, &raw const id) == 0 }
}

/// Asks the kernel to run the answered thread on the processor of the one that answered, which is faster. Linux 6.6.
pub(crate) fn wake_here(listener: BorrowedFd<'_>) {
    let request = libc::SECCOMP_IOCTL_NOTIF_SET_FLAGS;
    // SAFETY: the argument is a number. A kernel that does not know it refuses, and nothing is lost.
    unsafe { libc::ioctl(listener.as_raw_fd(), request, 1_u64) };
}

fn answer(listener: BorrowedFd<'_>, id: u64, error: i32, flags: u32) -> io::Result<()> {
    let mut response = libc::seccomp_notif_resp { id, val: 0, error, flags };
    let request = libc::SECCOMP_IOCTL_NOTIF_SEND;
    // SAFETY: the kernel reads one struct of the size that is part of the request's number.
    check(unsafe { libc::ioctl(listener.as_raw_fd(), request, &raw mut response) }).map(|_| ())
}

/// The call fails with `errno`.
pub(crate) fn answer_error(listener: BorrowedFd<'_>, id: u64, errno: c_int) -> io::Result<()> {
    answer(listener, id, errno.saturating_neg(), 0)
}

/// The kernel does the call as if nobody had been asked.
pub(crate) fn answer_continue(listener: BorrowedFd<'_>, id: u64) -> io::Result<()> {
    answer(listener, id, 0, libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32)
}

/// The call gives a new descriptor for what `file` has open.
pub(crate) fn answer_file(
    listener: BorrowedFd<'_>,
    id: u64,
    file: BorrowedFd<'_>,
    close_on_exec: bool,
) -> io::Result<()> {
    let mut response = libc::seccomp_notif_addfd {
        id,
        flags: libc::SECCOMP_ADDFD_FLAG_SEND as u32,
        srcfd: file.as_raw_fd() as u32,
        newfd: 0,
        newfd_flags: if close_on_exec { libc::O_CLOEXEC as u32 } else { 0 },
    };
    let request = libc::SECCOMP_IOCTL_NOTIF_ADDFD;
    // SAFETY: the kernel reads one struct of the size that is part of the request's number.
    check(unsafe { libc::ioctl(listener.as_raw_fd(), request, &raw mut response) }).map(|_| ())
}

/// Copies memory of `thread` at `address` into `buffer`, as far as there is any; gives how many bytes that was.
pub(crate) fn read_memory(thread: u32, address: u64, buffer: &mut [u8]) -> io::Result<usize> {
    const PAGE: usize = 4096;
    let (Ok(thread), Ok(address)) = (libc::pid_t::try_from(thread), usize::try_from(address)) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let local = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    // Up to the end of its page, then page by page: the kernel gives whole pieces or nothing.
    let first = (PAGE - address % PAGE).min(buffer.len());
    let second = PAGE.min(buffer.len() - first);
    let at = |address: usize| address as *mut c_void;
    let remote = [
        libc::iovec { iov_base: at(address), iov_len: first },
        libc::iovec { iov_base: at(address.wrapping_add(first)), iov_len: second },
    ];
    let pieces = if second == 0 { 1 } else { 2 };
    // SAFETY: `local` is `buffer`, which the kernel may write to; the addresses of the other process are only numbers.
    let read = unsafe { libc::process_vm_readv(thread, &raw const local, 1, remote.as_ptr(), pieces, 0) };
    usize::try_from(read).map_err(|_| io::Error::last_os_error())
}

/// Which version of Landlock the kernel has; none is 0.
pub(crate) fn landlock_version() -> i64 {
    const VERSION: u32 = 1;
    // SAFETY: with this flag the kernel looks at no pointer.
    let version = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<c_void>(), 0_usize, VERSION)
    };
    version.max(0)
}

/// What a Landlock ruleset handles; `struct landlock_ruleset_attr`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Handled {
    pub(crate) files: u64,
    pub(crate) network: u64,
    pub(crate) scoped: u64,
}

/// Begins a Landlock ruleset; `fields` of `handled` are known to the kernel.
pub(crate) fn landlock_ruleset(handled: &Handled, fields: usize) -> io::Result<OwnedFd> {
    let size = fields.min(3) * size_of::<u64>();
    // SAFETY: the kernel reads `size` bytes of the struct, which is not shorter.
    own(check(unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, &raw const *handled, size, 0_u32) })?)
}

/// Allows `access` to what lies at or below `place`.
pub(crate) fn landlock_allow(ruleset: BorrowedFd<'_>, place: BorrowedFd<'_>, access: u64) -> io::Result<()> {
    const PATH_BENEATH: u32 = 1;
    #[repr(C, packed)]
    struct PathBeneath {
        allowed: u64,
        parent: i32,
    }
    let rule = PathBeneath { allowed: access, parent: place.as_raw_fd() };
    let ruleset = ruleset.as_raw_fd();
    // SAFETY: the kernel reads one struct of this kind.
    check(unsafe {
        libc::syscall(libc::SYS_landlock_add_rule, ruleset, PATH_BENEATH, &raw const rule, 0_u32)
    })
    .map(|_| ())
}

/// Puts this thread and its children under `ruleset`, for good.
pub(crate) fn landlock_restrict(ruleset: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: the arguments are numbers.
    check(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset.as_raw_fd(), 0_u32) }).map(|_| ())
}

/// Gives this process views of its own of what `kinds` (`CLONE_NEW…`, `CLONE_FILES`) names.
pub(crate) fn unshare(kinds: c_int) -> io::Result<()> {
    // SAFETY: the argument is a number; nothing but descriptors and views is unshared, and memory is this process's own.
    check(unsafe { libc::unshare(kinds) }).map(|_| ())
}

/// Forks; in the child, which may only make system calls, it gives `None`. `flags` may hold `CLONE_FILES`.
pub(crate) fn fork(flags: c_int) -> io::Result<Option<i32>> {
    let flags = (flags & libc::CLONE_FILES | libc::SIGCHLD) as c_ulong;
    // SAFETY: without `CLONE_VM` the child has a copy of memory, as after `fork`, and goes on on the same stack.
    let child = check(unsafe { libc::syscall(libc::SYS_clone, flags, 0_usize, 0_usize, 0_usize, 0_usize) })?;
    Ok(i32::try_from(child).ok().filter(|&child| child != 0))
}

/// Ends this process at once: nothing that is to run at its end does.
pub(crate) fn end(code: c_int) -> ! {
    // SAFETY: the argument is a number.
    unsafe { libc::_exit(code) }
}

/// Closes every descriptor from `first` on.
pub(crate) fn close_from(first: u32) -> io::Result<()> {
    // SAFETY: only called in a child that goes on with no descriptor but those below.
    check(unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, 0_u32) }).map(|_| ())
}

/// Closes every descriptor from `first` on when another program is started.
pub(crate) fn close_from_on_exec(first: u32) -> io::Result<()> {
    const ON_EXEC: u32 = 4;
    // SAFETY: the arguments are numbers; nothing is closed now.
    check(unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, ON_EXEC) }).map(|_| ())
}

/// Makes the mount at `path`, and those below it, read-only and without devices and programs that gain rights.
pub(crate) fn seal_mount(path: &std::ffi::CStr) -> io::Result<()> {
    #[repr(C)]
    struct Attributes {
        set: u64,
        clear: u64,
        propagation: u64,
        user_namespace: u64,
    }
    const READ_ONLY: u64 = 1;
    const NO_SETUID: u64 = 2;
    const NO_DEVICES: u64 = 4;
    let set = READ_ONLY | NO_SETUID | NO_DEVICES;
    let attributes = Attributes { set, clear: 0, propagation: 0, user_namespace: 0 };
    let size = size_of::<Attributes>();
    let recursive = libc::AT_RECURSIVE as u32;
    // SAFETY: `path` ends with a zero, and the kernel reads one struct of the size given.
    check(unsafe {
        let attributes = &raw const attributes;
        libc::syscall(libc::SYS_mount_setattr, libc::AT_FDCWD, path.as_ptr(), recursive, attributes, size)
    })
    .map(|_| ())
}

/// Switches the loopback of this network on.
pub(crate) fn loopback_up(socket: BorrowedFd<'_>) -> io::Result<()> {
    #[repr(C)]
    struct Request {
        name: [u8; libc::IFNAMSIZ],
        flags: i16,
        rest: [u8; 22],
    }
    let mut request = Request { name: [0; libc::IFNAMSIZ], flags: libc::IFF_UP as i16, rest: [0; 22] };
    let [first, second, ..] = &mut request.name;
    (*first, *second) = (b'l', b'o');
    // SAFETY: the kernel reads one struct of this kind.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &raw const request) }).map(|_| ())
}

/// Takes a lease on the file: nobody has it open for writing, and who wants to must wait until it is given up.
pub(crate) fn take_lease(file: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: the arguments are numbers.
    check(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, libc::F_RDLCK) }).map(|_| ())
}

/// Whether the lease stands and nobody waits for its end.
pub(crate) fn lease_stands(file: BorrowedFd<'_>) -> bool {
    // SAFETY: the arguments are numbers.
    unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETLEASE) == libc::F_RDLCK }
}

/// Whether nobody else has the leased file open: the lease is kept, and is what it was.
pub(crate) fn is_alone(file: BorrowedFd<'_>) -> bool {
    let set = |kind: c_int| {
        // SAFETY: the arguments are numbers.
        check(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, kind) })
    };
    // A lease for writing is given only to who has the file for himself.
    set(libc::F_WRLCK).is_ok() && set(libc::F_RDLCK).is_ok()
}

/// A signal that came for this process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signal {
    pub(crate) number: c_int,
    /// The kernel sent it, not a process: a key at the terminal, to the whole group.
    pub(crate) by_kernel: bool,
}

/// Signals that are passed on or only end a wait.
const WAITED_FOR: [c_int; 7] =
    [libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGHUP, libc::SIGUSR1, libc::SIGUSR2, libc::SIGIO];

fn waited_for() -> libc::sigset_t {
    // SAFETY: a set of signals is made of integers, and is made empty next.
    let mut set: libc::sigset_t = unsafe { zeroed() };
    // SAFETY: `set` is a set.
    unsafe { libc::sigemptyset(&raw mut set) };
    for signal in WAITED_FOR {
        // SAFETY: `set` is a set and the number is a signal's.
        unsafe { libc::sigaddset(&raw mut set, signal) };
    }
    set
}

/// From now on signals wait for [`next_signal`], in this thread and those it starts.
pub(crate) fn hold_signals() {
    let set = waited_for();
    // SAFETY: `set` is a set; the former one is not asked for.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) };
}

/// Waits for a signal.
pub(crate) fn next_signal() -> Option<Signal> {
    let set = waited_for();
    // SAFETY: all zeros is a value of this struct, and the kernel overwrites it.
    let mut info: libc::siginfo_t = unsafe { zeroed() };
    // SAFETY: both are what the call asks for.
    let number = unsafe { libc::sigwaitinfo(&raw const set, &raw mut info) };
    (number > 0).then_some(Signal { number, by_kernel: info.si_code > 0 })
}

/// Waits for a signal for so many seconds.
pub(crate) fn next_signal_within(seconds: i64) -> Option<Signal> {
    let set = waited_for();
    let time = libc::timespec { tv_sec: seconds, tv_nsec: 0 };
    // SAFETY: all zeros is a value of this struct, and the kernel overwrites it.
    let mut info: libc::siginfo_t = unsafe { zeroed() };
    // SAFETY: all three are what the call asks for.
    let number = unsafe { libc::sigtimedwait(&raw const set, &raw mut info, &raw const time) };
    (number > 0).then_some(Signal { number, by_kernel: info.si_code > 0 })
}

/// Sends a signal to a process.
pub(crate) fn send_signal(process: u32, number: c_int) {
    if let Ok(process) = libc::pid_t::try_from(process) {
        // SAFETY: the arguments are numbers. The process may be gone, which is no harm.
        unsafe { libc::kill(process, number) };
    }
}

/// This process's descriptors above the three standard ones, as borrowed ones for as long as `look` runs.
pub(crate) fn inherited(mut look: impl FnMut(BorrowedFd<'_>)) -> io::Result<()> {
    for entry in std::fs::read_dir("/proc/self/fd")? {
        let number = entry?.file_name().to_str().and_then(|name| name.parse::<RawFd>().ok());
        if let Some(number) = number.filter(|&number| number > 2) {
            // SAFETY: it was open a moment ago, and this thread is the only one there is.
            look(unsafe { BorrowedFd::borrow_raw(number) });
        }
    }
    Ok(())
}

/// Has `act` borrow the descriptor `number`.
pub(crate) fn with_descriptor<R>(number: RawFd, act: impl FnOnce(BorrowedFd<'_>) -> R) -> R {
    // SAFETY: the only caller was told the number by the process that shares its descriptors, has just opened it, and
    // leaves it open.
    act(unsafe { BorrowedFd::borrow_raw(number) })
}

/// A copy of the standard descriptor `number`, when it is open.
pub(crate) fn standard(number: RawFd) -> Option<OwnedFd> {
    // SAFETY: the standard descriptors are never closed by this process.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    borrowed.as_fd().try_clone_to_owned().ok()
}
