//! A log in a directory: the driver of the log's store, for logs and for what witnesses keep.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use alnage_log::Store;

use crate::{Error, root::Root};

/// Longer than any object of a log: 256 entries of 64 KiB.
const MAX_OBJECT: u64 = 17 << 20;
/// What is being written, before it gets its name. One is enough, as one process writes at a time.
const UNFINISHED: &str = "unfinished";
const LOCK: &str = "lock";

/// A log's directory. Objects keep their names as paths below it, and no link is followed.
#[derive(Debug)]
pub struct LogDir {
    path: PathBuf,
    /// Held while it lives, so that one process writes at a time.
    lock: Option<File>,
}

impl LogDir {
    /// The log at `path`, to read from.
    pub fn open(path: &Path) -> Self {
        Self { path: path.to_owned(), lock: None }
    }

    /// The log at `path`, to write to: the directory is made when there is none, and others wait.
    pub fn lock(path: &Path) -> Result<Self, Error> {
        create_durably(path).map_err(Error::at(path))?;
        let lock_path = path.join(LOCK);
        let options = File::options().create(true).truncate(false).write(true).mode(0o644).open(&lock_path);
        let lock = options.and_then(|lock| lock.lock().map(|()| lock)).map_err(Error::at(lock_path))?;
        Ok(Self { path: path.to_owned(), lock: Some(lock) })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Store for LogDir {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let absent = |error: &io::Error| {
            matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
        };
        let root = match Root::open(self.path.clone()) {
            Ok(root) => root,
            Err(Error::NotFound(_)) => return Ok(None),
            Err(error) => return Err(io::Error::other(error)),
        };
        let file = match root.file(Path::new(name)) {
            Ok(file) => file,
            Err(error) if absent(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        file.file.take(MAX_OBJECT + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_OBJECT {
            return Err(io::Error::other(format!("longer than {MAX_OBJECT} bytes")));
        }
        Ok(Some(bytes))
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        if self.lock.is_none() {
            return Err(io::Error::other("the log was opened for reading"));
        }
        let path = self.path.join(name);
        let parent = path.parent().unwrap_or(&self.path);
        create_durably(parent)?;
        let unfinished = self.path.join(UNFINISHED);
        let mut file =
            File::options().write(true).create(true).truncate(true).mode(0o644).open(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&unfinished, &path)?;
        sync_directory(parent)
    }

    fn discard(&mut self, folder: &str) -> io::Result<()> {
        match fs::remove_dir_all(self.path.join(folder)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        let mut waiting = vec![PathBuf::new()];
        while let Some(folder) = waiting.pop() {
            let entries = match fs::read_dir(self.path.join(&folder)) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            for entry in entries {
                let entry = entry?;
                let path = folder.join(entry.file_name());
                if entry.file_type()?.is_dir() {
                    waiting.push(path);
                } else {
                    names.push(path.to_string_lossy().into_owned());
                }
            }
        }
        Ok(names)
    }
}

/// Makes the directory `path` so that it survives a crash: each new name is written to the disk with its parent.
fn create_durably(path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|folder| !exists(folder)).collect();
    for folder in missing.into_iter().rev() {
        match fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => sync_directory(folder.parent().unwrap_or(folder))?,
        }
    }
    Ok(())
}

fn exists(folder: &Path) -> bool {
    folder.as_os_str().is_empty() || folder.is_dir()
}

fn sync_directory(path: &Path) -> io::Result<()> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path)?.sync_all()
}
