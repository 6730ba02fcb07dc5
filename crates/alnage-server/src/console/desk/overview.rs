//! The first page.

use alnage_registry::{Deployment, Page, RequestState, Stage, Stats, Version, people::Role};
use axum::{extract::State as Shared, response::Response};

use super::{deployments, may, rows};
use crate::{
    auth::Caller,
    console::{
        address,
        pages::{self, Attention, Blocked, Figure, Overview, Waiting},
        parts::{Count, Frame, Link, Mark, Moment, Place, Size, Span, Tone},
        respond,
    },
    core::{Answered, State},
};

/// Rows of each list.
const ROWS: usize = 6;
/// An approval that ends so soon is told, in seconds.
const SOON: u64 = 14 * 86_400;

pub(super) async fn show(Shared(state): Shared<State>, caller: Caller) -> Answered<Response> {
    respond::page(move || load(&state, &caller)).await
}

fn load(state: &State, caller: &Caller) -> Answered<Overview> {
    let frame = respond::frame(state, caller, "Overview", Place::Overview, "")?;
    let stats = state.registry.stats()?;
    let refused = deployments::refused(state, caller, 200)?;
    let (attention, requests) = attention(state, caller, &refused)?;
    let (running, _) = deployments::running(state, caller, "", "", ROWS)?;
    let mut events: Vec<pages::Event> = Vec::new();
    for event in state.registry.recent_events(60)? {
        if caller.may(Role::Viewer, alnage_registry::people::Place::Project(&event.project))
            && events.len() < 8
        {
            events.push(rows::event(&event));
        }
    }
    let in_stage =
        |stage: Stage| stats.stages.iter().find(|(of, _)| *of == stage).map_or(0, |(_, count)| *count);
    Ok(Overview {
        headline: headline(&frame, &stats, refused.len(), requests),
        standing: standing(state)?,
        figures: figures(&stats),
        attention,
        running,
        running_total: Count(stats.deployments),
        waiting: waiting(state, caller)?,
        waiting_total: Count(in_stage(Stage::Quarantined)),
        blocked: blocked(state, caller)?,
        blocked_total: Count(in_stage(Stage::Rejected) + in_stage(Stage::Revoked)),
        events,
        frame,
    })
}

/// The state of affairs in one sentence.
fn headline(frame: &Frame, stats: &Stats, refused: usize, requests: usize) -> String {
    let things = |count: usize, one: &str, many: &str| match count {
        1 => one.to_owned(),
        _ => format!("{} {many}", Count(count as u64)),
    };
    let run = things(refused, "One recalled model still runs", "recalled models still run");
    let requests = requests.max(usize::try_from(frame.waiting).unwrap_or(0));
    let wait = things(requests, "one request waits for a decision", "requests wait for a decision");
    match (refused, requests) {
        (0, 0) if stats.repos == 0 => "Nothing is here yet.".to_owned(),
        (0, 0) => "Nothing needs a person now.".to_owned(),
        (0, _) => respond::sentence(&wait),
        (_, 0) => format!("{run}."),
        _ => format!("{run}, and {wait}."),
    }
}

fn standing(state: &State) -> Answered<String> {
    let pack = state.registry.policy();
    let log = match state.registry.log_checkpoint()? {
        Some(checkpoint) => format!("The transparency log has {} entries.", Count(checkpoint.size)),
        None => "The transparency log is empty.".to_owned(),
    };
    Ok(format!("The policy pack {} decides. {log}", pack.name()))
}

fn figures(stats: &Stats) -> Vec<Figure> {
    let figure = |label, count, href: &str| Figure { label, count: Count(count), href: href.to_owned() };
    let mut figures = vec![figure("models and datasets", stats.repos, "/console/models")];
    for (stage, label, href) in [
        (Stage::Production, "in production", "/console/models?stage=production"),
        (Stage::Approved, "approved", "/console/models?stage=approved"),
        (Stage::Quarantined, "in quarantine", "/console/models?stage=quarantined"),
        (Stage::Deprecated, "deprecated", "/console/models?stage=deprecated"),
        (Stage::Rejected, "rejected", "/console/models?stage=rejected"),
        (Stage::Revoked, "revoked", "/console/models?stage=revoked"),
    ] {
        let count = stats.stages.iter().find(|(of, _)| *of == stage).map_or(0, |(_, count)| *count);
        figures.push(figure(label, count, href));
    }
    figures
}

/// What a person should look at, and how many requests wait.
fn attention(state: &State, caller: &Caller, refused: &[Deployment]) -> Answered<(Vec<Attention>, usize)> {
    let now = state.registry.now();
    let mut attention = Vec::new();
    for found in refused.iter().take(ROWS) {
        let row = rows::deployment(state, found)?;
        attention.push(Attention {
            what: row.model,
            mark: row.stage,
            why: format!("Still reported from {}", row.place),
            since: row.seen.before(now),
            action: Link::new("See where", "/console/deployments?only=refused"),
        });
    }
    let requests = state.registry.requests(Some(RequestState::Open), Page::first(200))?;
    let requests: Vec<_> =
        requests.into_iter().filter(|(_, version)| may(caller, Role::Viewer, &version.name)).collect();
    // The oldest first: it has waited longest.
    for (request, version) in requests.iter().rev().take(ROWS) {
        attention.push(Attention {
            what: address::link(version),
            mark: rows::verdict(version),
            why: format!("{} asks for approval: {}", request.requester, request.reason),
            since: Moment(request.created).before(now),
            action: Link::new("Decide", format!("/console/reviews/{}", request.id)),
        });
    }
    for version in ending(state, now)?.iter().filter(|version| may(caller, Role::Viewer, &version.name)) {
        let left = Span(version.expires.unwrap_or(now).saturating_sub(now));
        attention.push(Attention {
            what: address::link(version),
            mark: Mark::new("Ends soon", Tone::Look),
            why: format!("Its approval ends in {left}"),
            since: Moment(version.staged).before(now),
            action: Link::new("Renew", format!("{}#approvals", address::link(version).href)),
        });
    }
    for job in state.registry.jobs(Some("failed"), Page::first(3))? {
        let version = job.key.parse().map_or(Ok(None), |id| state.registry.version_by_id(id))?;
        if version.as_ref().is_some_and(|version| !may(caller, Role::Viewer, &version.name)) {
            continue;
        }
        attention.push(Attention {
            what: version.as_ref().map_or_else(|| Link::new(job.key.replace('\n', " "), ""), address::link),
            mark: Mark::new("Failed", Tone::Bad),
            why: format!("The {} failed after {} attempts: {}", job.kind, job.attempts, job.message),
            since: Moment(job.created).before(now),
            action: Link::new(
                "See it",
                version.as_ref().map_or_else(|| "/console/models".to_owned(), |v| address::link(v).href),
            ),
        });
    }
    Ok((attention, requests.len()))
}

/// Versions that are given out and whose approval ends soon.
fn ending(state: &State, now: u64) -> Answered<Vec<Version>> {
    let (from, to) =
        (i64::try_from(now).unwrap_or(i64::MAX), i64::try_from(now.saturating_add(SOON)).unwrap_or(i64::MAX));
    let ids = state.registry.database().read(|connection| {
        let rows = connection.query(
            "SELECT id FROM versions WHERE expires > $1 AND expires <= $2
             AND stage IN ('approved', 'production', 'deprecated') ORDER BY expires LIMIT 6",
            &[from.into(), to.into()],
        )?;
        rows.iter().map(|row| row.int(0)).collect::<alnage_registry::Result<Vec<_>>>()
    })?;
    let mut versions = Vec::new();
    for id in ids {
        versions.extend(state.registry.version_by_id(id)?);
    }
    Ok(versions)
}

fn waiting(state: &State, caller: &Caller) -> Answered<Vec<Waiting>> {
    let now = state.registry.now();
    let mut waiting = Vec::new();
    for state_of in ["running", "ready"] {
        for job in state.registry.jobs(Some(state_of), Page::first(20))? {
            let version = job.key.parse().map_or(Ok(None), |id| state.registry.version_by_id(id))?;
            let seen = version.as_ref().is_none_or(|version| may(caller, Role::Viewer, &version.name));
            if !seen || job.kind == "notify" || waiting.len() >= ROWS {
                continue;
            }
            let doing = match (&*job.kind, state_of) {
                ("pull", _) => "Comes in from the upstream hub".to_owned(),
                ("scan", "running") => format!("Is scanned, attempt {}", job.attempts),
                ("scan", _) => "A free worker, to be scanned".to_owned(),
                (kind, _) => kind.to_owned(),
            };
            let name = job.key.replace(['\n', '\0', '\u{1f}'], " ");
            waiting.push(Waiting {
                model: version.as_ref().map_or_else(|| Link::new(name, ""), address::link),
                what: doing,
                since: Moment(job.created).before(now),
            });
        }
    }
    for version in state.registry.versions_in(Stage::Quarantined, Page::first(40))? {
        if waiting.len() < ROWS && version.scan.is_some() && may(caller, Role::Viewer, &version.name) {
            waiting.push(Waiting {
                model: address::link(&version),
                what: format!(
                    "A person: {}",
                    if version.reason.is_empty() { "the policy asks for one" } else { &version.reason }
                ),
                since: Moment(version.staged).before(now),
            });
        }
    }
    Ok(waiting)
}

fn blocked(state: &State, caller: &Caller) -> Answered<Vec<Blocked>> {
    let mut versions = state.registry.versions_in(Stage::Rejected, Page::first(30))?;
    versions.extend(state.registry.versions_in(Stage::Revoked, Page::first(30))?);
    versions.retain(|version| may(caller, Role::Viewer, &version.name));
    versions.sort_by_key(|version| std::cmp::Reverse(version.staged));
    let row = |version: &Version| Blocked {
        model: address::link(version),
        stage: rows::stage(version),
        reason: if version.reason.is_empty() {
            "no reason is kept".to_owned()
        } else {
            version.reason.clone()
        },
        rule: format!("{}, {}", version.staged_by, Size(version.size)),
    };
    Ok(versions.iter().take(ROWS).map(row).collect())
}
