//! Which file a path means to the program that names it: seen from its working directory and its descriptors, and with
//! its own `/proc/self`, not ours.

use std::{
    ffi::{OsStr, OsString},
    fs, io,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
        unix::ffi::{OsStrExt, OsStringExt},
    },
    path::{Component, Path, PathBuf},
};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, fstatfs, open, openat, openat2, readlinkat};
use rustix::io::Errno;

use crate::{
    admission::Places,
    asked::{Asked, Base},
};

/// The numbers of file systems that are no place for files.
pub(crate) const PROC: u64 = 0x9fa0;
pub(crate) const PIPES: u64 = 0x5049_5045;
/// Where files are questions to the kernel: sysfs, cgroup, cgroup2, debugfs, tracefs, securityfs.
pub(crate) const KERNEL: [u64; 6] =
    [0x6265_6572, 0x0027_e0eb, 0x6367_7270, 0x6462_6720, 0x7472_6163, 0x7363_6673];

/// The number of the file system that `file` lies on.
pub(crate) fn file_system(file: impl AsFd) -> u64 {
    fstatfs(file).map_or(0, |stat| stat.f_type as u64 & 0xffff_ffff)
}

/// What is asked for, open on nothing yet but its place (`O_PATH`).
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) place: OwnedFd,
    /// Where its path began; none for an absolute path.
    base: Option<OwnedFd>,
}

/// Finds what `asked` names. An error is the kernel's own, or `EACCES` for what lies in another process.
pub(crate) fn find(asked: &Asked) -> Result<Found, Errno> {
    let base = base_of(asked)?;
    let from = base.as_ref().map_or(CWD, AsFd::as_fd);
    let flags =
        OFlags::PATH | OFlags::CLOEXEC | OFlags::from_bits_retain(asked.flags as u32) & OFlags::NOFOLLOW;
    let resolve = ResolveFlags::from_bits_retain(asked.resolve) | ResolveFlags::NO_MAGICLINKS;
    match openat2(from, &*asked.path, flags, Mode::empty(), resolve) {
        Ok(place) => Ok(Found { place, base }),
        // Behind a link of `/proc` lies something else for each process, and for us not even that.
        Err(Errno::LOOP | Errno::NOENT) if asked.resolve == 0 && leads_through_proc(asked, from) => {
            let start = match &base {
                Some(base) => {
                    base.try_clone().map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?
                }
                None => root()?,
            };
            Ok(Found { place: walk(asked, start)?, base })
        }
        Err(error) => Err(error),
    }
}

/// The directory that a relative path begins at.
fn base_of(asked: &Asked) -> Result<Option<OwnedFd>, Errno> {
    if asked.path.as_bytes().starts_with(b"/") && asked.resolve == 0 {
        return Ok(None);
    }
    base_at(asked).map(Some)
}

fn base_at(asked: &Asked) -> Result<OwnedFd, Errno> {
    let path = match asked.base {
        Base::Working => format!("/proc/{}/cwd", asked.thread),
        Base::Descriptor(number) if number >= 0 => format!("/proc/{}/fd/{number}", asked.thread),
        Base::Descriptor(_) => return Err(Errno::BADF),
    };
    open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
}

fn root() -> Result<OwnedFd, Errno> {
    open("/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

/// Whether the path can lead through `/proc`; a link there from elsewhere is known by the kernel's refusal.
fn leads_through_proc(asked: &Asked, from: BorrowedFd<'_>) -> bool {
    let path = asked.path.as_bytes();
    let names = [&b"/proc/"[..], b"/dev/"];
    names.iter().any(|name| path.windows(name.len()).any(|window| window == *name))
        || (!path.starts_with(b"/") && file_system(from) == PROC)
        || is_loop(asked, from)
}

/// Whether the kernel met a link of `/proc`, and not merely too many links.
fn is_loop(asked: &Asked, from: BorrowedFd<'_>) -> bool {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let opened = openat2(from, &*asked.path, flags, Mode::empty(), ResolveFlags::NO_MAGICLINKS);
    matches!(opened, Err(Errno::LOOP))
}

/// Follows the path one name at a time, with the program's eyes.
fn walk(asked: &Asked, start: OwnedFd) -> Result<OwnedFd, Errno> {
    const MOST_NAMES: usize = 4096;
    const MOST_LINKS: usize = 40;
    let (mut place, mut links) = (start, 0);
    let mut names = names_of(asked.path.as_bytes());
    for _ in 0..MOST_NAMES {
        let Some(name) = names.pop() else { return Ok(place) };
        if name.is_empty() {
            continue;
        }
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let next = openat(&place, &*name, flags | OFlags::NOFOLLOW, Mode::empty())?;
        let is_link = rustix::fs::fstat(&next)?.st_mode & libc::S_IFMT == libc::S_IFLNK;
        if !is_link {
            place = next;
            continue;
        }
        if names.is_empty() && asked.has(libc::O_NOFOLLOW) {
            return Ok(next);
        }
        links += 1;
        if links > MOST_LINKS {
            return Err(Errno::LOOP);
        }
        let target = if file_system(&place) == PROC {
            match own_link(asked.thread, &place, &name)? {
                OwnLink::Text(target) => target,
                OwnLink::Place(next) => {
                    place = next;
                    continue;
                }
            }
        } else {
            readlinkat(&next, "", Vec::new())?.into_bytes()
        };
        if target.starts_with(b"/") {
            place = root()?;
        }
        names.extend(names_of(&target));
    }
    Err(Errno::NAMETOOLONG)
}

/// The names of a path, the first one last.
fn names_of(path: &[u8]) -> Vec<OsString> {
    path.split(|&byte| byte == b'/').rev().map(|name| OsStr::from_bytes(name).to_owned()).collect()
}

/// Where a link of `/proc` leads.
enum OwnLink {
    /// As a path says.
    Text(Vec<u8>),
    /// To something without a path.
    Place(OwnedFd),
}

/// Follows the link `name` in `folder`, which lies in `/proc`, as `thread` would. What other processes have open is
/// none of its business: it could be ours.
fn own_link(thread: u32, folder: &OwnedFd, name: &OsStr) -> Result<OwnLink, Errno> {
    let process = process_of(thread).ok_or(Errno::SRCH)?;
    match name.as_bytes() {
        b"self" => return Ok(OwnLink::Text(process.to_string().into_bytes())),
        b"thread-self" => return Ok(OwnLink::Text(format!("{process}/task/{thread}").into_bytes())),
        _ => {}
    }
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let opened = openat2(folder, name, flags, Mode::empty(), ResolveFlags::NO_MAGICLINKS);
    if !matches!(opened, Err(Errno::LOOP)) {
        return Ok(OwnLink::Text(readlinkat(folder, name, Vec::new())?.into_bytes()));
    }
    let place = path_of(folder).ok_or(Errno::ACCESS)?;
    let own = [process, thread].iter().any(|number| place.starts_with(format!("/proc/{number}")));
    match own {
        true => Ok(OwnLink::Place(openat(folder, name, flags, Mode::empty())?)),
        false => Err(Errno::ACCESS),
    }
}

/// The process that `thread` belongs to.
fn process_of(thread: u32) -> Option<u32> {
    status_field(thread, "Tgid:")?.parse().ok()
}

/// A line of the thread's status.
pub(crate) fn status_field(thread: u32, name: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{thread}/status")).ok()?;
    status.lines().find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned()))
}

/// Where the descriptor leads, as far as there is a path.
pub(crate) fn path_of(file: &OwnedFd) -> Option<PathBuf> {
    let link = readlinkat(CWD, own_name(file), Vec::new()).ok()?;
    Some(PathBuf::from(OsString::from_vec(link.into_bytes())))
}

/// The name of our own descriptor, through which it can be opened again.
pub(crate) fn own_name(file: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

impl Found {
    /// Opens what was found, and nothing else: not what its path leads to by now.
    pub(crate) fn open(&self, flags: OFlags) -> Result<OwnedFd, Errno> {
        open(own_name(&self.place), flags | OFlags::CLOEXEC | OFlags::NOCTTY, Mode::empty())
    }

    /// What it was called, and where it is.
    pub(crate) fn places(&self, asked: &Asked) -> io::Result<Places> {
        let place = path_of(&self.place).ok_or(io::ErrorKind::NotFound)?;
        let asked = Path::new(&asked.path);
        let named = match &self.base {
            _ if asked.is_absolute() => Some(asked.to_owned()),
            Some(base) => path_of(base).map(|base| base.join(asked)),
            None => None,
        };
        // What is called by a number has no other name; and ours would not be the program's.
        let named = named
            .filter(|named| *named != place && !named.starts_with("/proc") && !named.starts_with("/dev"));
        let named = named.and_then(|named| without_links(&named));
        Ok(Places { named: named.filter(|named| *named != place), place })
    }
}

/// The path with a folder without links; the last name stays as it is.
pub(crate) fn without_links(path: &Path) -> Option<PathBuf> {
    match path.components().next_back()? {
        Component::Normal(name) => Some(path.parent()?.canonicalize().ok()?.join(name)),
        _ => None,
    }
}

/// Makes the file that `asked` names, which is not there yet. It is an error when it is there by now.
pub(crate) fn make(asked: &Asked) -> Result<OwnedFd, Errno> {
    let flags = libc::O_CREAT | libc::O_EXCL | libc::O_CLOEXEC | libc::O_NOCTTY;
    let flags = OFlags::from_bits_retain((asked.flags | flags) as u32);
    make_at(asked, |mode| {
        let base = base_of(asked)?;
        let from = base.as_ref().map_or(CWD, AsFd::as_fd);
        let resolve = ResolveFlags::from_bits_retain(asked.resolve) | ResolveFlags::NO_MAGICLINKS;
        openat2(from, &*asked.path, flags, mode, resolve)
    })
}

/// Makes a file without a name in the directory that was found.
pub(crate) fn make_nameless(asked: &Asked, found: &Found) -> Result<OwnedFd, Errno> {
    let flags = OFlags::from_bits_retain((asked.flags | libc::O_CLOEXEC) as u32);
    make_at(asked, |mode| open(own_name(&found.place), flags, mode))
}

/// A new file gets the permissions that the program's mask leaves, not ours.
fn make_at(asked: &Asked, open: impl FnOnce(Mode) -> Result<OwnedFd, Errno>) -> Result<OwnedFd, Errno> {
    let mask = status_field(asked.thread, "Umask:").and_then(|mask| u32::from_str_radix(&mask, 8).ok());
    let mode = Mode::from_bits_retain(asked.mode & 0o7777 & !mask.unwrap_or(0o077));
    let made = open(mode)?;
    if rustix::fs::fstat(&made)?.st_mode & 0o7777 != mode.bits() {
        rustix::fs::fchmod(&made, mode)?;
    }
    Ok(made)
}
