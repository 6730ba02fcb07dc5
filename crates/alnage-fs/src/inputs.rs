//! What the user names: paths, patterns, standard input.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use crate::Error;

/// The most that is read from standard input, which is kept in memory.
pub const STDIN_LIMIT: u64 = 256 << 20;

/// The paths that `argument` stands for: itself when it exists or is no pattern, else what it matches, sorted.
pub fn expand(argument: &str) -> Result<Vec<PathBuf>, Error> {
    let path = Path::new(argument);
    if !argument.contains(['*', '?', '[']) || path.symlink_metadata().is_ok() {
        return Ok(vec![path.to_owned()]);
    }
    let pattern = glob::glob(argument)
        .map_err(|error| Error::Pattern { pattern: argument.to_owned(), reason: error.msg })?;
    let mut paths = Vec::new();
    for found in pattern {
        paths.push(found.map_err(|error| {
            let path = error.path().to_owned();
            Error::at(path)(error.into())
        })?);
    }
    if paths.is_empty() { Err(Error::NoMatch(argument.to_owned())) } else { Ok(paths) }
}

/// `path` without links and dots.
pub fn canonical(path: &Path) -> Result<PathBuf, Error> {
    path.canonicalize().map_err(Error::at(path))
}

/// Everything `input` gives, up to `limit` bytes.
pub fn read_stdin(input: impl Read, limit: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    input.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(Error::at("-"))?;
    if bytes.len() as u64 > limit { Err(Error::StdinTooLong { limit }) } else { Ok(bytes) }
}
