//! Brings one file from the upstream hub into the scratch directory, and goes on where it was interrupted.

use crate::columns::hex;
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{ErrorKind, Read, Seek, SeekFrom, Write},
    path::Path,
    time::Duration,
};

use alnage_types::Digest;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::{
    blobs::{SMALL, pointer_oid},
    upstream::{self, Expected, Listed, Shelf, Upstream},
};

/// Bytes that are written at a time.
const PIECE: usize = 256 << 10;
/// Connections that may break without bringing anything, one after the other.
const ATTEMPTS: u32 = 5;

/// Which file of the hub.
pub(super) struct Wanted<'a> {
    pub(super) upstream: &'a Upstream,
    pub(super) shelf: Shelf,
    pub(super) name: &'a str,
    pub(super) commit: &'a str,
    pub(super) file: &'a Listed,
}

/// What was brought.
pub(super) struct Fetched {
    pub(super) digest: Digest,
    pub(super) git_oid: String,
}

/// Why a file was not brought.
#[derive(Debug)]
pub(super) enum Failed {
    /// Another attempt may do better.
    Passing(String),
    /// The hub gives something else than it lists.
    Refused(String),
}

/// Brings the file to `place`. `alive` is called with every piece, and ends the work with its error.
pub(super) fn fetch(
    wanted: &Wanted<'_>,
    place: &Path,
    alive: &dyn Fn() -> Result<(), String>,
) -> Result<Fetched, Failed> {
    let mut part = Part::open(place, wanted.file)?;
    let mut fruitless = 0;
    let mut begun_anew = false;
    while fruitless < ATTEMPTS {
        let before = part.length;
        match bring(wanted, &mut part, alive) {
            Ok(()) => match part.judge(wanted.file) {
                Ok(fetched) => return Ok(fetched),
                // What an earlier process left may be at fault; only what came in one go is held against the hub.
                Err(_) if !begun_anew => {
                    begun_anew = true;
                    part.begin_anew()?;
                }
                Err(why) => {
                    let _ = fs::remove_file(place);
                    return Err(Failed::Refused(why));
                }
            },
            Err(Failed::Passing(why)) => {
                fruitless = if part.length > before { 1 } else { fruitless + 1 };
                if fruitless == ATTEMPTS {
                    return Err(Failed::Passing(why));
                }
                alive().map_err(Failed::Passing)?;
                std::thread::sleep(Duration::from_millis(50 << (2 * fruitless)));
            }
            Err(refused) => return Err(refused),
        }
    }
    Err(Failed::Passing(format!("`{}` does not arrive whole", wanted.file.path)))
}

/// Reads one answer of the hub to its end.
fn bring(wanted: &Wanted<'_>, part: &mut Part, alive: &dyn Fn() -> Result<(), String>) -> Result<(), Failed> {
    let file = wanted.file;
    if part.length == file.size && file.size > 0 {
        return Ok(());
    }
    let opened = wanted.upstream.open(wanted.shelf, wanted.name, wanted.commit, &file.path, part.length);
    let mut bytes = opened.map_err(|error| match error {
        upstream::Error::Unavailable(_) => Failed::Passing(error.to_string()),
        error => Failed::Refused(format!("`{}`: {error}", file.path)),
    })?;
    if bytes.from == 0 && part.length > 0 {
        part.begin_anew()?;
    } else if bytes.from != part.length {
        return Err(Failed::Passing("the upstream hub gives another part than was asked for".into()));
    }
    let mut piece = vec![0; PIECE];
    loop {
        alive().map_err(Failed::Passing)?;
        let count = match bytes.reader.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(Failed::Passing(format!("the upstream hub breaks off: {error}"))),
        };
        part.add(piece.get(..count).unwrap_or_default(), file)?;
    }
    if part.length < file.size {
        return Err(Failed::Passing(format!(
            "`{}` ended after {} bytes of {}",
            file.path, part.length, file.size
        )));
    }
    Ok(())
}

/// What is there of a file, and what it hashes to so far.
struct Part {
    file: File,
    length: u64,
    size: u64,
    sha256: Sha256,
    /// Git's object name and the plain SHA-1; of large files nobody asks for either.
    sha1: Option<(Sha1, Sha1)>,
    wants_sha1: bool,
}

impl Part {
    fn open(place: &Path, listed: &Listed) -> Result<Self, Failed> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(place).map_err(broken)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Failed::Passing("another process is still bringing this file".into()));
            }
            Err(TryLockError::Error(error)) => return Err(broken(error)),
        }
        let wants_sha1 = listed.size < SMALL || matches!(listed.expected, Expected::Sha1(_));
        let mut part =
            Self { file, length: 0, size: listed.size, sha256: Sha256::new(), sha1: None, wants_sha1 };
        part.forget();
        let mut piece = vec![0; PIECE];
        loop {
            let count = part.file.read(&mut piece).map_err(broken)?;
            if count == 0 {
                break;
            }
            if part.hash(piece.get(..count).unwrap_or_default()) > listed.size {
                part.begin_anew()?;
                break;
            }
        }
        Ok(part)
    }

    fn forget(&mut self) {
        self.length = 0;
        self.sha256 = Sha256::new();
        let mut git = Sha1::new();
        git.update(format!("blob {}\0", self.size));
        self.sha1 = self.wants_sha1.then(|| (git, Sha1::new()));
    }

    fn begin_anew(&mut self) -> Result<(), Failed> {
        self.forget();
        self.file.set_len(0).map_err(broken)?;
        self.file.seek(SeekFrom::Start(0)).map_err(broken)?;
        Ok(())
    }

    fn hash(&mut self, piece: &[u8]) -> u64 {
        self.sha256.update(piece);
        if let Some((git, plain)) = &mut self.sha1 {
            git.update(piece);
            plain.update(piece);
        }
        self.length = self.length.saturating_add(piece.len() as u64);
        self.length
    }

    fn add(&mut self, piece: &[u8], listed: &Listed) -> Result<(), Failed> {
        let length = self.length.saturating_add(piece.len() as u64);
        if length > listed.size {
            let why =
                format!("`{}` is longer than the {} bytes that the upstream lists", listed.path, listed.size);
            return Err(Failed::Refused(why));
        }
        self.file.write_all(piece).map_err(broken)?;
        self.hash(piece);
        Ok(())
    }

    fn judge(&self, listed: &Listed) -> Result<Fetched, String> {
        let digest = Digest::from_bytes(self.sha256.clone().finalize().into());
        let (git, plain): ([u8; 20], [u8; 20]) = match &self.sha1 {
            Some((git, plain)) => (git.clone().finalize().into(), plain.clone().finalize().into()),
            None => ([0; 20], [0; 20]),
        };
        if !listed.expected.is_met(&digest, &git, &plain) {
            return Err(format!("`{}` is not the bytes that the upstream hub lists", listed.path));
        }
        // A file that the upstream keeps by LFS is kept so here.
        let git_oid = if listed.size >= SMALL || matches!(listed.expected, Expected::Sha256(_)) {
            pointer_oid(digest, listed.size)
        } else {
            hex(&git)
        };
        Ok(Fetched { digest, git_oid })
    }
}

fn broken(error: std::io::Error) -> Failed {
    Failed::Passing(format!("the scratch directory: {error}"))
}
