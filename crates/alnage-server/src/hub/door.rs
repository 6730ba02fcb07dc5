//! What a revision gives to who asks for it: a version, a wait, or the reason why not.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use alnage_registry::{
    Answer, Kind, Stage, Version,
    pull::{self, State as Pulling},
};

use super::reply::Refusal;
use crate::core::{Answered, State, blocking};

/// How long a request is held: clients give up after ten seconds of silence.
const HOLD: Duration = Duration::from_secs(8);
/// How long one is held that follows no redirect and knows no silence.
const LONG_HOLD: Duration = Duration::from_secs(600);
/// How often a request is sent round again: the strictest clients follow twenty redirects.
const MAX_TIMES: u32 = 17;

/// The commit that a repository has before anything is committed: git's name of a tree without files. Clients ask for it
/// again, and say that they commit on top of it.
pub(crate) const EMPTY: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// A revision of a repository.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) revision: String,
}

/// What there is for who asks.
#[derive(Debug, Clone)]
pub(crate) enum Found {
    /// A version that is given out.
    Version(Arc<Version>),
    /// It is being brought or judged.
    Wait(Waiting),
    /// The repository was made, and nothing was sent yet.
    Empty,
}

/// Something that is being brought or judged.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    /// Since when, in seconds since 1970.
    pub(crate) since: u64,
    /// The version, once there is one.
    pub(crate) version: Option<Box<Version>>,
}

/// How a client can be made to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patience {
    hold: Duration,
    /// Whether it may be sent round once more.
    pub(crate) again: bool,
}

impl Patience {
    /// Of who has been sent round so many times.
    pub(crate) fn of(agent: &str, times: u32) -> Self {
        // Its first versions take a redirect of a file's metadata for the file.
        if agent.contains("hf-hub/") {
            return Self { hold: LONG_HOLD, again: false };
        }
        Self { hold: HOLD, again: times < MAX_TIMES }
    }
}

/// Looks until there is something better than waiting, or patience is at its end.
pub(crate) async fn wait(state: &State, asked: &Asked, patience: Patience) -> Result<Found, Refusal> {
    let end = Instant::now() + patience.hold;
    let mut pause = Duration::from_millis(20);
    loop {
        let found = look(state, asked).await?;
        let left = end.saturating_duration_since(Instant::now());
        if !matches!(found, Found::Wait(_)) || left.is_zero() {
            return Ok(found);
        }
        tokio::time::sleep(pause.min(left)).await;
        pause = (pause * 2).min(Duration::from_millis(400));
    }
}

/// The same for who commits here: they see what they have committed. While something newer is judged they wait for it, as
/// long as one request is held; gives what is given out then, and what still is judged.
pub(crate) async fn wait_for_newest(
    state: &State,
    asked: &Asked,
    mut version: Arc<Version>,
) -> Result<(Arc<Version>, Option<Version>), Refusal> {
    let end = Instant::now() + HOLD;
    let mut pause = Duration::from_millis(20);
    while let Some(newer) = newest(state, asked, &version).await? {
        if newer.stage != Stage::Quarantined || newer.scan.is_some() {
            break;
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok((version, Some(newer)));
        }
        tokio::time::sleep(pause.min(left)).await;
        pause = (pause * 2).min(Duration::from_millis(400));
        match look(state, asked).await? {
            Found::Version(found) => version = found,
            Found::Wait(_) | Found::Empty => break,
        }
    }
    Ok((version, None))
}

/// The newest version of the reference that was asked for, when it is another one than that which is given out.
pub(crate) async fn newest(
    state: &State,
    asked: &Asked,
    version: &Version,
) -> Result<Option<Version>, Refusal> {
    if alnage_registry::is_commit(&asked.revision) {
        return Ok(None);
    }
    let (registry, asked, given) = (state.registry.clone(), asked.clone(), version.id);
    let newest = blocking(move || Ok(registry.version(asked.kind, &asked.name, &asked.revision)?)).await?;
    Ok(newest.filter(|newest| newest.id != given))
}

/// Looks once.
pub(crate) async fn look(state: &State, asked: &Asked) -> Result<Found, Refusal> {
    refresh(state).await?;
    if let Some(version) = state.hub.version(asked.kind, &asked.name, &asked.revision, state.registry.now()) {
        return Ok(Found::Version(version));
    }
    let generation = state.hub.generation();
    let (state, asked) = (state.clone(), asked.clone());
    blocking(move || {
        let found = judge(&state, &asked);
        if let Ok(Found::Version(version)) = &found {
            state.hub.keep_version(generation, &asked.revision, version);
        }
        Ok(found)
    })
    .await?
}

/// Sees to it that what the cache has holds.
pub(crate) async fn refresh(state: &State) -> Answered<()> {
    if state.hub.is_fresh(state.registry.database().written()) {
        return Ok(());
    }
    let state = state.clone();
    blocking(move || {
        let (begun, written) = (Instant::now(), state.registry.database().written());
        let generation = state.registry.generation()?;
        state.hub.check(generation, begun, written);
        Ok(())
    })
    .await
}

fn judge(state: &State, asked: &Asked) -> Result<Found, Refusal> {
    let Asked { kind, name, revision } = asked;
    let registry = &state.registry;
    match registry.answer(*kind, name, revision)? {
        Answer::Serve(version) => {
            pull::look_again(registry, *kind, name, revision)?;
            Ok(Found::Version(Arc::from(version)))
        }
        Answer::Wait { version, since } => Ok(Found::Wait(Waiting { since, version: Some(version) })),
        Answer::Ask { version, reason, approval_path } => Err(Refusal::Gated(format!(
            "ALNAGE: {name} at {:.12} is not approved: {reason}. Ask for approval: {}{approval_path}",
            version.commit,
            public(state)
        ))),
        Answer::Recalled { version, reason } => Err(Refusal::NoRevision(format!(
            "ALNAGE: {name} at {:.12} was recalled and must not be used: {reason}. See {}{}",
            version.commit,
            public(state),
            version.path()
        ))),
        Answer::Unknown => ask(state, asked),
    }
}

/// What the registry does not have may be had from the upstream, unless the name is our own.
fn ask(state: &State, asked: &Asked) -> Result<Found, Refusal> {
    let Asked { kind, name, revision } = asked;
    let registry = &state.registry;
    if let Some(repo) = registry.repo(*kind, name)?.filter(|repo| repo.origin == "upload") {
        return match repo.head {
            None if revision == "main" || revision == EMPTY => Ok(Found::Empty),
            _ => Err(Refusal::NoRevision(format!("{name} has no revision {revision}"))),
        };
    }
    let Some(pull) = pull::ask(registry, *kind, name, revision)? else {
        return Err(Refusal::NoRepo(format!(
            "ALNAGE: {name} is not in this registry, which asks no other hub: upload it, or have an upstream configured"
        )));
    };
    let message = &pull.message;
    match pull.state {
        Pulling::Asked | Pulling::Listed | Pulling::Done => {
            Ok(Found::Wait(Waiting { since: pull.asked, version: None }))
        }
        Pulling::NoRepository => {
            Err(Refusal::NoRepo(format!("{name} is neither in this registry nor at its upstream: {message}")))
        }
        Pulling::NoRevision => {
            Err(Refusal::NoRevision(format!("{name} has no revision {revision}: {message}")))
        }
        Pulling::Gated | Pulling::Refused => {
            Err(Refusal::Gated(format!("ALNAGE: {name} was not taken from the upstream: {message}")))
        }
        Pulling::Failed => Err(Refusal::Later(format!("ALNAGE: {name} could not be brought: {message}"), 30)),
    }
}

/// What those are told who have waited long enough for one request.
pub(crate) fn later(asked: &Asked, waiting: &Waiting, now: u64) -> Refusal {
    let elapsed = now.saturating_sub(waiting.since);
    let what = if waiting.version.is_some() { "being scanned" } else { "being brought from the upstream" };
    let text = format!(
        "ALNAGE: {} is {what} since {elapsed} seconds; it is given out once it is found to be safe",
        asked.name
    );
    Refusal::Later(text, (elapsed / 2).clamp(2, 60))
}

/// The address that people reach the registry by.
pub(crate) fn public(state: &State) -> &str {
    state.settings.public_url.trim_end_matches('/')
}
