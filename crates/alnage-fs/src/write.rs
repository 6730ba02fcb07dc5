//! Writing: whole files or nothing, secrets for their owner alone.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use crate::{Error, root::Root};

/// Writes `bytes` to `path` so that a reader sees the old file or the new one, never a part. A device or a pipe is
/// written to, not replaced.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    replace(path, bytes).map_err(Error::at(path))
}

pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
        return OpenOptions::new().write(true).open(path)?.write_all(bytes);
    }
    through_temporary(path, |temporary| write_new(temporary, bytes, 0o644))?;
    sync_parent(path)
}

/// Writes `bytes` for their owner alone. A crash may take the file away, which is no loss: it is only a cache.
pub(crate) fn replace_cache(path: &Path, bytes: &[u8]) -> io::Result<()> {
    through_temporary(path, |temporary| {
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(temporary)?.write_all(bytes)
    })
}

/// Has `write` make a file beside `path` and puts it in the place of `path`.
fn through_temporary(path: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.tmp", std::process::id()));
    let temporary = Path::new(&temporary);
    let result = write(temporary).and_then(|()| fs::rename(temporary, path));
    if result.is_err() {
        // The temporary file is of no use to anybody; that it could not be removed either is no news.
        let _ = fs::remove_file(temporary);
    }
    result
}

/// Writes a secret to a new file that only its owner may read. An existing file is left alone and is an error.
pub fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    write_new(path, bytes, 0o600).and_then(|()| sync_parent(path)).map_err(Error::at(path))
}

/// Writes a secret that only its owner may read, in place of what was there.
pub fn replace_secret(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    through_temporary(path, |temporary| write_new(temporary, bytes, 0o600))
        .and_then(|()| sync_parent(path))
        .map_err(Error::at(path))
}

/// The bytes of a small file, such as a key or a signature: at most `limit`.
pub fn read_small(path: &Path, limit: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let file = Root::named(path).map_err(Error::at(path))?.file;
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(Error::at(path))?;
    if bytes.len() as u64 > limit {
        let source = io::Error::other(format!("longer than {limit} bytes"));
        return Err(Error::Io { path: path.to_owned(), source });
    }
    Ok(bytes)
}

/// The bytes of the file `relative` below the directory `root`, through no link: at most `limit`.
pub fn read_beneath(root: &Path, relative: &Path, limit: u64) -> Result<Vec<u8>, Error> {
    let path = root.join(relative);
    let file = Root::open(root.to_owned())?.file(relative).map_err(Error::at(&path))?.file;
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(Error::at(&path))?;
    if bytes.len() as u64 > limit {
        let source = io::Error::other(format!("longer than {limit} bytes"));
        return Err(Error::Io { path, source });
    }
    Ok(bytes)
}

/// 32 bytes from the operating system's source of randomness, to make a key from.
pub fn random_seed() -> Result<[u8; 32], Error> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| Error::at("the source of randomness")(error.into()))?;
    Ok(seed)
}

/// Makes the directory `path` and those above it.
pub fn create_dir(path: &Path) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(Error::at(path))
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileTypeExt, symlink};

    use super::*;

    #[test]
    fn a_device_is_written_to_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("null");
        symlink("/dev/null", &link).unwrap();
        write_atomic(&link, b"gone").unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink(), "the link was replaced");
        assert!(link.metadata().unwrap().file_type().is_char_device());
    }
}
