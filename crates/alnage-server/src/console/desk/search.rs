//! Search: names, commits, digests of files and manifests, findings.

use std::collections::BTreeSet;

use alnage_registry::{FindingQuery, Page, RepoQuery, Version, people::Role};
use axum::{extract::State as Shared, response::Response};
use serde::Deserialize;

use super::{may, rows};
use crate::{
    auth::Caller,
    console::{
        address,
        pages::{Group, Hit, Search},
        parts::{Link, Mark, Place, Tone},
        respond,
    },
    core::{Answered, Query, State},
};

const ROWS: usize = 20;

/// What stands after `?`.
#[derive(Deserialize, Default)]
pub(super) struct Wanted {
    #[serde(default)]
    q: String,
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Answered<Response> {
    respond::page(move || {
        let q: String = wanted.q.trim().chars().take(200).collect();
        let mut groups = Vec::new();
        if !q.is_empty() {
            groups = [
                by_name(&state, &caller, &q)?,
                by_digest(&state, &caller, &q)?,
                by_code(&state, &caller, &q)?,
            ]
            .into_iter()
            .flatten()
            .collect();
        }
        Ok(Search { frame: respond::frame(&state, &caller, "Search", Place::Elsewhere, "")?, q, groups })
    })
    .await
}

fn group(name: &'static str, mut rows: Vec<Hit>) -> Option<Group> {
    let more = rows.len() > ROWS;
    rows.truncate(ROWS);
    (!rows.is_empty()).then_some(Group { name, rows, more })
}

fn by_name(state: &State, caller: &Caller, q: &str) -> Answered<Option<Group>> {
    let query = RepoQuery { search: Some(q), ..RepoQuery::default() };
    let mut hits = Vec::new();
    for repo in state.registry.repos(query, Page::first(200))? {
        if hits.len() <= ROWS && may(caller, Role::Viewer, &repo.name) {
            hits.push(Hit {
                what: Link::new(&*repo.name, address::repo(repo.kind, &repo.name)),
                detail: format!("{}, owned by {}", repo.kind.as_str(), repo.owner),
                mark: repo.head.as_deref().map_or(Mark::new("Empty", Tone::Quiet), rows::stage),
            });
        }
    }
    Ok(group("Models and datasets", hits))
}

/// A commit, or the digest of a manifest or of a file, from its first eight characters on.
fn by_digest(state: &State, caller: &Caller, q: &str) -> Answered<Option<Group>> {
    let hex = q.trim_start_matches("sha256:").to_ascii_lowercase();
    if !(8..=64).contains(&hex.len()) || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(None);
    }
    let mut seen = BTreeSet::new();
    let mut hits = Vec::new();
    let mut add = |version: Version, detail: &str| {
        if hits.len() <= ROWS && may(caller, Role::Viewer, &version.name) && seen.insert(version.id) {
            hits.push(Hit {
                what: address::link(&version),
                detail: format!("{detail} of version {:.12}", version.commit),
                mark: rows::stage(&version),
            });
        }
    };
    if hex.len() == 64 {
        for version in state.registry.versions_of_manifest(&hex)? {
            add(version, "manifest");
        }
        for version in state.registry.versions_of_manifest(&format!("sha256:{hex}"))? {
            add(version, "manifest");
        }
        for found in state
            .registry
            .blast_radius(&format!("sha256:{hex}"))?
            .into_iter()
            .filter(|found| found.path.len() <= 1)
        {
            add(found.version, "file");
        }
    } else {
        for id in commits(state, &hex)? {
            if let Some(version) = state.registry.version_by_id(id)? {
                add(version, "commit");
            }
        }
    }
    Ok(group("Digests", hits))
}

/// Versions whose commit begins so: a range of the index over commits would need the repository, so this is a scan of
/// one narrow column.
fn commits(state: &State, hex: &str) -> Answered<Vec<i64>> {
    let to = format!("{hex}g");
    Ok(state.registry.database().read(|connection| {
        let found = connection.query(
            "SELECT id FROM versions WHERE commit_id >= $1 AND commit_id < $2 ORDER BY id DESC LIMIT 21",
            &[hex.into(), (&to).into()],
        )?;
        found.iter().map(|row| row.int(0)).collect()
    })?)
}

fn by_code(state: &State, caller: &Caller, q: &str) -> Answered<Option<Group>> {
    let code = q.to_ascii_uppercase();
    let shaped = code.len() == 6
        && code.get(..3).is_some_and(|family| family.bytes().all(|byte| byte.is_ascii_uppercase()));
    if !shaped || !code.get(3..).is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit())) {
        return Ok(None);
    }
    let query = FindingQuery { version: None, code: Some(&code), severity: None };
    let mut hits = Vec::new();
    for found in state.registry.findings(query, Page::first(100))? {
        if hits.len() <= ROWS && may(caller, Role::Viewer, &found.model) {
            hits.push(Hit {
                what: Link::new(&*found.model, address::version(found.kind, &found.model, &found.commit)),
                detail: format!("{} in {}: {}", found.name, found.artifact, found.message),
                mark: rows::finding(&found).severity,
            });
        }
    }
    Ok(group("Findings", hits))
}
