//! The wall: Landlock rules by which the program itself may read no file but programs, devices and `/proc`.

use std::{
    fs::{self, File},
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::{FileTypeExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
};

use crate::{
    Error,
    raw::{Handled, landlock_allow, landlock_restrict, landlock_ruleset, landlock_version},
};

const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
/// Removing and making of every kind.
const CHANGE_DIRECTORY: u64 = 0b1_1111_1111 << 4;
/// Moving and linking between directories.
const REFER: u64 = 1 << 13;
const TRUNCATE: u64 = 1 << 14;

const SCOPE_ABSTRACT_SOCKETS: u64 = 1;
const SCOPE_SIGNALS: u64 = 1 << 1;

/// The least version that can be used: before it, no file can be moved between directories behind a wall.
const LEAST_VERSION: i64 = 2;

/// What the program may do by itself.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// Whether it may read nothing but programs, devices and `/proc`.
    pub(crate) reads_nothing: bool,
    /// Files and directories with programs, which the kernel reads to start them.
    pub(crate) programs: &'a [PathBuf],
    /// Where it may write when it may not write elsewhere; `None` for everywhere.
    pub(crate) writable: Option<&'a [PathBuf]>,
    /// Whether sockets that other programs listen at under an abstract name are out of reach.
    pub(crate) no_network: bool,
}

/// A wall that is ready to be put up.
#[derive(Debug)]
pub(crate) struct Wall(OwnedFd);

impl Wall {
    /// Makes the wall.
    pub(crate) fn build(plan: &Plan<'_>) -> Result<Self, Error> {
        let version = landlock_version();
        if version < LEAST_VERSION {
            return Err(Error::Unsupported(match version {
                0 => "it has no Landlock, or it is switched off (`lsm=` on its command line)".to_owned(),
                _ => format!("its Landlock is of version {version}, and {LEAST_VERSION} is needed"),
            }));
        }
        let truncate = if version >= 3 { TRUNCATE } else { 0 };
        let change = WRITE_FILE | CHANGE_DIRECTORY | REFER | truncate;
        let read = if plan.reads_nothing { READ_FILE } else { 0 };
        let files = read | if plan.writable.is_some() { change } else { REFER };
        let scoped = SCOPE_SIGNALS | if plan.no_network { SCOPE_ABSTRACT_SOCKETS } else { 0 };
        let handled = Handled { files, network: 0, scoped: if version >= 6 { scoped } else { 0 } };
        let fields = match version {
            ..4 => 1,
            4..6 => 2,
            _ => 3,
        };
        let ruleset = landlock_ruleset(&handled, fields).map_err(Error::at("a ruleset of Landlock"))?;
        let wall = Self(ruleset);
        match plan.writable {
            // What was readable nowhere does not become readable by moving it: the kernel sees to that.
            None => wall.allow(Path::new("/"), REFER),
            Some(places) => places.iter().for_each(|place| wall.allow(place, change)),
        }
        let write = files & (WRITE_FILE | truncate);
        wall.allow(Path::new("/proc"), read | write & WRITE_FILE);
        for device in devices() {
            wall.allow(&device, read | write);
        }
        plan.programs.iter().for_each(|place| wall.allow(place, read));
        Ok(wall)
    }

    /// Allows `access` at and below `place`; what is not there needs no allowing.
    fn allow(&self, place: &Path, access: u64) {
        let Ok(opened) = File::options().read(true).custom_flags(libc::O_PATH).open(place) else { return };
        let is_directory = opened.metadata().is_ok_and(|metadata| metadata.is_dir());
        let of_files = WRITE_FILE | READ_FILE | TRUNCATE;
        let access = if is_directory { access } else { access & of_files };
        if access == 0 {
            return;
        }
        // A place that cannot be allowed is forbidden, which is the safe side.
        let _ = landlock_allow(self.0.as_fd(), opened.as_fd(), access);
    }

    /// Puts it up around this thread, for good. Only makes a system call.
    pub(crate) fn put_up(&self) -> std::io::Result<()> {
        landlock_restrict(self.0.as_fd())
    }
}

/// Terminals, `/dev/null`, accelerators: what may be opened by the program alone, as drivers ask who opened them.
/// Disks are not among them, as a model can be read off a disk.
fn devices() -> Vec<PathBuf> {
    const MOST: usize = 4096;
    let mut devices = vec![PathBuf::from("/dev/pts")];
    let mut folders = vec![(PathBuf::from("/dev"), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            let name = entry.file_name();
            if kind.is_char_device() && devices.len() < MOST && name != "mem" && name != "port" {
                devices.push(entry.path());
            } else if kind.is_dir() && depth < 2 && name != "shm" && name != "pts" && name != "mqueue" {
                folders.push((entry.path(), depth + 1));
            }
        }
    }
    devices
}
