//! Starting the program behind filter and wall, and getting hold of the filter's questions.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs::{self, File},
    io::{self, IoSlice, IoSliceMut, Read},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::{ffi::OsStrExt, fs::PermissionsExt, process::CommandExt},
    },
    path::{Path, PathBuf},
    process::{Child, Command},
    thread,
};

use rustix::{
    io::{FdFlags, fcntl_setfd},
    net::{
        AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
        SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
    },
};

use crate::{
    Error,
    filter::Filter,
    raw::{before_exec, inherited, install_filter},
    wall::{Plan, Wall},
};

/// What the program is kept from besides models that are not admitted.
#[derive(Debug, Clone, Default)]
pub struct Confinement {
    /// It gets no sockets but those between programs of this machine.
    pub no_network: bool,
    /// It may write nowhere but in `writable`.
    pub read_only: bool,
    /// Where it may write all the same.
    pub writable: Vec<PathBuf>,
    /// More places that programs are started from.
    pub programs: Vec<PathBuf>,
}

/// A program that can be started.
pub(crate) struct Program {
    /// As it was named.
    named: OsString,
    arguments: Vec<OsString>,
    /// Where it is.
    pub(crate) path: PathBuf,
}

/// Where programs and their libraries are on every machine.
pub(crate) const SYSTEM: &[&str] =
    &["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store", "/gnu/store", "/snap"];

impl Program {
    /// Finds the program as a shell would.
    pub(crate) fn find(command: &[OsString]) -> Result<Self, Error> {
        let (named, arguments) = command.split_first().ok_or_else(|| Error::NoProgram(PathBuf::new()))?;
        let missing = || Error::NoProgram(PathBuf::from(named));
        let path = if named.as_bytes().contains(&b'/') {
            Some(PathBuf::from(named)).filter(|path| path.exists())
        } else {
            let folders = env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
            env::split_paths(&folders).map(|folder| folder.join(named)).find(|path| is_program(path))
        };
        let path = path.ok_or_else(missing)?;
        Ok(Self { named: named.clone(), arguments: arguments.to_vec(), path })
    }

    /// What the kernel reads to start this program and others on the search path.
    pub(crate) fn places(&self, more: &[PathBuf]) -> Vec<PathBuf> {
        let system = SYSTEM.iter().map(PathBuf::from).chain(more.iter().cloned());
        let mut places: Vec<PathBuf> = system.filter_map(|place| place.canonicalize().ok()).collect();
        let mut files = vec![self.path.clone()];
        files.extend(interpreter(&self.path));
        files.extend(files.clone().iter().filter_map(|file| file.canonicalize().ok()));
        places.extend(files.iter().filter_map(|file| installation(file.parent()?)));
        places.extend(files);
        let folders = env::var_os("PATH").unwrap_or_default();
        for folder in env::split_paths(&folders).filter_map(|folder| folder.canonicalize().ok()) {
            if folder == Path::new("/") || places.iter().any(|place| folder.starts_with(place)) {
                continue;
            }
            places.extend(linked_programs(&folder));
            places.extend(installation(&folder));
            places.push(folder);
        }
        places
    }
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// What a folder of programs is part of, when that is an installation of Python or of versions of it: its packages bring
/// programs of their own.
fn installation(folder: &Path) -> Option<PathBuf> {
    let whole = folder.parent()?;
    let is_python = || {
        let mut below = fs::read_dir(whole.join("lib")).into_iter().flatten().flatten();
        below.any(|entry| entry.file_name().as_bytes().starts_with(b"python3"))
    };
    let is_one = whole.join("pyvenv.cfg").exists()
        || whole.join("conda-meta").exists()
        || folder.ends_with("shims")
        || is_python() && !whole.ends_with(".local");
    is_one.then(|| whole.canonicalize().ok()).flatten().filter(|whole| whole.components().count() > 2)
}

/// What the links in a folder of programs lead to: the Python of an environment lies elsewhere.
fn linked_programs(folder: &Path) -> Vec<PathBuf> {
    const MOST: usize = 4096;
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().take(MOST);
    let links = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_symlink()));
    links.filter_map(|link| link.path().canonicalize().ok()).filter(|path| is_program(path)).collect()
}

/// What a script says it is run by.
fn interpreter(script: &Path) -> Option<PathBuf> {
    let mut head = Vec::new();
    File::open(script).ok()?.take(256).read_to_end(&mut head).ok()?;
    let line = head.strip_prefix(b"#!")?.split(|&byte| byte == b'\n').next()?;
    let word = line.trim_ascii().split(u8::is_ascii_whitespace).next()?;
    Some(PathBuf::from(OsStr::from_bytes(word)))
}

/// Starts `program`; when `enforcing`, it may read nothing by itself but what is in `places`. `serve` gets where its
/// questions come from, in a thread of its own: that it wants to start a program is the first one.
pub(crate) fn launch(
    program: &Program,
    filter: Filter,
    confinement: &Confinement,
    places: &[PathBuf],
    enforcing: bool,
    serve: impl FnOnce(OwnedFd) -> io::Result<()> + Send + 'static,
) -> Result<Child, Error> {
    let wall = if enforcing || confinement.read_only {
        let writable = confinement.read_only.then_some(&confinement.writable[..]);
        let (reads_nothing, no_network) = (enforcing, confinement.no_network);
        Some(Wall::build(&Plan { reads_nothing, programs: places, writable, no_network })?)
    } else {
        None
    };
    if enforcing {
        keep_to_ourselves().map_err(Error::at("closing what was inherited"))?;
    }
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
        .map_err(Error::at("a pair of sockets"))?;
    let instructions = filter.program();
    let mut command = Command::new(&program.path);
    command.arg0(&program.named).args(&program.arguments);
    before_exec(&mut command, move || {
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
        rustix::thread::set_no_new_privs(true)?;
        if let Some(wall) = &wall {
            wall.put_up()?;
        }
        let listener = install_filter(&instructions)?;
        send(theirs.as_fd(), listener.as_fd())
    });
    let serving = thread::Builder::new()
        .spawn(move || receive(ours.as_fd()).and_then(serve))
        .map_err(Error::at("a thread"))?;
    let child = command.spawn().map_err(|error| match error.raw_os_error() {
        Some(libc::ENOSYS | libc::EINVAL | libc::EBUSY) => {
            Error::Unsupported(format!("it does not let a program's calls be asked about: {error}"))
        }
        _ => Error::at(format!("`{}` could not be started", program.path.display()))(error),
    })?;
    drop(command);
    match serving.join() {
        Ok(served) => served.map_err(Error::at("the filter's questions"))?,
        Err(panic) => std::panic::resume_unwind(panic),
    }
    Ok(child)
}

/// Descriptors that came from outside are not passed on, but for pipes and devices: nobody has looked at what they are
/// open on.
fn keep_to_ourselves() -> io::Result<()> {
    inherited(|descriptor| {
        let kind = rustix::fs::fstat(descriptor).map(|stat| stat.st_mode & libc::S_IFMT);
        if !matches!(kind, Ok(libc::S_IFIFO | libc::S_IFCHR)) {
            // One that has been closed since needs no closing.
            let _ = fcntl_setfd(descriptor, FdFlags::CLOEXEC);
        }
    })
}

fn send(socket: impl AsFd, descriptor: BorrowedFd<'_>) -> io::Result<()> {
    send_all(socket, &[descriptor])
}

/// Sends at most two descriptors.
pub(crate) fn send_all(socket: impl AsFd, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(descriptors));
    sendmsg(socket, &[IoSlice::new(b"\0")], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

fn receive(socket: impl AsFd) -> io::Result<OwnedFd> {
    let (_, descriptors) = receive_all(socket)?;
    descriptors.into_iter().next().ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// Receives descriptors, or a byte that says why there are none.
pub(crate) fn receive_all(socket: impl AsFd) -> io::Result<(u8, Vec<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    recvmsg(socket, &mut [IoSliceMut::new(&mut byte)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let descriptors = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    Ok((byte[0], descriptors.flatten().collect()))
}
