//! A worker's side of a pull.

use std::{
    collections::VecDeque,
    fs,
    path::PathBuf,
    sync::{Mutex, PoisonError, atomic::AtomicBool, atomic::Ordering::Relaxed},
};

use alnage_types::Digest;
use serde::{Deserialize, Serialize};

use super::{
    fetch::{self, Failed, Fetched, Wanted},
    is_commit,
    record::{self, Pull, PulledFile, State},
};
use crate::{
    Actor, Error, Kind, NewFile, NewVersion, Registry, Result,
    upstream::{self, Shelf, Upstream},
};

/// Files that come at a time.
const AT_A_TIME: usize = 4;
/// Files that a repository may have.
const MAX_FILES: usize = 200_000;
/// The largest file that is taken.
const MAX_FILE: u64 = 1 << 40;
/// The largest repository that is taken.
const MAX_REPOSITORY: u64 = 4 << 40;
/// How often the upstream may fail before those who wait are told.
const MAX_ATTEMPTS: u64 = 4;

#[derive(Serialize, Deserialize)]
struct Payload {
    kind: Kind,
    name: String,
    revision: String,
}

pub(super) fn key(kind: Kind, name: &str, revision: &str) -> String {
    format!("{}/{name}@{revision}", kind.as_str())
}

pub(super) fn payload(kind: Kind, name: &str, revision: &str) -> String {
    let payload = Payload { kind, name: name.to_owned(), revision: revision.to_owned() };
    serde_json::to_string(&payload).unwrap_or_default()
}

/// Does what a pull's job says. `alive` says that somebody is at it, and whether to go on.
///
/// # Errors
///
/// What another attempt may mend. Everything else is written down for those who ask, and is no error.
pub fn run(
    registry: &Registry,
    payload: &str,
    attempts: u64,
    alive: &(dyn Fn() -> Result<()> + Sync),
) -> Result<()> {
    let payload: Payload = serde_json::from_str(payload)?;
    let Some(pull) = record::find(registry.database(), payload.kind, &payload.name, &payload.revision)?
    else {
        return Ok(());
    };
    if !pull.state.is_going() {
        return Ok(());
    }
    let work = Work { registry, kind: payload.kind, name: &payload.name, pull: &pull, alive };
    let outcome = match registry.upstream() {
        Some(upstream) if is_commit(&pull.revision) => work.bring(upstream),
        Some(upstream) => work.resolve(upstream),
        None => Err(Stop::End(State::NoRepository, "there is no upstream hub".into())),
    };
    match outcome {
        Ok(()) => Ok(()),
        Err(Stop::Passing(message)) if attempts < MAX_ATTEMPTS => Err(Error::Unavailable(message)),
        Err(Stop::Passing(message)) => work.set(State::Failed, None, &message),
        Err(Stop::End(state, message)) => work.set(state, None, &message),
        Err(Stop::Broken(error)) => Err(error),
    }
}

struct Work<'a> {
    registry: &'a Registry,
    kind: Kind,
    name: &'a str,
    pull: &'a Pull,
    alive: &'a (dyn Fn() -> Result<()> + Sync),
}

enum Stop {
    /// Another attempt may do better.
    Passing(String),
    /// That is how it ends.
    End(State, String),
    /// Something of ours failed.
    Broken(Error),
}

impl Work<'_> {
    fn shelf(&self) -> Shelf {
        match self.kind {
            Kind::Model => Shelf::Models,
            Kind::Dataset => Shelf::Datasets,
        }
    }

    fn set(&self, state: State, commit: Option<&str>, message: &str) -> Result<()> {
        record::set(self.registry.database(), self.pull.id, state, commit, message, self.registry.now())
    }

    /// Finds the commit, and sees that it is pulled.
    fn resolve(&self, upstream: &Upstream) -> std::result::Result<(), Stop> {
        let found = upstream.find(self.shelf(), self.name, &self.pull.revision)?;
        let (registry, commit) = (self.registry, found.commit.as_str());
        if !self.is_here(commit)? {
            let known = record::find(registry.database(), self.kind, self.name, commit)?;
            if !known.is_some_and(|pull| pull.state.is_going()) {
                let now = registry.now();
                registry.database().write(|transaction| {
                    record::begin(transaction, self.kind, self.name, commit, &self.pull.refname, now)
                })?;
            }
            registry.enqueue(
                super::JOB,
                &key(self.kind, self.name, commit),
                &payload(self.kind, self.name, commit),
            )?;
        }
        Ok(self.set(State::Done, Some(commit), "")?)
    }

    /// Brings every file, and makes a version of them.
    fn bring(&self, upstream: &Upstream) -> std::result::Result<(), Stop> {
        let database = self.registry.database();
        if self.is_here(&self.pull.revision)? {
            return Ok(self.set(State::Done, Some(&self.pull.revision), "")?);
        }
        let mut files = record::files(database, self.pull.id)?;
        if self.pull.state == State::Asked || files.is_empty() {
            files = self.list(upstream)?;
        }
        let scratch = self.scratch()?;
        let waiting: VecDeque<&PulledFile> = files.iter().filter(|file| self.is_missing(file)).collect();
        let waiting = Mutex::new(waiting);
        let stop = AtomicBool::new(false);
        let failed = Mutex::new(None);
        std::thread::scope(|scope| {
            for _ in 0..AT_A_TIME.min(files.len()) {
                scope.spawn(|| {
                    while !stop.load(Relaxed) {
                        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                        let Some(file) = next else { break };
                        if let Err(why) = self.bring_one(upstream, &scratch, file) {
                            stop.store(true, Relaxed);
                            failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
                        }
                    }
                });
            }
        });
        if let Some(why) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(why);
        }
        self.add(record::files(database, self.pull.id)?)?;
        let _ = fs::remove_dir_all(&scratch);
        Ok(())
    }

    /// Whether a commit is a version already; then the reference leads to it.
    fn is_here(&self, commit: &str) -> Result<bool> {
        let registry = self.registry;
        if registry.version(self.kind, self.name, commit)?.is_none() {
            return Ok(false);
        }
        if !self.pull.refname.is_empty() {
            registry.set_ref(self.kind, self.name, &self.pull.refname, commit)?;
        }
        Ok(true)
    }

    /// What the upstream lists, written down.
    fn list(&self, upstream: &Upstream) -> std::result::Result<Vec<PulledFile>, Stop> {
        let commit = self.pull.revision.as_str();
        let found = upstream.find(self.shelf(), self.name, commit)?;
        if found.commit != commit {
            return Err(Stop::End(State::NoRevision, "the upstream hub has no such commit".into()));
        }
        let listed = match upstream.files(self.shelf(), &found.name, commit) {
            Err(upstream::Error::NoRepository | upstream::Error::NoRevision) => {
                upstream.files_described(self.shelf(), &found.name, commit)?
            }
            listed => listed?,
        };
        let total = listed.iter().fold(0_u64, |sum, file| sum.saturating_add(file.size));
        if listed.len() > MAX_FILES
            || total > MAX_REPOSITORY
            || listed.iter().any(|file| file.size > MAX_FILE)
        {
            return Err(Stop::End(State::Refused, "the repository is larger than what is taken".into()));
        }
        let database = self.registry.database();
        record::list(database, self.pull.id, &found.name, &listed, self.registry.now())?;
        Ok(record::files(database, self.pull.id)?)
    }

    fn is_missing(&self, file: &PulledFile) -> bool {
        let Some((digest, _)) = &file.brought else { return true };
        !self.registry.blobs().contains(*digest).unwrap_or(false)
    }

    fn bring_one(
        &self,
        upstream: &Upstream,
        scratch: &std::path::Path,
        file: &PulledFile,
    ) -> std::result::Result<(), Stop> {
        let listed = &file.listed;
        let place = scratch.join(format!("{}.part", Digest::of(listed.path.as_bytes())));
        let alive = || (self.alive)().map_err(|error| error.to_string());
        let (commit, name) = (self.pull.revision.as_str(), self.upstream_name());
        let wanted = Wanted { upstream, shelf: self.shelf(), name: &name, commit, file: listed };
        let Fetched { digest, git_oid } = fetch::fetch(&wanted, &place, &alive)?;
        self.registry.blobs().put_file(&place, digest)?;
        record::brought(self.registry.database(), self.pull.id, &listed.path, digest, &git_oid)?;
        // What is stored may be the same file under another name.
        let _ = fs::remove_file(&place);
        Ok(())
    }

    /// The name that the repository has at the upstream now.
    fn upstream_name(&self) -> String {
        let pull = record::find(self.registry.database(), self.kind, self.name, &self.pull.revision);
        pull.ok().flatten().map_or_else(|| self.name.to_owned(), |pull| pull.upstream)
    }

    fn add(&self, files: Vec<PulledFile>) -> std::result::Result<(), Stop> {
        let mut taken = Vec::with_capacity(files.len());
        for file in files {
            let Some((sha256, git_oid)) = file.brought else {
                return Err(Stop::Passing(format!("`{}` has not come", file.listed.path)));
            };
            taken.push(NewFile { path: file.listed.path, size: file.listed.size, sha256, git_oid });
        }
        let registry = self.registry;
        registry.add_version(
            self.kind,
            self.name,
            NewVersion {
                commit: Some(self.pull.revision.clone()),
                message: "Pulled from upstream".into(),
                refname: self.pull.refname.clone(),
                files: taken,
                origin: registry.upstream().map_or("", Upstream::url).to_owned(),
                ..NewVersion::default()
            },
            &Actor::system("pull"),
        )?;
        self.set(State::Done, Some(&self.pull.revision), "")?;
        Ok(record::forget_files(registry.database(), self.pull.id)?)
    }

    fn scratch(&self) -> std::result::Result<PathBuf, Stop> {
        let name = Digest::of(key(self.kind, self.name, &self.pull.revision).as_bytes()).to_string();
        let place = self.registry.scratch().join("pulls").join(name);
        fs::create_dir_all(&place).map_err(|error| Stop::Broken(error.into()))?;
        Ok(place)
    }
}

impl From<upstream::Error> for Stop {
    fn from(error: upstream::Error) -> Self {
        let message = error.to_string();
        match error {
            upstream::Error::NoRepository => Self::End(State::NoRepository, message),
            upstream::Error::NoRevision => Self::End(State::NoRevision, message),
            upstream::Error::Gated(_) => Self::End(State::Gated, message),
            upstream::Error::Refused(_) => Self::End(State::Refused, message),
            upstream::Error::Unavailable(_) => Self::Passing(message),
        }
    }
}

impl From<Failed> for Stop {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Passing(message) => Self::Passing(message),
            Failed::Refused(message) => Self::End(State::Refused, message),
        }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        match error {
            Error::Unavailable(message) => Self::Passing(message),
            Error::Forbidden(message) => Self::End(State::Refused, message),
            error => Self::Broken(error),
        }
    }
}
