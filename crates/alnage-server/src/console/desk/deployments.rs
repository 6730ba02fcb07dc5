//! What runs where.

use alnage_registry::{Deployment, Page, Stage, people::Role};
use axum::{extract::State as Shared, response::Response};
use serde::Deserialize;

use super::{may, rows};
use crate::{
    auth::Caller,
    console::{
        address,
        pages::{Choice, DeploymentRow, Deployments, Pages},
        parts::{Count, InQuery, Place},
        respond,
    },
    core::{Answered, Query, State},
};

const ROWS: usize = 50;
/// Reports that one page looks through at most.
const LOOKED: usize = 2000;

/// What is asked for.
#[derive(Deserialize, Default)]
pub(super) struct Wanted {
    #[serde(default)]
    environment: String,
    #[serde(default)]
    only: String,
    #[serde(default)]
    after: String,
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Answered<Response> {
    respond::page(move || {
        let frame = respond::frame(&state, &caller, "Deployments", Place::Deployments, "")?;
        let stats = state.registry.stats()?;
        let refused = refused(&state, &caller, 200)?;
        let standing = match refused.len() {
            0 => format!("{} are reported. None of them runs what is refused now.", Count(stats.deployments)),
            1 => {
                format!("{} are reported. One runs a version that is refused now.", Count(stats.deployments))
            }
            many => format!(
                "{} are reported. {many} run versions that are refused now.",
                Count(stats.deployments)
            ),
        };
        let (rows, next) = match &*wanted.only {
            "refused" => {
                let rows = refused.iter().take(ROWS).map(|found| rows::deployment(&state, found));
                (rows.collect::<Answered<Vec<_>>>()?, String::new())
            }
            _ => running(&state, &caller, &wanted.environment, &wanted.after, ROWS)?,
        };
        let query = format!("environment={}&only={}", InQuery(&wanted.environment), InQuery(&wanted.only));
        let address = |after: &str| format!("/console/deployments?{query}{after}");
        let choice = |value: &str, label: &str, chosen: &str| Choice {
            value: value.to_owned(),
            label: label.to_owned(),
            chosen: value == chosen,
        };
        let mut environments = vec![choice("", "All environments", &wanted.environment)];
        for name in environments_of(&state)? {
            environments.push(choice(&name, &name, &wanted.environment));
        }
        Ok(Deployments {
            frame,
            standing,
            environments,
            only: vec![
                choice("", "Everything", &wanted.only),
                choice("refused", "What is refused now", &wanted.only),
            ],
            rows,
            pages: Pages {
                first: if wanted.after.is_empty() { String::new() } else { address("") },
                next: if next.is_empty() {
                    String::new()
                } else {
                    address(&format!("&after={}", InQuery(&next)))
                },
            },
        })
    })
    .await
}

fn seen(caller: &Caller, found: &Deployment) -> bool {
    address::subject(&found.model).is_some_and(|(_, name, _)| may(caller, Role::Viewer, name))
}

/// What runs, the newest report first, and where the list goes on.
pub(super) fn running(
    state: &State,
    caller: &Caller,
    environment: &str,
    after: &str,
    limit: usize,
) -> Answered<(Vec<DeploymentRow>, String)> {
    let (mut shown, mut after, mut looked) = (Vec::new(), after.to_owned(), 0);
    while looked < LOOKED {
        let page = state.registry.deployments(None, Page { after: &after, limit: 200 })?;
        let last = page.len() < 200;
        for found in &page {
            looked += 1;
            after = found.id.to_string();
            let fits = environment.is_empty() || found.environment == environment;
            if fits && found.state == "running" && seen(caller, found) {
                shown.push(rows::deployment(state, found)?);
            }
            if shown.len() >= limit {
                return Ok((shown, after));
            }
        }
        if last {
            return Ok((shown, String::new()));
        }
    }
    Ok((shown, after))
}

/// What runs although it is refused now.
pub(super) fn refused(state: &State, caller: &Caller, limit: usize) -> Answered<Vec<Deployment>> {
    let models = state.registry.database().read(|connection| {
        let found = connection.query(
            "SELECT DISTINCT d.model FROM versions v JOIN repos r ON r.id = v.repo
             JOIN deployments d ON d.model = r.kind || '/' || r.name AND d.commit_id = v.commit_id
             WHERE v.stage IN ('revoked', 'rejected') AND d.state = 'running' LIMIT 200",
            &[],
        )?;
        found.iter().map(|row| row.text(0)).collect::<alnage_registry::Result<Vec<_>>>()
    })?;
    let mut refused = Vec::new();
    for model in models {
        for found in state.registry.deployments(Some(&model), Page::first(50))? {
            let Some((kind, name, _)) = address::subject(&found.model) else { continue };
            if found.state != "running" || !seen(caller, &found) || refused.len() >= limit {
                continue;
            }
            let version = state.registry.version(kind, name, &found.commit)?;
            if version.is_some_and(|version| matches!(version.stage, Stage::Revoked | Stage::Rejected)) {
                refused.push(found);
            }
        }
    }
    Ok(refused)
}

/// The names of environments, for the choice.
fn environments_of(state: &State) -> Answered<Vec<String>> {
    Ok(state.registry.database().read(|connection| {
        let found = connection.query(
            "SELECT DISTINCT environment FROM deployments WHERE environment <> '' ORDER BY environment LIMIT 50",
            &[],
        )?;
        found.iter().map(|row| row.text(0)).collect()
    })?)
}
