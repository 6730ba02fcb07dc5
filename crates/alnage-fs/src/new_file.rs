//! A file that is written piece by piece and takes its place only when it is finished.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use alnage_types::Source;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::{Error, read::FileSource, write::sync_parent};

/// What is done with a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and the new one is an error.
    Kept,
    /// The new one takes its place.
    Replaced,
}

/// A file in the making. Dropped before it is finished, it leaves nothing behind.
#[derive(Debug)]
pub struct NewFile {
    path: PathBuf,
    temporary: PathBuf,
    file: File,
    finished: bool,
}

impl NewFile {
    /// Begins the file at `path`.
    pub fn begin(path: &Path) -> Result<Self, Error> {
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(format!(".{}.tmp", std::process::id()));
        let temporary = PathBuf::from(temporary);
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&temporary);
        let file = file.map_err(Error::at(path))?;
        Ok(Self { path: path.to_owned(), temporary, file, finished: false })
    }

    /// Adds bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(Error::at(&self.path))
    }

    /// What was written so far.
    pub fn source(&self) -> Result<Arc<dyn Source>, Error> {
        let opened = self.file.metadata().and_then(|metadata| {
            let source = FileSource { file: self.file.try_clone()?, len: metadata.len() };
            Ok(Arc::new(source) as Arc<dyn Source>)
        });
        opened.map_err(Error::at(&self.path))
    }

    /// Puts the file in its place. One that replaces another is on the disk before; a new one comes there when the
    /// system brings it, as with any copy.
    pub fn finish(mut self, existing: Existing) -> Result<(), Error> {
        let placed = match existing {
            Existing::Replaced => self.file.sync_all().and_then(|()| fs::rename(&self.temporary, &self.path)),
            Existing::Kept => rename_to_new(&self.temporary, &self.path),
        };
        placed.map_err(Error::at(&self.path))?;
        self.finished = true;
        match existing {
            Existing::Replaced => sync_parent(&self.path).map_err(Error::at(&self.path)),
            Existing::Kept => Ok(()),
        }
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.finished {
            // It is of no use to anybody; that it could not be removed either is no news.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Renames unless something is there already.
fn rename_to_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // File systems that cannot say so: what comes between the two calls is lost, as it is everywhere else.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::OPNOTSUPP) => {
            if to.symlink_metadata().is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            fs::rename(from, to)
        }
        renamed => Ok(renamed?),
    }
}
