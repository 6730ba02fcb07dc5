//! Brings models from the upstream hub into quarantine: one pull for many who ask, which goes on where it was
//! interrupted. What was brought is a version like any other, and nothing of it is served before the verdict.
//!
//! A pull has two steps, each a job: what commit a revision is, and that commit's files.

mod fetch;
mod record;
mod run;
#[cfg(test)]
mod tests;

pub use record::{Pull, PulledFile, State};
pub use run::run;

use crate::{Kind, Registry, Result, upstream::is_name};

/// The kind of the jobs.
pub const JOB: &str = "pull";
/// Seconds after which what the upstream did not have is asked for again.
const ASK_AGAIN: u64 = 30;
/// Seconds after which it is looked whether anybody is at a pull.
const DEAD: u64 = 5;
/// Seconds after which it is looked whether a reference has moved.
const LOOK_AGAIN: u64 = 300;

/// The pull that answers for a revision, begun when there was none, or when its outcome is old. `None` when there is no
/// upstream.
///
/// # Errors
///
/// When the records cannot be read or written.
pub fn ask(registry: &Registry, kind: Kind, name: &str, revision: &str) -> Result<Option<Pull>> {
    if registry.upstream().is_none() || !is_name(name) {
        return Ok(None);
    }
    let pull = ask_for(registry, kind, name, revision, refname(revision))?;
    let commit = pull.as_ref().and_then(|pull| pull.commit.as_deref()).filter(|commit| *commit != revision);
    match (commit, &pull) {
        (Some(commit), Some(pull)) if pull.state == State::Done => {
            ask_for(registry, kind, name, commit, &pull.refname)
        }
        _ => Ok(pull),
    }
}

fn ask_for(
    registry: &Registry,
    kind: Kind,
    name: &str,
    revision: &str,
    refname: &str,
) -> Result<Option<Pull>> {
    let found = record::find(registry.database(), kind, name, revision)?;
    let now = registry.now();
    let is_old = found.as_ref().is_none_or(|pull| {
        let age = now.saturating_sub(pull.updated);
        match pull.state {
            State::Asked | State::Listed => false,
            // A commit that was brought is asked for when its version is gone, or came in this moment.
            State::Done if is_commit(revision) => age > 1,
            State::Done => age >= LOOK_AGAIN,
            _ => age >= ASK_AGAIN,
        }
    });
    if !is_old {
        if let Some(pull) = found.as_ref().filter(|pull| pull.state.is_going()) {
            revive(registry, kind, name, pull)?;
        }
        return Ok(found);
    }
    begin(registry, kind, name, revision, refname)?;
    record::find(registry.database(), kind, name, revision)
}

/// Looks, without anybody waiting for it, whether the upstream has moved a reference that is served here.
///
/// # Errors
///
/// When the records cannot be read or written.
pub fn look_again(registry: &Registry, kind: Kind, name: &str, revision: &str) -> Result<()> {
    if registry.upstream().is_none() || is_commit(revision) {
        return Ok(());
    }
    let Some(pull) = record::find(registry.database(), kind, name, revision)? else { return Ok(()) };
    if !pull.state.is_going() && registry.now().saturating_sub(pull.updated) >= LOOK_AGAIN {
        begin(registry, kind, name, revision, refname(revision))?;
    }
    Ok(())
}

/// The pull of a revision as far as it is, and of the commit that it led to. Nothing is begun.
///
/// # Errors
///
/// When the records cannot be read.
pub fn look(registry: &Registry, kind: Kind, name: &str, revision: &str) -> Result<Option<Pull>> {
    let Some(pull) = record::find(registry.database(), kind, name, revision)? else { return Ok(None) };
    match pull.commit.as_deref().filter(|commit| *commit != revision) {
        Some(commit) if pull.state == State::Done => {
            Ok(record::find(registry.database(), kind, name, commit)?.or(Some(pull)))
        }
        _ => Ok(Some(pull)),
    }
}

/// The files of a pull, as far as they are known.
///
/// # Errors
///
/// When the records cannot be read.
pub fn files(registry: &Registry, pull: &Pull) -> Result<Vec<PulledFile>> {
    record::files(registry.database(), pull.id)
}

/// Whether a revision names itself.
pub fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
}

fn begin(registry: &Registry, kind: Kind, name: &str, revision: &str, refname: &str) -> Result<()> {
    registry
        .database()
        .write(|transaction| record::begin(transaction, kind, name, revision, refname, registry.now()))?;
    registry.enqueue(JOB, &run::key(kind, name, revision), &run::payload(kind, name, revision))
}

/// Asks for the work again when nobody is at it any more: a process may have died before it could ask.
fn revive(registry: &Registry, kind: Kind, name: &str, pull: &Pull) -> Result<()> {
    let key = run::key(kind, name, &pull.revision);
    if registry.now().saturating_sub(pull.updated) < DEAD {
        return Ok(());
    }
    let is_live =
        registry.job(JOB, &key)?.is_some_and(|job| matches!(job.state.as_str(), "ready" | "running"));
    if is_live {
        return Ok(());
    }
    registry.enqueue(JOB, &key, &run::payload(kind, name, &pull.revision))
}

fn refname(revision: &str) -> &str {
    if is_commit(revision) { "" } else { revision }
}
