//! What was hashed before: digests of files that nobody has touched since, so that they need not be read again.
//!
//! A digest is kept with the [`Stamp`] of its file: file system, inode, length, and the times of the last write and the
//! last change in nanoseconds. The kernel sets the time of change itself at every write, rename over, new hard link and
//! change of attributes, and nobody but root can set it back. So a file with the same stamp has the same content, when
//!
//! - it lies on a file system that is known to keep that promise (`settled`);
//! - its time of change was long past when it was hashed, longer than the coarsest clock of those file systems, and
//!   longer than the kernel leaves pages writable that a process has mapped and written to: stores to such a page set no
//!   time again. Younger files are not remembered;
//! - nobody held the file open for writing, in the midst of a write that had been going on for all that time.
//!
//! Root can forge all of this, as can who writes to the disk below the file system. What is remembered is authenticated
//! with a key that only the user may read: who can write the cache and not read the key can only make it useless.

mod settled;
mod store;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use alnage_types::{ContentDigest, Digest};
pub(crate) use settled::{Settled, file_system};

use crate::{Error, Stamp, Tree, TreeFile};

/// The digests of one model's files, as they were remembered and as they will be.
#[derive(Debug)]
pub struct Seen {
    directory: PathBuf,
    /// What the digests were made for; under another purpose nothing of them is found.
    purpose: Digest,
    before: BTreeMap<PathBuf, Entry>,
    now: BTreeMap<PathBuf, Entry>,
    settled: Option<Settled>,
    /// How many files were not read again.
    reused: usize,
    /// How many files were read and cannot be remembered.
    young: usize,
    news: bool,
}

/// The digests of a file, as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    stamp: Stamp,
    parts: Vec<ContentDigest>,
}

/// What there was to remember.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recall {
    /// Digests of so many files.
    Files(usize),
    /// Nothing: it is the first time.
    Nothing,
    /// What is there cannot be trusted, for this reason.
    Refused(String),
}

impl Seen {
    /// Opens what `directory` remembers of `tree` for `purpose`. `now` is a moment before anything is hashed.
    pub fn open(directory: &Path, purpose: Digest, tree: &Tree, now: SystemTime) -> (Self, Recall) {
        Self::within(directory, purpose, Settled::at(tree, now))
    }

    /// The same for the model at `root`, of which files are looked at one by one as somebody opens them.
    pub fn open_at(directory: &Path, purpose: Digest, root: &Path, now: SystemTime) -> (Self, Recall) {
        let settled = fs::File::open(root).ok().and_then(|root| Settled::of(&root, now));
        Self::within(directory, purpose, settled)
    }

    fn within(directory: &Path, purpose: Digest, settled: Option<Settled>) -> (Self, Recall) {
        let (before, recall) = match store::load(directory, purpose) {
            Ok(Some(entries)) => (entries, None),
            Ok(None) => (BTreeMap::new(), Some(Recall::Nothing)),
            Err(reason) => (BTreeMap::new(), Some(Recall::Refused(reason))),
        };
        let recall = recall.unwrap_or(Recall::Files(before.len()));
        let directory = directory.to_owned();
        (
            Self {
                directory,
                purpose,
                before,
                now: BTreeMap::new(),
                settled,
                reused: 0,
                young: 0,
                news: false,
            },
            recall,
        )
    }

    /// Forgets what was remembered, so that everything is read; what is read will be remembered again.
    pub fn forget(&mut self) {
        self.before.clear();
        self.news = true;
    }

    /// The digests of the `parts` parts of `file`, when nobody touched it since they were made.
    pub fn digests(&mut self, file: &TreeFile, parts: usize) -> Option<Vec<ContentDigest>> {
        self.remembered(file.location(), file.stamp, parts)
    }

    /// The same for the file at `location` with this `stamp`, which may have been hashed a moment ago.
    pub fn recall(&mut self, location: &Path, stamp: Stamp, parts: usize) -> Option<Vec<ContentDigest>> {
        match self.now.get(location) {
            Some(entry) if entry.stamp == stamp && entry.parts.len() == parts => Some(entry.parts.clone()),
            _ => self.remembered(location, stamp, parts),
        }
    }

    fn remembered(&mut self, location: &Path, stamp: Stamp, parts: usize) -> Option<Vec<ContentDigest>> {
        let entry = self.before.get(location)?;
        let settled = self.settled.as_ref()?;
        if entry.stamp != stamp || !settled.is_here(&entry.stamp) || entry.parts.len() != parts {
            return None;
        }
        let entry = entry.clone();
        self.now.insert(location.to_owned(), entry.clone());
        self.reused += 1;
        Some(entry.parts)
    }

    /// How many files were not read again.
    pub fn reused(&self) -> usize {
        self.reused
    }

    /// Remembers the digests of the parts of `file`, which was as `stamp` says before and after it was read.
    pub fn remember(&mut self, file: &TreeFile, stamp: Stamp, parts: Vec<ContentDigest>) {
        self.note(file.location(), stamp, parts);
    }

    /// The same for the file at `location`.
    pub fn note(&mut self, location: &Path, stamp: Stamp, parts: Vec<ContentDigest>) {
        if self.settled.as_ref().is_some_and(|settled| settled.holds(&stamp)) {
            self.now.insert(location.to_owned(), Entry { stamp, parts });
            self.news = true;
        } else {
            self.young += 1;
        }
    }

    /// How many files were read and cannot be remembered: they were changed too short a time ago, or lie where times of
    /// change prove nothing.
    pub fn young(&self) -> usize {
        self.young
    }

    /// Keeps what was remembered of files that nobody looked at: not all of the model was gone through.
    pub fn keep_the_rest(&mut self) {
        for (location, entry) in std::mem::take(&mut self.before) {
            self.now.entry(location).or_insert(entry);
        }
    }

    /// Writes down what was learnt, when there is anything new.
    pub fn save(&self) -> Result<(), Error> {
        if !self.news || self.now.is_empty() {
            return Ok(());
        }
        store::save(&self.directory, self.purpose, &self.now)
    }
}

/// `time` as the kernel writes it; a moment before 1970 is no time at all.
fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
