//! What a hub says a repository holds. Everything in it was written by a stranger.

use alnage_types::Digest;
use serde::Deserialize;

use super::Error;

/// A name that is longer is not a file's.
const MAX_PATH: usize = 4096;

/// A repository at one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its name as the hub writes it now; a renamed repository is found under its old name too.
    pub name: String,
    /// The commit, 40 hexadecimal digits.
    pub commit: String,
}

/// A file as the hub lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its place in the repository.
    pub path: String,
    /// How long it is.
    pub size: u64,
    /// What its bytes must be.
    pub expected: Expected,
}

/// What a file's bytes are held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// The SHA-256 of a file that is stored by LFS.
    Sha256(Digest),
    /// A SHA-1, of the git object or of the plain bytes.
    Sha1([u8; 20]),
    /// Nothing that could be compared.
    Nothing,
}

#[derive(Deserialize)]
struct Info {
    id: Option<String>,
    sha: Option<String>,
}

#[derive(Deserialize)]
struct Siblings {
    #[serde(default)]
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    #[serde(rename = "blobId")]
    blob_id: Option<String>,
    lfs: Option<Lfs>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: String,
    path: String,
    #[serde(default)]
    size: u64,
    oid: Option<String>,
    lfs: Option<Lfs>,
}

#[derive(Deserialize)]
struct Lfs {
    #[serde(alias = "sha256")]
    oid: Option<String>,
    size: Option<u64>,
}

/// Reads the answer to a call for a repository.
pub(super) fn found(body: &[u8], asked: &str) -> Result<Found, Error> {
    let info: Info = serde_json::from_slice(body).map_err(|_| refused("its answer is no repository"))?;
    let commit = info.sha.unwrap_or_default();
    if commit.len() != 40 || !commit.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(refused("its answer names no commit"));
    }
    let name = info.id.filter(|name| is_name(name)).unwrap_or_else(|| asked.to_owned());
    Ok(Found { name, commit })
}

/// Reads one page of a tree into `files`.
pub(super) fn page(body: &[u8], files: &mut Vec<Listed>) -> Result<(), Error> {
    let entries: Vec<Entry> = serde_json::from_slice(body).map_err(|_| refused("its answer is no tree"))?;
    for entry in entries.into_iter().filter(|entry| entry.kind == "file") {
        files.push(listed(entry.path, entry.size, entry.oid, entry.lfs)?);
    }
    Ok(())
}

/// Reads the files that stand in the answer to a call for a repository; those without a size are `None`.
pub(super) fn siblings(body: &[u8]) -> Result<Option<Vec<Listed>>, Error> {
    let info: Siblings = serde_json::from_slice(body).map_err(|_| refused("its answer is no repository"))?;
    let mut files = Vec::new();
    for file in info.siblings {
        let Some(size) = file.size.or_else(|| file.lfs.as_ref().and_then(|lfs| lfs.size)) else {
            return Ok(None);
        };
        files.push(listed(file.rfilename, size, file.blob_id, file.lfs)?);
    }
    Ok(Some(files))
}

fn listed(path: String, size: u64, oid: Option<String>, lfs: Option<Lfs>) -> Result<Listed, Error> {
    if !stays_inside(&path) {
        let shown: String = path.chars().take(100).collect();
        return Err(refused(&format!("it names a file `{}`", shown.escape_debug())));
    }
    let size = lfs.as_ref().and_then(|lfs| lfs.size).unwrap_or(size);
    let named = lfs.and_then(|lfs| lfs.oid).or(oid).unwrap_or_default();
    Ok(Listed { path, size, expected: expected(&named) })
}

/// What a name of content says of it.
pub(super) fn expected(named: &str) -> Expected {
    match (named.parse::<Digest>(), sha1(named)) {
        (Ok(digest), _) => Expected::Sha256(digest),
        (_, Some(sha1)) => Expected::Sha1(sha1),
        _ => Expected::Nothing,
    }
}

/// Whether a path names a place below a directory, on every system that may ever hold it, and in no other spelling.
fn stays_inside(path: &str) -> bool {
    let whole = !path.is_empty() && path.len() <= MAX_PATH;
    let plain = !path.contains('\\') && !path.chars().any(char::is_control);
    whole && plain && path.split('/').all(|part| !matches!(part, "" | "." | "..") && part.len() <= 255)
}

/// Whether a text is a repository's name: one or two parts of the letters that hubs let names have.
pub fn is_name(name: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part.len() <= 96
            && !part.starts_with(['.', '-'])
            && !part.ends_with(".git")
            && !part.contains("..")
            && part.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.'))
    };
    name.split('/').count() <= 2 && name.split('/').all(part)
}

fn sha1(text: &str) -> Option<[u8; 20]> {
    if text.len() != 40 {
        return None;
    }
    let mut bytes = [0; 20];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

fn refused(why: &str) -> Error {
    Error::Refused(format!("the upstream hub cannot be believed: {why}"))
}
