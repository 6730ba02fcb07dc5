//! The jail: a root of its own in memory, name spaces of its own, no rights, and limits; then the interpreter in it.
//!
//! Three processes follow each other. The first leaves the machine's views, the second is process 1 of the new ones: it
//! builds the root and ends when everything it took in has ended. The third drops what is left and becomes Python.
//! All of this happens between fork and exec, so everything is prepared before: here are only system calls.

use std::{
    ffi::CStr,
    io,
    mem::ManuallyDrop,
    os::fd::{AsFd, AsRawFd, OwnedFd},
    time::Duration,
};

use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
    net::{AddressFamily, SocketType},
    process::{Gid, Resource, Rlimit, Uid, WaitOptions},
    thread::CapabilitySet,
};

use super::root::{Content, Root};
use crate::{
    launch::send_all,
    raw::{
        Handled, Instruction, close_from, close_from_on_exec, end, fork, install_filter, landlock_allow,
        landlock_restrict, landlock_ruleset, loopback_up, unshare, with_descriptor,
    },
};

/// Whom the model runs as: nobody.
const NOBODY: u32 = 65534;
/// How long what the load left running may go on.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_STEP: Duration = Duration::from_millis(10);

/// What the model may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until everything is killed.
    pub time: Duration,
    /// Bytes of memory, and of files.
    pub memory: u64,
}

impl Limits {
    /// Bytes that files may take.
    fn files(self) -> u64 {
        (self.memory / 4).clamp(1 << 20, 256 << 20)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: Duration::from_secs(20), memory: 1 << 30 }
    }
}

/// Everything that is needed once there is no turning back.
#[derive(Debug)]
pub(super) struct Jail {
    root: Root,
    user_map: Vec<u8>,
    group_map: Vec<u8>,
    filter: Vec<Instruction>,
    limits: Limits,
    address_space: u64,
    landlock_version: i64,
    /// To say where it went wrong.
    report: OwnedFd,
}

impl Jail {
    /// Prepares everything. `report` gets the descriptors of filter and network, or where it went wrong.
    pub(super) fn prepare(
        content: &Content<'_>,
        limits: Limits,
        address_space: u64,
        filter: Vec<Instruction>,
        report: OwnedFd,
    ) -> io::Result<Self> {
        let root = Root::plan(content, limits.files())?;
        let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
        Ok(Self {
            root,
            user_map: format!("{NOBODY} {} 1\n", user.as_raw()).into_bytes(),
            group_map: format!("{NOBODY} {} 1\n", group.as_raw()).into_bytes(),
            filter,
            limits,
            address_space,
            landlock_version: crate::raw::landlock_version(),
            report,
        })
    }

    /// Enters. Returns in the process that is to become the interpreter; an error ends whoever it befell.
    pub(super) fn enter(&self) -> io::Result<()> {
        let mut stage = Stage::NameSpaces;
        self.go(&mut stage).inspect_err(|_| {
            // Nobody may be listening any more.
            let _ = rustix::io::write(&self.report, &[stage as u8]);
        })
    }

    fn go(&self, stage: &mut Stage) -> io::Result<()> {
        rustix::process::setsid()?;
        self.leave()?;
        end_with_parent()?;
        *stage = Stage::Process;
        if fork(0)?.is_some() {
            wait_for_end();
        }
        // Process 1 of the new name space.
        end_with_parent()?;
        *stage = Stage::Root;
        rustix::process::umask(Mode::empty());
        self.root.build()?;
        *stage = Stage::Network;
        let names = name_service()?;
        *stage = Stage::Process;
        let (told, telling) = rustix::pipe::pipe()?;
        // It shares the descriptors for a moment, to hand over the one that the filter's questions come from.
        if fork(libc::CLONE_FILES)?.is_some() {
            self.keep_house(&told, &names);
        }
        // They belong to process 1 too, which has not handed them over yet.
        let (_told, _names) = (ManuallyDrop::new(told), ManuallyDrop::new(names));
        let telling = ManuallyDrop::new(telling);
        self.give_up(stage, &telling).inspect_err(|_| {
            // Process 1 would wait for it.
            let _ = rustix::io::write(&*telling, &(-1_i32).to_ne_bytes());
        })
    }

    /// Gives up everything, the filter last; what follows is the interpreter's start.
    fn give_up(&self, stage: &mut Stage, telling: &OwnedFd) -> io::Result<()> {
        *stage = Stage::Rights;
        self.limit()?;
        drop_rights()?;
        rustix::thread::set_no_new_privs(true)?;
        *stage = Stage::Wall;
        self.put_up_wall()?;
        *stage = Stage::Filter;
        close_from_on_exec(3)?;
        let listener = ManuallyDrop::new(install_filter(&self.filter)?);
        rustix::io::write(telling, &listener.as_raw_fd().to_ne_bytes())?;
        Ok(())
    }

    /// Leaves the machine's views. Who may not, gets a user name space to be allowed to in.
    fn leave(&self) -> io::Result<()> {
        let views = libc::CLONE_NEWNS
            | libc::CLONE_NEWPID
            | libc::CLONE_NEWNET
            | libc::CLONE_NEWIPC
            | libc::CLONE_NEWUTS;
        match unshare(views) {
            Err(error) if error.raw_os_error() == Some(libc::EPERM) => {}
            left => return left,
        }
        unshare(views | libc::CLONE_NEWUSER)?;
        for (path, text) in [
            (c"/proc/self/setgroups", &b"deny"[..]),
            (c"/proc/self/uid_map", &self.user_map),
            (c"/proc/self/gid_map", &self.group_map),
        ] {
            let file = rustix::fs::open(path, OFlags::WRONLY, Mode::empty())?;
            rustix::io::write(&file, text)?;
        }
        Ok(())
    }

    fn limit(&self) -> io::Result<()> {
        let seconds = self.limits.time.as_secs().saturating_add(1);
        for (resource, most) in [
            (Resource::As, self.address_space),
            (Resource::Cpu, seconds),
            (Resource::Fsize, self.limits.files()),
            (Resource::Nofile, 256),
            (Resource::Nproc, 1024),
            (Resource::Core, 0),
            (Resource::Memlock, 1 << 20),
            (Resource::Msgqueue, 0),
        ] {
            let old = rustix::process::getrlimit(resource);
            let most = old.maximum.map_or(most, |maximum| maximum.min(most));
            let limit = Rlimit { current: Some(most), maximum: Some(most) };
            rustix::process::setrlimit(resource, limit)?;
        }
        Ok(())
    }

    /// Below the mounts that cannot be written to, a second wall: it is nothing that mounts could change.
    fn put_up_wall(&self) -> io::Result<()> {
        const EXECUTE: u64 = 1;
        const READ: u64 = 1 << 2 | 1 << 3;
        let (every, fields) = match self.landlock_version {
            ..2 => return Err(io::ErrorKind::Unsupported.into()),
            2 => ((1 << 14) - 1, 1),
            3 => ((1 << 15) - 1, 1),
            4..6 => ((1 << 15) - 1, 1),
            _ => ((1 << 15) - 1, 3),
        };
        let handled = Handled { files: every, network: 0, scoped: if fields == 3 { 3 } else { 0 } };
        let ruleset = landlock_ruleset(&handled, fields)?;
        let allow = |path: &CStr, access: u64| {
            let place = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
            landlock_allow(ruleset.as_fd(), place.as_fd(), access)
        };
        allow(c"/", EXECUTE | READ)?;
        self.root.writable.iter().try_for_each(|place| allow(place, every))?;
        for device in [c"/dev/null", c"/dev/zero", c"/dev/full", c"/dev/random", c"/dev/urandom"] {
            allow(device, 1 << 1 | 1 << 2)?;
        }
        landlock_restrict(ruleset.as_fd())
    }

    /// What process 1 does: hands the filter's questions over, then waits for everybody's end.
    fn keep_house(&self, told: &OwnedFd, names: &OwnedFd) -> ! {
        let mut number = [0; 4];
        let listener = match rustix::io::read(told, &mut number) {
            Ok(4) if i32::from_ne_bytes(number) >= 0 => i32::from_ne_bytes(number),
            // It failed, and has said so itself.
            _ => end(1),
        };
        let handed =
            with_descriptor(listener, |listener| send_all(self.report.as_fd(), &[listener, names.as_fd()]));
        let alone = handed.and_then(|()| unshare(libc::CLONE_FILES)).and_then(|()| close_from(0));
        // What it still has in memory is nobody's business, and root's rights are not needed to wait.
        let harmless = alone.and_then(|()| drop_rights()).and_then(|()| end_with_parent()).and_then(|()| {
            Ok(rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?)
        });
        if harmless.is_err() {
            end(1);
        }
        let mut code = 1;
        let mut left = None;
        loop {
            let options = if left.is_some() { WaitOptions::NOHANG } else { WaitOptions::empty() };
            match rustix::process::wait(options) {
                // The interpreter is the second process here.
                Ok(Some((process, status))) if process.as_raw_nonzero().get() == 2 => {
                    code = status.exit_status().unwrap_or(128 + status.terminating_signal().unwrap_or(0));
                    left = Some(LINGER.as_millis() / LINGER_STEP.as_millis());
                }
                Ok(Some(_)) | Err(Errno::INTR) => {}
                Ok(None) => match left.as_mut() {
                    Some(turns @ 1..) => {
                        *turns -= 1;
                        pause();
                    }
                    _ => end(code),
                },
                Err(_) => end(code),
            }
        }
    }
}

/// Where entering went wrong.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
pub(super) enum Stage {
    NameSpaces = 1,
    Process,
    Root,
    Network,
    Rights,
    Wall,
    Filter,
}

impl Stage {
    /// What was tried, for people.
    pub(super) fn told(number: u8) -> &'static str {
        match number {
            1 => "name spaces of its own (user name spaces may be switched off)",
            2 => "processes of its own",
            3 => "a root directory of its own",
            4 => "a network of its own",
            5 => "giving up its rights",
            6 => "a wall of Landlock",
            7 => "a filter for system calls",
            _ => "starting the interpreter",
        }
    }
}

/// Has this process killed when its parent ends. Giving up rights undoes it.
fn end_with_parent() -> io::Result<()> {
    Ok(rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?)
}

fn pause() {
    let step = rustix::event::Timespec { tv_sec: 0, tv_nsec: LINGER_STEP.as_nanos() as _ };
    // Waking early only shortens the wait.
    let _ = rustix::thread::nanosleep(&step);
}

/// The outermost process: does nothing but end with the jail.
fn wait_for_end() -> ! {
    if close_from(0).is_err() {
        end(1);
    }
    loop {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((_, status))) => end(status.exit_status().unwrap_or(137)),
            Ok(None) | Err(Errno::INTR) => {}
            Err(_) => end(1),
        }
    }
}

/// A socket that gets the questions for names: the jail has no network but its own loopback.
fn name_service() -> io::Result<OwnedFd> {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, None)?;
    loopback_up(socket.as_fd())?;
    let address = std::net::SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 53);
    rustix::net::bind(&socket, &address)?;
    Ok(socket)
}

/// Becomes nobody, without a right left, for good.
fn drop_rights() -> io::Result<()> {
    for capability in 0..64 {
        let one = CapabilitySet::from_bits_retain(1 << capability);
        match rustix::thread::remove_capability_from_bounding_set(one) {
            Ok(()) => {}
            // The kernel knows no more of them.
            Err(Errno::INVAL) => break,
            Err(error) => return Err(error.into()),
        }
    }
    if rustix::process::geteuid().is_root() {
        let (user, group) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
        rustix::thread::set_thread_groups(&[])?;
        rustix::thread::set_thread_res_gid(group, group, group)?;
        rustix::thread::set_thread_res_uid(user, user, user)?;
    }
    let none = CapabilitySet::empty();
    let sets = rustix::thread::CapabilitySets { effective: none, permitted: none, inheritable: none };
    rustix::thread::set_capabilities(None, sets)?;
    Ok(())
}
