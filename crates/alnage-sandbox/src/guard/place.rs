//! Where an opened file is, as this process sees it, and how the one who waits opens it.

use std::{
    fs,
    io::Read,
    os::fd::{AsFd, OwnedFd},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use rustix::{
    fs::{AtFlags, CWD, StatxFlags, statx},
    io,
};

use crate::{
    admission::Places,
    asked::Asked,
    raw::{Notice, fanotify::as_seen_from},
    resolve::{find, path_of},
};

/// What is known of an open before its file is looked at.
#[derive(Debug)]
pub(super) struct Whereabouts {
    /// Where it is, and what it was called.
    pub(super) places: Places,
    /// How it is opened, when that shows.
    pub(super) manner: Manner,
}

/// What whoever waits will do with the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// Reads it, or nobody can tell.
    Reads,
    /// Writes to it and gets no byte that is there now.
    Writes,
    /// Reads and writes, or means to write as far as its own memory says.
    Both,
}

/// Of the file `file`, which `thread` opens or, with `accesses`, has open. `roots` are directories of ours on the guarded
/// file systems.
pub(super) fn whereabouts(file: &OwnedFd, thread: u32, accesses: bool, roots: &[OwnedFd]) -> Whereabouts {
    let place = place(file, roots);
    let Some(notice) = call_of(thread) else {
        return Whereabouts { places: Places { place, named: None }, manner: Manner::Reads };
    };
    if accesses {
        return Whereabouts { places: Places { place, named: None }, manner: manner_of_access(&notice) };
    }
    let asked = Asked::read(&notice);
    let named = asked.as_ref().and_then(|asked| {
        let found = find(asked).ok()?;
        // What it means to us it may not mean to a process that sees other mounts, or by now.
        same_file(file, &found.place).then(|| found.places(asked).ok())??.named
    });
    let manner = asked.map_or(Manner::Reads, |asked| manner(&asked, notice.call == libc::SYS_openat2));
    Whereabouts { places: Places { place, named }, manner }
}

/// Flags in a register are what the kernel acts upon. Those of `openat2` lie in memory and may be others by now: they
/// can tell of a wish to write, not rule reading out.
fn manner(asked: &Asked, in_memory: bool) -> Manner {
    match asked.flags & libc::O_ACCMODE {
        libc::O_RDONLY if !asked.has(libc::O_TRUNC) => Manner::Reads,
        libc::O_RDWR if asked.has(libc::O_TRUNC) && !in_memory => Manner::Writes,
        libc::O_WRONLY if !in_memory && !asked.starts => Manner::Writes,
        _ => Manner::Both,
    }
}

/// Calls that only put bytes into a file. Some of the others read from one file and write to another, so nobody can tell.
fn manner_of_access(notice: &Notice) -> Manner {
    const WRITING: &[i64] = &[
        libc::SYS_write,
        libc::SYS_pwrite64,
        libc::SYS_writev,
        libc::SYS_pwritev,
        libc::SYS_pwritev2,
        libc::SYS_ftruncate,
        libc::SYS_truncate,
        libc::SYS_fallocate,
    ];
    if WRITING.contains(&notice.call) { Manner::Writes } else { Manner::Reads }
}

/// The call in which `thread` waits.
fn call_of(thread: u32) -> Option<Notice> {
    const TRIES: usize = 500;
    const AT_ONCE: usize = 20;
    if thread == 0 {
        return None;
    }
    for tried in 0..TRIES {
        // One line, which one read gives whole.
        let mut buffer = [0; 256];
        let mut line = fs::File::open(format!("/proc/{thread}/syscall")).ok()?;
        let count = line.read(&mut buffer).ok()?;
        let text = std::str::from_utf8(buffer.get(..count)?).ok()?;
        // It is on its way to where it waits.
        if text.starts_with("running") {
            match tried < AT_ONCE {
                true => thread::yield_now(),
                false => thread::sleep(Duration::from_micros(100)),
            }
            continue;
        }
        let mut words = text.split_whitespace();
        let call = words.next()?.parse().ok().filter(|&call: &i64| call >= 0)?;
        let mut arguments = [0; 6];
        for argument in &mut arguments {
            *argument = u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok()?;
        }
        return Some(Notice { id: 0, thread, call, arguments });
    }
    None
}

/// Where the file is; an empty path when that is nowhere that we can see.
///
/// Who waits may have mounts of its own, on which the file has another path, even one that is somewhere else for us. So a
/// path counts only when it leads us to the same file on the same mount.
fn place(file: &OwnedFd, roots: &[OwnedFd]) -> PathBuf {
    let shown = path_of(file).unwrap_or_default();
    if leads_to(&shown, file, true) {
        return shown;
    }
    for root in roots.iter().filter(|root| same_device(root, file)) {
        if let Ok(seen) = as_seen_from(root, file)
            && let Some(path) = path_of(&seen)
            && (leads_to(&path, file, false) || path.as_os_str().as_encoded_bytes().ends_with(DELETED))
        {
            return path;
        }
    }
    PathBuf::new()
}

const DELETED: &[u8] = b" (deleted)";

fn leads_to(path: &Path, file: &OwnedFd, on_the_same_mount: bool) -> bool {
    let mask = StatxFlags::BASIC_STATS | StatxFlags::MNT_ID;
    let of_path = statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, mask);
    let of_file = statx(file, "", AtFlags::EMPTY_PATH, mask);
    match (of_path, of_file) {
        (Ok(path), Ok(file)) => {
            let same = (path.stx_ino, path.stx_dev_major, path.stx_dev_minor)
                == (file.stx_ino, file.stx_dev_major, file.stx_dev_minor);
            same && (!on_the_same_mount || path.stx_mnt_id == file.stx_mnt_id)
        }
        _ => false,
    }
}

fn same_file(one: impl AsFd, other: impl AsFd) -> bool {
    both(one, other).is_ok_and(|(one, other)| (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino))
}

fn same_device(one: impl AsFd, other: impl AsFd) -> bool {
    both(one, other).is_ok_and(|(one, other)| one.st_dev == other.st_dev)
}

fn both(one: impl AsFd, other: impl AsFd) -> io::Result<(rustix::fs::Stat, rustix::fs::Stat)> {
    Ok((rustix::fs::fstat(one)?, rustix::fs::fstat(other)?))
}

/// Processes, besides us, that have the file of this file system and number open or mapped.
pub(super) fn holders(device: u64, inode: u64) -> Vec<u32> {
    use std::os::unix::fs::MetadataExt;
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let others = processes.filter(|&process| process > 1 && process != std::process::id());
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let mapped = format!(" {major:02x}:{minor:02x} {inode} ");
    let has_it = |process: &u32| {
        let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap_or_default();
        let mut open = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
        maps.contains(&mapped)
            || open.any(|entry| {
                let file = fs::metadata(entry.path());
                file.is_ok_and(|file| (file.dev(), file.ino()) == (device, inode))
            })
    };
    others.filter(has_it).collect()
}
