//! A log in a directory: the driver of the log's store.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use alnage_log::Store;

use crate::{Error, write};

/// A log's directory. Objects keep their names as paths below it.
#[derive(Debug)]
pub struct LogDir {
    path: PathBuf,
    /// Held while it lives, so that one process writes at a time.
    _lock: Option<File>,
}

impl LogDir {
    /// The log at `path`, to read from.
    pub fn open(path: &Path) -> Self {
        Self { path: path.to_owned(), _lock: None }
    }

    /// The log at `path`, to write to: the directory is made when there is none, and others wait.
    pub fn lock(path: &Path) -> Result<Self, Error> {
        fs::create_dir_all(path).map_err(Error::at(path))?;
        let lock_path = path.join("lock");
        let options = File::options().create(true).truncate(false).write(true).open(&lock_path);
        let lock = options.and_then(|lock| lock.lock().map(|()| lock)).map_err(Error::at(lock_path))?;
        Ok(Self { path: path.to_owned(), _lock: Some(lock) })
    }
}

impl Store for LogDir {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.path.join(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.path.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        write::replace(&path, bytes)
    }
}
