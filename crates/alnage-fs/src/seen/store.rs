//! The file in which digests are remembered, and the key that authenticates it.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs, io,
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::{DirBuilderExt, MetadataExt},
    },
    path::{Path, PathBuf},
};

use alnage_types::{ContentDigest, Digest, HashAlgorithm};

use super::Entry;
use crate::{Error, Stamp, write};

/// The key's file in the directory.
const KEY: &str = "key";
const FIRST_LINE: &str = "alnage.seen/1";
/// More than the digests of a hundred thousand files take.
const MOST_BYTES: u64 = 64 << 20;
/// How many models are remembered; the ones that were not verified for longest are dropped.
const MOST_MODELS: usize = 512;

type Entries = BTreeMap<PathBuf, Entry>;

/// What is remembered for `purpose`; `None` when it is nothing, an error when it cannot be trusted.
pub(super) fn load(directory: &Path, purpose: Digest) -> Result<Option<Entries>, String> {
    let bytes = match crate::read_small(&file(directory, purpose), MOST_BYTES) {
        Ok(bytes) => bytes,
        Err(Error::NotFound(_)) => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let key = read_key(directory)?.ok_or("its key is gone")?;
    let (body, mac) = bytes.split_last_chunk::<32>().ok_or("it is cut short")?;
    // The comparison takes the same time wherever the difference is.
    if blake3::keyed_hash(&key, body) != blake3::Hash::from_bytes(*mac) {
        return Err("it was not written with the key of this user".to_owned());
    }
    parse(body, purpose).map(Some).ok_or_else(|| "another version wrote it".to_owned())
}

/// Writes `entries` down for `purpose`.
pub(super) fn save(directory: &Path, purpose: Digest, entries: &Entries) -> Result<(), Error> {
    let fail = |reason: String| Error::Io { path: directory.to_owned(), source: io::Error::other(reason) };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(Error::at(directory))?;
    let key = match read_key(directory).map_err(fail)? {
        Some(key) => key,
        None => {
            let key = crate::random_seed()?;
            crate::write_secret(&directory.join(KEY), &key)?;
            key
        }
    };
    let mut bytes = format(entries, purpose);
    let mac = blake3::keyed_hash(&key, &bytes);
    bytes.extend_from_slice(mac.as_bytes());
    drop_oldest(directory);
    let path = file(directory, purpose);
    write::replace_cache(&path, &bytes).map_err(Error::at(&path))
}

fn file(directory: &Path, purpose: Digest) -> PathBuf {
    directory.join(format!("{purpose}.seen"))
}

/// The key; `None` when there is none, an error when somebody else might know or have made it.
fn read_key(directory: &Path) -> Result<Option<[u8; 32]>, String> {
    let path = directory.join(KEY);
    let metadata = match fs::symlink_metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let own = metadata.uid() == rustix::process::geteuid().as_raw();
    if !metadata.is_file() || !own || metadata.mode() & 0o077 != 0 {
        return Err("its key is not this user's alone".to_owned());
    }
    let bytes = crate::read_small(&path, 32).map_err(|error| error.to_string())?;
    bytes.try_into().map(Some).map_err(|_| "its key is damaged".to_owned())
}

/// One line a file: its stamp, its digests, and the path, which may hold anything but the end of a line.
fn format(entries: &Entries, purpose: Digest) -> Vec<u8> {
    let mut bytes = format!("{FIRST_LINE} {purpose}\n").into_bytes();
    let mut line = String::new();
    for (path, Entry { stamp, parts }) in entries {
        let path = path.as_os_str().as_bytes();
        if path.contains(&b'\n') {
            continue;
        }
        line.clear();
        let Stamp { device, inode, len, modified, changed } = stamp;
        let times = format_args!("{} {} {} {}", modified.0, modified.1, changed.0, changed.1);
        let _ = write!(line, "{device} {inode} {len} {times} ");
        for (index, digest) in parts.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let _ = write!(line, "{comma}{}:{digest}", digest.algorithm().as_str());
        }
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b' ');
        bytes.extend_from_slice(path);
        bytes.push(b'\n');
    }
    bytes
}

fn parse(body: &[u8], purpose: Digest) -> Option<Entries> {
    let mut lines = body.strip_suffix(b"\n")?.split(|&byte| byte == b'\n');
    if lines.next()? != format!("{FIRST_LINE} {purpose}").as_bytes() {
        return None;
    }
    lines.map(parse_line).collect()
}

fn parse_line(line: &[u8]) -> Option<(PathBuf, Entry)> {
    let mut words = line.splitn(9, |&byte| byte == b' ');
    let mut text = || std::str::from_utf8(words.next()?).ok();
    let stamp = Stamp {
        device: text()?.parse().ok()?,
        inode: text()?.parse().ok()?,
        len: text()?.parse().ok()?,
        modified: (text()?.parse().ok()?, text()?.parse().ok()?),
        changed: (text()?.parse().ok()?, text()?.parse().ok()?),
    };
    let parts = text()?.split(',').filter(|part| !part.is_empty()).map(|part| {
        let (algorithm, digits) = part.split_once(':')?;
        ContentDigest::from_hex(algorithm.parse::<HashAlgorithm>().ok()?, digits).ok()
    });
    let parts = parts.collect::<Option<_>>()?;
    let path = PathBuf::from(std::ffi::OsString::from_vec(words.next()?.to_vec()));
    Some((path, Entry { stamp, parts }))
}

/// Makes room for one more model. What cannot be removed stays: it does no harm.
fn drop_oldest(directory: &Path) {
    let listed = fs::read_dir(directory).into_iter().flatten().flatten();
    let remembered = listed.filter(|entry| entry.path().extension().is_some_and(|kind| kind == "seen"));
    let modified = |entry: fs::DirEntry| Some((entry.metadata().ok()?.modified().ok()?, entry.path()));
    let mut files: Vec<_> = remembered.filter_map(modified).collect();
    files.sort();
    for (_, path) in files.iter().take(files.len().saturating_sub(MOST_MODELS - 1)) {
        let _ = fs::remove_file(path);
    }
}
