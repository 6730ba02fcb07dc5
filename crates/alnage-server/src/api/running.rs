//! What runs where, what happened, what has to be done, and the log.

use std::time::Duration;

use alnage_registry::{
    Deployment, Event, Job, NewDeployment, Page, Stats,
    people::{Place, Role},
    project_of,
    worker::Webhook,
};
use axum::{
    body::Bytes,
    extract::State as Shared,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;

use super::common::{List, rows, sees};
use crate::{
    auth::Caller,
    core::{Access, Answered, Ask, Failure, Json, On, Path, Query, Route, State, blocking, bytes, listen},
};

const ANYWHERE: Access = Access::Role(Role::Viewer, On::Anywhere);
const ADMIN: Access = Access::Role(Role::SecurityAdmin, On::Everywhere);
const REPORT: &[Ask] = &[
    Ask::role(Role::Consumer, "/api/v1/deployments")
        .body(r#"{"place": "host:/srv", "kind": "run", "model": "model/acme/tiny"}"#),
    // What is no record belongs to nobody in particular.
    Ask::role(Role::Consumer, "/api/v1/deployments")
        .body(r#"{"place": "host:/opt", "kind": "run", "model": "/opt/model"}"#)
        .project("_"),
];
/// How often who follows the events is looked after.
const BEAT: Duration = Duration::from_secs(1);
/// How often a line goes out all the same, so that nothing in between ends the connection.
const SILENCE: u32 = 15;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/deployments", ANYWHERE, "Where models run, the newest first", deployments)
            .query::<DeploymentsQuery>()
            .gives::<List<Deployment>>(),
        Route::post(
            "/api/v1/deployments",
            Access::Asked(REPORT),
            "Report that a model runs somewhere, or does not any more",
            report,
        )
        .takes::<NewDeploymentBody>()
        .success(204),
        Route::get(
            "/api/v1/events",
            ANYWHERE,
            "What happened, in order; with `Accept: text/event-stream` as it happens, from `Last-Event-ID` on",
            events,
        )
        .query::<EventsQuery>()
        .gives::<List<Event>>()
        .gives_kinds(&["text/event-stream"]),
        Route::get("/api/v1/stats", ANYWHERE, "What there is, counted", stats).gives::<Stats>(),
        Route::get("/api/v1/jobs", Access::Role(Role::Auditor, On::Everywhere), "What has to be done, the newest first", jobs)
            .query::<JobsQuery>()
            .gives::<List<JobBody>>(),
        Route::post("/api/v1/scans", ADMIN, "Scan everything again", scan_all).gives::<Queued>().success(202),
        Route::get("/api/v1/webhooks", ADMIN, "Who is told what happens", webhooks).gives::<List<Webhook>>(),
        Route::post("/api/v1/webhooks", ADMIN, "Tell somebody what happens", add_webhook)
            .takes::<NewWebhook>()
            .gives::<Made>()
            .success(201),
        Route::delete("/api/v1/webhooks/{id}", ADMIN, "Tell them no more", delete_webhook).success(204),
        Route::get("/log/{*object}", Access::Public, "The transparency log: `checkpoint`, `key`, tiles as C2SP tlog-tiles names them", log)
            .gives_kinds(&["text/plain", "application/octet-stream"]),
    ]
}

/// Which deployments.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct DeploymentsQuery {
    /// Of this model: `model/acme/tiny`
    model: Option<String>,
    /// What the page before gave as `next`
    after: Option<String>,
    /// Rows, at most 1000
    limit: Option<u32>,
}

async fn deployments(
    Shared(state): Shared<State>,
    caller: Caller,
    Query(query): Query<DeploymentsQuery>,
) -> Answered<Json<List<Deployment>>> {
    blocking(move || {
        let limit = rows(query.limit);
        let page = Page { after: query.after.as_deref().unwrap_or_default(), limit };
        let found = state.registry.deployments(query.model.as_deref(), page)?;
        let mut list = List::of(found, limit, |deployment| deployment.id.to_string());
        list.items.retain(|deployment| sees(&caller, project_in(&deployment.model)));
        Ok(Json(list))
    })
    .await
}

/// The project of `model/acme/tiny`; models that are no records belong to nobody in particular.
fn project_in(model: &str) -> &str {
    let name = model.strip_prefix("model/").or_else(|| model.strip_prefix("dataset/"));
    name.map_or("_", project_of)
}

/// What runs where.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct NewDeploymentBody {
    /// Where: `cluster/namespace/Deployment/name`, `host:/srv/model`
    place: String,
    /// `run`, `guard`, `kubernetes`
    kind: String,
    /// `model/acme/tiny`, or the path it was loaded from
    model: String,
    /// Its commit, where it is known
    #[serde(default)]
    commit: String,
    /// The digest of its manifest, where it is known
    #[serde(default)]
    manifest: String,
    /// `production`, a name space of a cluster
    #[serde(default)]
    environment: String,
    /// Who answers for the place; who reports it when left out
    owner: Option<String>,
    /// `running` or `stopped`; `running` when left out
    state: Option<String>,
    /// The rest
    #[serde(default)]
    details: Value,
}

async fn report(
    Shared(state): Shared<State>,
    caller: Caller,
    Json(new): Json<NewDeploymentBody>,
) -> Answered<StatusCode> {
    blocking(move || {
        caller.must(Role::Consumer, Place::Project(project_in(&new.model)))?;
        let texts = [&new.place, &new.kind, &new.model, &new.commit, &new.manifest, &new.environment];
        if texts.iter().any(|text| text.contains('\0') || text.len() > 2000) {
            return Err(Failure::invalid("texts have up to 2,000 bytes, and no zero"));
        }
        let wanted = NewDeployment {
            place: &new.place,
            kind: &new.kind,
            model: &new.model,
            commit: &new.commit,
            manifest: &new.manifest,
            environment: &new.environment,
            owner: new.owner.as_deref().filter(|owner| !owner.contains('\0')).unwrap_or(&caller.name),
            state: new.state.as_deref().unwrap_or("running"),
            details: new.details,
        };
        state.registry.report_deployment(&wanted, &caller.actor())?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// Which events.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct EventsQuery {
    /// Those after the one with this number
    after: Option<i64>,
    /// Rows, at most 1000
    limit: Option<u32>,
}

async fn events(
    Shared(state): Shared<State>,
    caller: Caller,
    headers: HeaderMap,
    Query(query): Query<EventsQuery>,
) -> Answered<Response> {
    let streamed = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/event-stream"));
    if !streamed {
        return blocking(move || {
            let limit = rows(query.limit);
            let found = state.registry.events(query.after.unwrap_or(0), limit)?;
            let mut list = List::of(found, limit, |event| event.id.to_string());
            list.items.retain(|event| sees(&caller, &event.project));
            Ok(Json(list).into_response())
        })
        .await;
    }
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    let from = match last.or(query.after) {
        Some(from) => from,
        None => {
            let state = state.clone();
            blocking(move || Ok(state.registry.last_event()?)).await?
        }
    };
    let (sender, receiver) = mpsc::channel(16);
    tokio::spawn(follow(state, caller, from, sender));
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, bytes::channel(receiver)).into_response())
}

/// Sends what happens after `last`, until nobody listens.
async fn follow(state: State, caller: Caller, mut last: i64, sender: mpsc::Sender<Bytes>) {
    let mut silent = 0;
    loop {
        let at = state.clone();
        let found = blocking(move || Ok(at.registry.events(last, 500)?)).await.unwrap_or_default();
        let mut text = String::new();
        for event in &found {
            last = event.id;
            if sees(&caller, &event.project) {
                text.push_str(&written(event));
            }
        }
        silent += 1;
        if text.is_empty() && silent >= SILENCE {
            text.push_str(": still here\n\n");
        }
        if !text.is_empty() {
            silent = 0;
            if sender.send(text.into()).await.is_err() {
                return;
            }
        }
        if sender.is_closed() || *state.stop.borrow() {
            return;
        }
        if found.is_empty() && tokio::time::timeout(BEAT, listen::stopped(state.stop.clone())).await.is_ok() {
            return;
        }
    }
}

fn written(event: &Event) -> String {
    let data = serde_json::to_string(event).unwrap_or_default();
    format!("id: {}\nevent: {}\ndata: {data}\n\n", event.id, event.kind)
}

async fn stats(Shared(state): Shared<State>) -> Answered<Json<Stats>> {
    blocking(move || Ok(Json(state.registry.stats()?))).await
}

/// Which jobs.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct JobsQuery {
    /// `ready`, `running` or `failed`
    #[cfg_attr(feature = "schema", schemars(with = "Option<JobWord>"))]
    state: Option<String>,
    /// What the page before gave as `next`
    after: Option<String>,
    /// Rows, at most 1000
    limit: Option<u32>,
}

/// How a job stands.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename_all = "lowercase"))]
#[expect(dead_code, reason = "it describes what another crate reads")]
enum JobWord {
    Ready,
    Running,
    Failed,
}

/// A job, without what only its worker needs.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct JobBody {
    /// Its number
    id: i64,
    /// `pull`, `scan`, `notify`
    kind: String,
    /// What it is about
    key: String,
    /// `ready`, `running`, `failed`
    state: String,
    /// How often it was begun
    attempts: u64,
    /// What went wrong the last time
    message: String,
    /// When it was asked for, in seconds since 1970
    created: u64,
    /// From when on it may be begun
    due: u64,
}

impl From<Job> for JobBody {
    fn from(job: Job) -> Self {
        let Job { id, kind, key, state, attempts, message, created, due, .. } = job;
        Self { id, kind, key, state, attempts, message, created, due }
    }
}

async fn jobs(Shared(state): Shared<State>, Query(query): Query<JobsQuery>) -> Answered<Json<List<JobBody>>> {
    blocking(move || {
        let limit = rows(query.limit);
        let page = Page { after: query.after.as_deref().unwrap_or_default(), limit };
        let found =
            state.registry.jobs(query.state.as_deref(), page)?.into_iter().map(JobBody::from).collect();
        Ok(Json(List::of(found, limit, |job: &JobBody| job.id.to_string())))
    })
    .await
}

/// How much there is to do now.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Queued {
    /// Versions that will be scanned
    versions: u64,
}

async fn scan_all(Shared(state): Shared<State>, caller: Caller) -> Answered<(StatusCode, Json<Queued>)> {
    blocking(move || {
        let versions = state.registry.rescan_all(&caller.actor())?;
        Ok((StatusCode::ACCEPTED, Json(Queued { versions })))
    })
    .await
}

async fn webhooks(Shared(state): Shared<State>) -> Answered<Json<List<Webhook>>> {
    blocking(move || Ok(Json(List::all(state.registry.webhooks()?)))).await
}

/// Somebody to tell.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct NewWebhook {
    /// Where they hear: `https://…`
    url: String,
    /// What messages are signed with, HMAC-SHA-256
    secret: String,
    /// Kinds of events, separated by commas: `model.revoked,version.rejected`; all when empty
    #[serde(default)]
    kinds: String,
}

/// The number of something new.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Made {
    /// The number
    id: i64,
}

async fn add_webhook(
    Shared(state): Shared<State>,
    caller: Caller,
    Json(new): Json<NewWebhook>,
) -> Answered<(StatusCode, Json<Made>)> {
    blocking(move || {
        if [&new.url, &new.secret, &new.kinds].iter().any(|text| text.contains('\0') || text.len() > 2000) {
            return Err(Failure::invalid("texts have up to 2,000 bytes, and no zero"));
        }
        let id = state.registry.add_webhook(&new.url, &new.secret, &new.kinds, &caller.actor())?;
        Ok((StatusCode::CREATED, Json(Made { id })))
    })
    .await
}

async fn delete_webhook(Shared(state): Shared<State>, Path(id): Path<String>) -> Answered<StatusCode> {
    blocking(move || {
        let id: i64 = id.parse().map_err(|_| Failure::not_found("receiver of that number"))?;
        state.registry.delete_webhook(id)?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

async fn log(Shared(state): Shared<State>, Path(object): Path<String>) -> Answered<Response> {
    blocking(move || {
        let absent = || Failure::not_found("such object in the log");
        if object.len() > 200 || object.contains('\0') {
            return Err(absent());
        }
        if object == "key" {
            let keys = format!("{}\n{}", state.registry.log_verifier(), state.registry.statement_key());
            return Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], keys).into_response());
        }
        let found = state.registry.log_object(&object)?.ok_or_else(absent)?;
        // Full tiles never change; the checkpoint and partial tiles do.
        let stays = object.starts_with("tile/") && !object.contains(".p/");
        let cache = if stays { "public, max-age=31536000, immutable" } else { "no-cache" };
        let kind =
            if object == "checkpoint" { "text/plain; charset=utf-8" } else { "application/octet-stream" };
        Ok(([(header::CACHE_CONTROL, cache), (header::CONTENT_TYPE, kind)], found).into_response())
    })
    .await
}
