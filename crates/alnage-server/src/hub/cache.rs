//! What was given out a moment ago, kept so that clients who ask for little and often cost no query each.
//!
//! Whether it still holds is asked of the records every few milliseconds: they count what changes answers.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use alnage_registry::{FileRecord, Kind, Version};
use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, Method},
    response::Response,
};

/// For how long nobody asks whether something has changed.
const TRUSTED: Duration = Duration::from_millis(5);
/// For how much longer while somebody else is asking.
const AWAITED: Duration = Duration::from_millis(20);
/// For how long a version is given out without a look at the upstream.
const KEPT: Duration = Duration::from_secs(60);
/// More is forgotten all at once.
const MAX_VERSIONS: usize = 4096;
const MAX_FILES: usize = 65_536;
/// Bytes of whole answers.
const MAX_ANSWERS: usize = 64 << 20;
/// An answer that is kept whole is no longer.
pub(crate) const MAX_ANSWER: usize = 64 << 10;

/// What was given out a moment ago.
#[derive(Debug, Default)]
pub(crate) struct Cache(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    generation: i64,
    /// When that was the generation, and how much this process had written by then.
    checked: Option<(Instant, u64)>,
    /// Somebody is asking for the generation.
    asking: bool,
    versions: HashMap<(Kind, String, String), (Instant, Arc<Version>)>,
    files: HashMap<(i64, String), Arc<FileRecord>>,
    answers: HashMap<String, Kept>,
    /// Bytes of the answers.
    held: usize,
}

/// A whole answer to GET.
#[derive(Debug)]
struct Kept {
    version: Arc<Version>,
    since: Instant,
    headers: HeaderMap,
    body: Bytes,
}

impl Cache {
    /// Whether the records need not be asked now, when this process has written `written` times. Who is told that they
    /// need to be is the one to ask, and others go on for a moment with what is known.
    pub(crate) fn is_fresh(&self, written: u64) -> bool {
        let mut inner = self.lock();
        let Some((checked, before)) = inner.checked else { return false };
        let age = checked.elapsed();
        if before != written || age >= TRUSTED + AWAITED {
            return false;
        }
        if age < TRUSTED || inner.asking {
            return true;
        }
        inner.asking = true;
        false
    }

    /// Whether what is known holds, or is being asked for: whoever goes on without being the one to ask.
    pub(crate) fn is_known_fresh(&self, written: u64) -> bool {
        let inner = self.lock();
        let Some((checked, before)) = inner.checked else { return false };
        let trusted = if inner.asking { TRUSTED + AWAITED } else { TRUSTED };
        before == written && checked.elapsed() < trusted
    }

    /// The records say that this is their generation; they were asked at `asked`, after `written` writes.
    pub(crate) fn check(&self, generation: i64, asked: Instant, written: u64) {
        let mut inner = self.lock();
        if inner.generation != generation {
            *inner = Inner { generation, ..Inner::default() };
        }
        inner.asking = false;
        if inner.checked.is_none_or(|(before, _)| before < asked) {
            inner.checked = Some((asked, written));
        }
    }

    /// What the generation was when it was last asked for.
    pub(crate) fn generation(&self) -> i64 {
        self.lock().generation
    }

    /// The answer that was given to the same question a moment ago, if `may` says that it may be given again.
    pub(crate) fn answer(
        &self,
        question: &str,
        method: &Method,
        now: u64,
        may: impl FnOnce(&Version) -> bool,
    ) -> Option<Response> {
        let inner = self.lock();
        let kept = inner.answers.get(question)?;
        let expired = kept.version.expires.is_some_and(|expires| expires <= now);
        if expired || kept.since.elapsed() >= KEPT || !may(&kept.version) {
            return None;
        }
        let body = if *method == Method::HEAD { Body::empty() } else { Body::from(kept.body.clone()) };
        let mut response = Response::new(body);
        *response.headers_mut() = kept.headers.clone();
        Some(response)
    }

    /// Keeps the answer to a question, which was found when the records were at `generation` or later.
    pub(crate) fn keep_answer(
        &self,
        generation: i64,
        question: String,
        version: &Arc<Version>,
        headers: HeaderMap,
        body: Bytes,
    ) {
        let mut inner = self.lock();
        if inner.generation != generation || body.len() > MAX_ANSWER {
            return;
        }
        // Headers and the question weigh about as much as a short answer.
        let beside = question.len() + 1024;
        let weight = body.len() + beside;
        if inner.held + weight > MAX_ANSWERS {
            inner.answers.clear();
            inner.held = 0;
        }
        inner.held += weight;
        let kept = Kept { version: Arc::clone(version), since: Instant::now(), headers, body };
        if let Some(before) = inner.answers.insert(question, kept) {
            inner.held = inner.held.saturating_sub(before.body.len() + beside);
        }
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
