//! What was given out a moment ago, kept so that clients who ask for little and often cost no query each.
//!
//! Whether it still holds is asked of the records every few milliseconds: they count what changes answers.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use alnage_registry::{FileRecord, Kind, Version};

/// For how long nobody asks whether something has changed.
const TRUSTED: Duration = Duration::from_millis(5);
/// For how long a version is given out without a look at the upstream.
const KEPT: Duration = Duration::from_secs(60);
/// More is forgotten all at once.
const MAX_VERSIONS: usize = 4096;
const MAX_FILES: usize = 65_536;

/// What was given out a moment ago.
#[derive(Debug, Default)]
pub(crate) struct Cache(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    generation: i64,
    /// When that was the generation.
    checked: Option<Instant>,
    versions: HashMap<(Kind, String, String), (Instant, Arc<Version>)>,
    files: HashMap<(i64, String), Arc<FileRecord>>,
}

impl Cache {
    /// Whether the records need not be asked now.
    pub(crate) fn is_fresh(&self) -> bool {
        self.lock().checked.is_some_and(|checked| checked.elapsed() < TRUSTED)
    }

    /// The records say that this is their generation; `asked` is when they were asked.
    pub(crate) fn check(&self, generation: i64, asked: Instant) {
        let mut inner = self.lock();
        if inner.generation != generation {
            *inner = Inner { generation, ..Inner::default() };
        }
        inner.checked = Some(asked);
    }

    /// The version that is given out for a revision. Approvals run out without anything being written.
    pub(crate) fn version(&self, kind: Kind, name: &str, revision: &str, now: u64) -> Option<Arc<Version>> {
        let inner = self.lock();
        let (since, version) = inner.versions.get(&(kind, name.to_owned(), revision.to_owned()))?;
        let holds = since.elapsed() < KEPT && version.expires.is_none_or(|expires| expires > now);
        holds.then(|| Arc::clone(version))
    }

    /// Keeps what was found when the records were at `generation`.
    pub(crate) fn keep_version(&self, generation: i64, revision: &str, version: &Arc<Version>) {
        let mut inner = self.lock();
        if inner.generation != generation {
            return;
        }
        if inner.versions.len() >= MAX_VERSIONS {
            inner.versions.clear();
        }
        let key = (version.kind, version.name.clone(), revision.to_owned());
        inner.versions.insert(key, (Instant::now(), Arc::clone(version)));
    }

    /// A file of a version that is given out.
    pub(crate) fn file(&self, version: i64, path: &str) -> Option<Arc<FileRecord>> {
        self.lock().files.get(&(version, path.to_owned())).map(Arc::clone)
    }

    /// Keeps what was found when the records were at `generation`.
    pub(crate) fn keep_file(&self, generation: i64, version: i64, file: &Arc<FileRecord>) {
        let mut inner = self.lock();
        if inner.generation != generation {
            return;
        }
        if inner.files.len() >= MAX_FILES {
            inner.files.clear();
        }
        inner.files.insert((version, file.path.clone()), Arc::clone(file));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
