//! Blobs in a directory: written beside, flushed, then put in place, so a name never stands for half a file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use alnage_types::Digest;
use sha2::{Digest as _, Sha256};

use super::{BlobReader, From, Listed, SMALL, Stored, blob_oid, key, pointer_oid, scratch};
use crate::{Error, Result};

const BUFFER: usize = 1024 * 1024;

/// A directory of blobs.
#[derive(Clone, Debug)]
pub struct Local {
    root: PathBuf,
}

impl Local {
    /// Opens the directory, and makes it if there is none.
    pub fn at(root: &Path) -> Result<Self> {
        fs::create_dir_all(scratch(root)).map_err(|error| about(root, &error))?;
        fs::create_dir_all(root.join("blobs/sha256")).map_err(|error| about(root, &error))?;
        Ok(Self { root: root.to_owned() })
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the blob with this digest is, if it is.
    pub fn path(&self, digest: Digest) -> PathBuf {
        self.root.join(key(digest))
    }

    pub(super) fn put(&self, from: impl Read, expect: Option<Digest>) -> Result<Stored> {
        let mut beside = Beside::create(&scratch(&self.root))?;
        let stored = beside.take(from, expect)?;
        let place = self.path(stored.digest);
        if place.try_exists()? {
            keep(&place)?;
        } else {
            beside.file.sync_all()?;
            settle(&beside.path, &place)?;
        }
        Ok(stored)
    }

    pub(super) fn put_file(&self, path: &Path, digest: Digest) -> Result<()> {
        let place = self.path(digest);
        if place.try_exists()? {
            return keep(&place);
        }
        File::open(path)?.sync_all()?;
        let linked = Beside::name(&scratch(&self.root));
        if fs::hard_link(path, &linked).is_err() {
            return self.put(File::open(path)?, Some(digest)).map(|_| ());
        }
        let settled = settle(&linked, &place);
        if settled.is_err() {
            let _ = fs::remove_file(&linked);
        }
        settled
    }

    pub(super) fn open(&self, digest: Digest) -> Result<Option<BlobReader>> {
        match File::open(self.path(digest)) {
            Ok(file) => Ok(Some(BlobReader { size: file.metadata()?.len(), from: From::File(file) })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn materialise(&self, digest: Digest, to: &Path) -> Result<()> {
        let place = self.path(digest);
        match fs::hard_link(&place, to) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !place.try_exists()? => {
                Err(Error::NotFound(format!("the content {digest}")))
            }
            // Another file system, or as many links as it allows.
            Err(_) => fs::copy(&place, to).map(|_| ()).map_err(|error| about(to, &error)),
        }
    }

    pub(super) fn contains(&self, digest: Digest) -> Result<bool> {
        Ok(self.path(digest).try_exists()?)
    }

    pub(super) fn delete(&self, digest: Digest) -> Result<()> {
        match fs::remove_file(self.path(digest)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    pub(super) fn pages(&self, take: &mut dyn FnMut(Vec<Listed>) -> Result<()>) -> Result<()> {
        for first in entries(&self.root.join("blobs/sha256"))? {
            let mut page = Vec::new();
            for second in entries(&first)? {
                for path in entries(&second)? {
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    let Ok(digest) = name.parse() else { continue };
                    // Somebody else may have deleted it.
                    let Ok(metadata) = fs::metadata(&path) else { continue };
                    page.push(Listed { digest, size: metadata.len(), modified: metadata.modified().ok() });
                }
            }
            take(page)?;
        }
        Ok(())
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}

/// A file that is being written; gone when dropped, unless it was put in place.
pub(super) struct Beside {
    pub(super) path: PathBuf,
    pub(super) file: File,
}

impl Beside {
    pub(super) fn create(folder: &Path) -> Result<Self> {
        let path = Self::name(folder);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(|error| about(&path, &error))?;
        Ok(Self { path, file })
    }

    fn name(folder: &Path) -> PathBuf {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        folder.join(format!("{}-{}-{next}", std::process::id(), since.as_nanos()))
    }

    /// Writes what `from` gives, which must have the digest `expect` when that is given.
    pub(super) fn take(&mut self, from: impl Read, expect: Option<Digest>) -> Result<Stored> {
        let (digest, size) = self.fill(from)?;
        if expect.is_some_and(|expect| expect != digest) {
            return Err(Error::Invalid(format!(
                "the content has the digest {digest}, which is not what was announced"
            )));
        }
        let git_oid =
            if size <= SMALL { blob_oid(size, File::open(&self.path)?)? } else { pointer_oid(digest, size) };
        Ok(Stored { digest, size, git_oid })
    }

    /// Writes what `from` gives, and tells digest and size.
    pub(super) fn fill(&mut self, mut from: impl Read) -> Result<(Digest, u64)> {
        let mut hash = Sha256::new();
        let mut size = 0_u64;
        let mut buffer = alnage_types::Buffer::new(BUFFER);
        loop {
            let count = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Error::Unavailable(format!("the content broke off: {error}"))),
            };
            let bytes = buffer.get(..count).unwrap_or_default();
            hash.update(bytes);
            self.file.write_all(bytes)?;
            size = size.saturating_add(count as u64);
        }
        Ok((Digest::from_bytes(hash.finalize().into()), size))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Has content that came again count as new, so that it is not swept before somebody names it.
fn keep(place: &Path) -> Result<()> {
    let now = fs::FileTimes::new().set_modified(std::time::SystemTime::now());
    Ok(File::open(place)?.set_times(now)?)
}

/// Puts a flushed file in place, and the name of it onto the disk.
fn settle(from: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().unwrap_or(Path::new("."));
    if !folder.try_exists()? {
        fs::create_dir_all(folder)?;
        for above in folder.ancestors().skip(1).take(2) {
            File::open(above)?.sync_all()?;
        }
    }
    let mut permissions = fs::metadata(from)?.permissions();
    permissions.set_readonly(true);
    fs::set_permissions(from, permissions)?;
    fs::rename(from, to)?;
    File::open(folder)?.sync_all()?;
    Ok(())
}

fn about(path: &Path, error: &io::Error) -> Error {
    Error::internal(format!("`{}`: {error}", path.display()))
}
