//! How a guard begins: what it guards, and the group it goes on with so that nothing is opened unjudged in between.

use std::{
    collections::BTreeSet,
    fs,
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::MetadataExt,
    },
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64},
    },
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{Mode as FileMode, OFlags, open},
    process::{
        Pid, PidfdFlags, PidfdGetfdFlags, Resource, Rlimit, Signal, getrlimit, pidfd_getfd, pidfd_open,
        pidfd_send_signal, setrlimit,
    },
};
use serde_json::json;

use super::{
    Guard, Guarded, Guarding, Overload,
    group::{Group, MOST_FILES, inherited},
    judge::{Judge, Scope},
    queue::Queue,
    systemd,
};
use crate::{Error, admission::Gate, audit::say, raw::hold_signals};

type MakeGate = Box<dyn Fn() -> Result<Gate, String>>;

/// Marks are up when this returns, and nobody reads yet what waits.
pub(super) fn start(guarding: Guarding) -> Result<(Arc<Guard>, MakeGate, usize), Error> {
    if !rustix::process::geteuid().is_root() {
        return Err(needs_root("this is another user's process"));
    }
    hold_signals();
    limit_files();
    let gate = (guarding.gate)().map_err(Error::Unguardable)?;
    let mut scope = Scope::default();
    let marked = marked(&guarding.places, &mut scope)?;
    let shown: Vec<_> =
        guarding.places.iter().map(|place| place.path().to_string_lossy().into_owned()).collect();
    guarding.audit.event("start", vec![("guards", json!(shown)), ("process", json!(std::process::id()))]);
    let judge = Judge::new(gate, guarding.audit, scope);
    let admits_unseen = judge.only_looks() || guarding.overload == Overload::Allow;
    // From here on nothing on a guarded file system is opened before the reader runs.
    let group = match guarding.predecessor {
        Some(process) => Group::adopt(follow(process)?, admits_unseen),
        None => match inherited() {
            Some(group) => Group::adopt(group, admits_unseen),
            None => Group::new(guarding.accesses).map_err(|error| needs_root(&error.to_string()))?,
        },
    };
    for place in &marked {
        let what = || format!("`{}` cannot be guarded", place.display());
        match group.mark(place, guarding.accesses) {
            Err(error) if guarding.accesses && group.mark(place, false).is_ok() => {
                say(format_args!("`{}`: reads are not judged, only opens: {error}", place.display()));
            }
            marked => marked.map_err(Error::at(what()))?,
        }
    }
    if may_be_kept(&marked) {
        systemd::keep(group.as_fd());
    }
    let guard = Guard {
        group,
        judge,
        queue: Queue::new(guarding.queue),
        limit: guarding.limit,
        admits_unseen,
        on_change: guarding.on_change,
        report: guarding.report,
        ending: AtomicBool::new(false),
        ended: AtomicBool::new(false),
        rounds: AtomicU64::new(0),
    };
    Ok((Arc::new(guard), guarding.gate, guarding.workers.max(1)))
}

fn needs_root(why: &str) -> Error {
    Error::Unguardable(format!("only root can (CAP_SYS_ADMIN, Linux 5.10): {why}"))
}

impl Guarded {
    fn path(&self) -> &Path {
        match self {
            Self::FileSystem(path) | Self::Folder(path) => path,
        }
    }
}

/// A follower answers for every number that a file of ours can have.
fn limit_files() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let most = Some(maximum.map_or(MOST_FILES, |maximum| maximum.min(MOST_FILES)));
    // Fewer files are fewer that are held.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most });
}

fn canonical(path: &Path) -> Result<PathBuf, Error> {
    path.canonicalize().map_err(Error::at(format!("`{}`", path.display())))
}

/// A place on each file system that is marked: those that are named, and those that are mounted below a directory.
fn marked(places: &[Guarded], scope: &mut Scope) -> Result<Vec<PathBuf>, Error> {
    let mut marked = Vec::new();
    let mut devices = BTreeSet::new();
    let mounts = mounts();
    for place in places {
        let own = canonical(place.path())?;
        let mut here = vec![own.clone()];
        match place {
            Guarded::FileSystem(_) => scope.devices.push(device(&own)?),
            Guarded::Folder(_) => {
                here.extend(mounts.iter().filter(|mount| mount.starts_with(&own)).cloned());
                scope.folders.push(own);
            }
        }
        for place in here {
            if devices.insert(device(&place)?) {
                scope.roots.push(folder(&place)?);
                marked.push(place);
            }
        }
    }
    Ok(marked)
}

fn device(path: &Path) -> Result<u64, Error> {
    fs::metadata(path).map(|found| found.dev()).map_err(Error::at(format!("`{}`", path.display())))
}

/// Where file systems are mounted.
fn mounts() -> Vec<PathBuf> {
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let places = text.lines().filter_map(|line| line.split(' ').nth(4));
    places.map(|place| PathBuf::from(place.replace("\\040", " "))).filter(|place| place.exists()).collect()
}

fn folder(place: &Path) -> Result<OwnedFd, Error> {
    let folder = if place.is_dir() { place } else { place.parent().unwrap_or(place) };
    let opened = open(folder, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, FileMode::empty());
    opened.map_err(Error::at(format!("`{}`", folder.display())))
}

/// Whether the machine can go on while everybody who opens a file on these file systems waits for a guard to start.
fn may_be_kept(marked: &[PathBuf]) -> bool {
    let needed = ["/", "/usr", "/etc", "/run", "/var", "/proc/self/exe"];
    let needed: Vec<_> = needed.iter().filter_map(|path| device(Path::new(path)).ok()).collect();
    !marked.iter().filter_map(|place| device(place).ok()).any(|device| needed.contains(&device))
}

/// Takes over the group of the guard that runs as `process`, and waits for its end.
fn follow(process: u32) -> Result<OwnedFd, Error> {
    const PATIENCE: Timespec = Timespec { tv_sec: 30, tv_nsec: 0 };
    let what = format!("the guard that runs as process {process}");
    let number = i32::try_from(process).ok().and_then(Pid::from_raw);
    let number = number.ok_or_else(|| Error::Unguardable(format!("{what} cannot be")))?;
    let handle = pidfd_open(number, PidfdFlags::empty()).map_err(Error::at(what.clone()))?;
    let files = fs::read_dir(format!("/proc/{process}/fd")).map_err(Error::at(what.clone()))?;
    let numbers = files.flatten().filter_map(|file| file.file_name().to_str()?.parse::<i32>().ok());
    let mut taken = numbers.filter_map(|number| pidfd_getfd(&handle, number, PidfdGetfdFlags::empty()).ok());
    let group = taken.find(|file| Group::is_one(file));
    let group = group.ok_or_else(|| Error::Unguardable(format!("{what} is none")))?;
    pidfd_send_signal(&handle, Signal::TERM).map_err(Error::at(what.clone()))?;
    let mut polled = [PollFd::new(&handle, PollFlags::IN)];
    match poll(&mut polled, Some(&PATIENCE)) {
        Ok(0) | Err(_) => Err(Error::Unguardable(format!("{what} does not end"))),
        Ok(_) => Ok(group),
    }
}
