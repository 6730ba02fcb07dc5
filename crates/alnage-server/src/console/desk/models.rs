//! The list of models and datasets.

use alnage_registry::{Kind, Page, Repo, RepoQuery, Stage, people::Role};
use alnage_types::Verdict;
use axum::{extract::State as Shared, response::Response};
use serde::Deserialize;

use super::{may, rows};
use crate::{
    auth::Caller,
    console::{
        address,
        pages::{Filter, ModelRow, Models, Pages},
        parts::{InQuery, Link, Mark, Moment, Place, Short, Tone},
        respond,
    },
    core::{Answered, Query, State},
};

const ROWS: usize = 50;
const VERDICTS: [Verdict; 4] = [Verdict::Pass, Verdict::Unknown, Verdict::Review, Verdict::Block];
/// Pages of records that one page of the console looks through, for who sees few of them.
const LOOKED: usize = 40;

/// What is asked for.
#[derive(Deserialize, Default)]
pub(super) struct Wanted {
    #[serde(default)]
    q: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    stage: String,
    #[serde(default)]
    verdict: String,
    #[serde(default)]
    after: String,
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Answered<Response> {
    respond::page(move || {
        let frame = respond::frame(&state, &caller, "Models", Place::Models, "")?;
        let (found, next) = load(&state, &caller, &wanted)?;
        let query = format!(
            "q={}&kind={}&verdict={}&stage={}",
            InQuery(&wanted.q),
            InQuery(&wanted.kind),
            InQuery(&wanted.verdict),
            InQuery(&wanted.stage)
        );
        Ok(Models {
            frame,
            filter: Filter::new(&wanted.q, &wanted.kind, &wanted.verdict, &wanted.stage),
            rows: found.iter().map(row).collect(),
            pages: Pages {
                first: if wanted.after.is_empty() {
                    String::new()
                } else {
                    format!("/console/models?{query}")
                },
                next: next.map_or_else(String::new, |after| {
                    format!("/console/models?{query}&after={}", InQuery(&after))
                }),
            },
        })
    })
    .await
}

fn load(state: &State, caller: &Caller, wanted: &Wanted) -> Answered<(Vec<Repo>, Option<String>)> {
    let projects = caller.roles.projects(Role::Viewer);
    let project = projects.as_ref().and_then(|projects| match projects.as_slice() {
        [one] => Some(*one),
        _ => None,
    });
    let text = wanted.q.trim();
    let query = || RepoQuery {
        kind: match &*wanted.kind {
            "model" => Some(Kind::Model),
            "dataset" => Some(Kind::Dataset),
            _ => None,
        },
        project,
        search: if text.is_empty() { None } else { Some(text) },
        stage: Stage::parse(&wanted.stage).ok(),
        verdict: VERDICTS.into_iter().find(|verdict| verdict.as_str() == wanted.verdict),
        served: false,
    };
    let (mut shown, mut after) = (Vec::new(), wanted.after.clone());
    for _ in 0..LOOKED {
        let page = state.registry.repos(query(), Page { after: &after, limit: ROWS as u32 })?;
        let last = page.len() < ROWS;
        for repo in page {
            after = repo.place();
            if may(caller, Role::Viewer, &repo.name) {
                shown.push(repo);
            }
            if shown.len() >= ROWS {
                return Ok((shown, Some(after)));
            }
        }
        if last {
            return Ok((shown, None));
        }
    }
    Ok((shown, Some(after)))
}

fn row(repo: &Repo) -> ModelRow {
    let head = repo.head.as_deref();
    ModelRow {
        model: Link::new(&*repo.name, address::repo(repo.kind, &repo.name)),
        kind: repo.kind.as_str().to_owned(),
        version: head.map_or_else(|| Short("none yet".to_owned()), address::short),
        verdict: head.map_or(Mark::new("No version", Tone::Quiet), rows::verdict),
        stage: head.map_or(Mark::new("Empty", Tone::Quiet), rows::stage),
        owner: repo.owner.clone(),
        changed: Moment(repo.updated),
    }
}
