//! The directory files are opened under: an open descriptor, and paths without links below it.

use std::{
    fs::{File, Metadata},
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::{Path, PathBuf},
};

use rustix::fs::{self, Mode, OFlags};

use crate::Error;

/// An open directory.
#[derive(Debug)]
pub(crate) struct Root {
    descriptor: OwnedFd,
}

impl Root {
    /// Opens the directory `path`, which is canonical.
    pub(crate) fn open(path: PathBuf) -> Result<Self, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match fs::open(&path, flags, Mode::empty()) {
            Ok(descriptor) => Ok(Self { descriptor }),
            Err(error) => Err(Error::at(path)(error.into())),
        }
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }

    /// Opens the file at `path` that the user named, links and all; like [`file`](Self::file) it never waits.
    pub(crate) fn named(path: &Path) -> io::Result<RegularFile> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        regular(fs::open(path, flags, Mode::empty())?.into())
    }

    /// Opens the file at `relative`. Fails when any part of it is a link by now, and never waits: a pipe put in
    /// the file's place opens at once and is refused by its type.
    pub(crate) fn file(&self, relative: &Path) -> io::Result<RegularFile> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        regular(self.open_beneath(relative, flags)?.into())
    }

    #[cfg(target_os = "linux")]
    fn open_beneath(&self, relative: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        use rustix::fs::ResolveFlags;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        match fs::openat2(&self.descriptor, relative, flags, Mode::empty(), resolve) {
            // A kernel before 5.6, or a sandbox that does not know the call.
            Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => {
                Ok(fs::openat(&self.descriptor, relative, flags, Mode::empty())?)
            }
            opened => Ok(opened?),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn open_beneath(&self, relative: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        Ok(fs::openat(&self.descriptor, relative, flags, Mode::empty())?)
    }
}

/// A file that was a regular one when it was opened.
pub(crate) struct RegularFile {
    pub(crate) file: File,
    /// As it was then.
    pub(crate) metadata: Metadata,
}

fn regular(file: File) -> io::Result<RegularFile> {
    let metadata = file.metadata()?;
    match metadata.is_file() {
        true => Ok(RegularFile { file, metadata }),
        false => Err(io::Error::other("no longer a regular file")),
    }
}
