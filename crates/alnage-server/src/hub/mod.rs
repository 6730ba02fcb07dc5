//! The door for stock clients of a model hub: whoever sets `HF_ENDPOINT` to the registry downloads and uploads as
//! before, and gets nothing that was not found to be safe.
//!
//! Answers are made from our own records. No address, header or field of the upstream is handed on: what it says of its
//! content network would lead clients around the registry.

mod account;
mod asks;
mod cache;
pub(crate) mod door;
pub(crate) mod file;
mod info;
mod path;
#[cfg(test)]
mod path_tests;
pub(crate) mod query;
pub(crate) mod range;
mod read;
pub(crate) mod reply;
mod shortcut;
#[cfg(test)]
mod tests;
pub(crate) mod upload;

use std::sync::Arc;

use alnage_registry::{
    Version,
    people::{Place as Where, Role},
};
use axum::{
    body::{Body, Bytes},
    extract::{Request, State as Shared},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

pub(crate) use self::{cache::Cache, shortcut::shortcut};

use self::{
    door::Patience,
    path::{Part, Place, Repos},
    reply::Refusal,
};
use crate::{
    auth::Caller,
    core::{Access, Route, State},
};

/// What it takes to download.
const TO_READ: Role = Role::Consumer;
/// Forms and lists of paths.
const MAX_FORM: usize = 4 << 20;

/// The hub's protocol names repositories in the middle of its paths, so each method has one route for all of them.
pub(crate) fn routes() -> Vec<Route> {
    let methods = [
        (Method::GET, asks::GET, "Read of models and datasets, as clients of a hub do"),
        (Method::HEAD, asks::HEAD, "What a file is, as clients of a hub ask"),
        (Method::POST, asks::POST, "Upload and questions, as clients of a hub send them"),
        (Method::PUT, asks::PUT, "Bytes and settings, as clients of a hub send them"),
        (Method::DELETE, asks::DELETE, "Deletion, as clients of a hub send it"),
    ];
    let routes = methods
        .map(|(method, asks, summary)| Route::new(method, "/{*path}", Access::Asked(asks), summary, answer));
    routes.into()
}

/// One request, read.
pub(crate) struct Call {
    pub(crate) state: State,
    pub(crate) caller: Caller,
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    /// Without what says how often it was made.
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) times: u32,
    /// Where the client sees the registry: `http://host:port`.
    pub(crate) origin: String,
}

impl Call {
    pub(crate) fn pairs(&self) -> Vec<(String, String)> {
        query::pairs(&self.query)
    }

    pub(crate) fn agent(&self) -> &str {
        self.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Answers with `body`, and keeps it for who asks the same; `generation` is that of the cache before anything was
    /// looked up. While something newer is judged nothing is kept: those who may commit wait for it.
    pub(crate) async fn keep(
        &self,
        generation: i64,
        asked: &door::Asked,
        version: &Arc<Version>,
        (headers, body): (HeaderMap, Bytes),
    ) -> Result<Response, Refusal> {
        let question = question(&self.method, &self.headers, &self.origin, &self.path, &self.query);
        if self.method == Method::GET
            && let Some(question) = question
            && door::newest(&self.state, asked, version).await?.is_none_or(|newest| newest.scan.is_some())
        {
            self.state.hub.keep_answer(generation, question, version, headers.clone(), body.clone());
        }
        let mut response = Response::new(Body::from(body));
        *response.headers_mut() = headers;
        Ok(response)
    }

    pub(crate) fn patience(&self) -> Patience {
        Patience::of(self.agent(), self.times)
    }

    /// Fails unless the caller may download from a project.
    pub(crate) fn must_read(&self, name: &str) -> Result<(), Refusal> {
        let project = alnage_registry::project_of(name);
        Ok(self.caller.must(TO_READ, Where::Project(project))?)
    }

    /// Whether the caller may upload to a project.
    pub(crate) fn may_write(&self, name: &str) -> bool {
        self.caller.may(Role::Publisher, Where::Project(alnage_registry::project_of(name)))
    }

    /// Fails unless the caller may upload to a project.
    pub(crate) fn must_write(&self, name: &str) -> Result<(), Refusal> {
        let project = alnage_registry::project_of(name);
        Ok(self.caller.must(Role::Publisher, Where::Project(project))?)
    }

    /// Sends the client round once more: the same request, counted.
    pub(crate) fn again(&self) -> Response {
        let mut place = format!("/-/wait/{}{}", self.times + 1, self.path);
        if !self.query.is_empty() {
            place.push('?');
            place.push_str(&self.query);
        }
        let mut headers = HeaderMap::new();
        reply::insert(&mut headers, header::LOCATION, &place);
        (StatusCode::TEMPORARY_REDIRECT, headers).into_response()
    }
}

async fn answer(Shared(state): Shared<State>, caller: Caller, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let (times, path) = path::waited(parts.uri.path());
    let call = Call {
        origin: origin(&state, &parts.headers),
        path: path.to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        times,
        state,
        caller,
        method: parts.method,
        headers: parts.headers,
    };
    match dispatch(call, body).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    }
}

async fn dispatch(call: Call, body: Body) -> Result<Response, Refusal> {
    let Some(place) = path::parse(&call.path) else { return Err(unknown(&call.path)) };
    let method = call.method.clone();
    match (method.as_str(), place) {
        ("GET" | "HEAD", Place::WhoAmI) => account::who_am_i(&call.caller),
        ("POST", Place::ValidateYaml) => {
            Ok(reply::json(HeaderMap::new(), &json!({ "errors": [], "warnings": [] })))
        }
        ("GET" | "HEAD", Place::List(kind)) => read::list(&call, kind).await,
        ("POST", Place::Repos(Repos::Create)) => upload::create(&call, body).await,
        ("DELETE", Place::Repos(Repos::Delete)) => upload::delete(&call, body).await,
        ("PUT", Place::Upload(secret)) => upload::bytes(&call, &secret, body).await,
        ("POST", Place::UploadDone(secret)) => upload::bytes_done(&call, &secret).await,
        (method, Place::Repo { kind, name, part }) => {
            let asked = |revision: String| door::Asked { kind, name: name.clone(), revision };
            match (method, part) {
                ("GET" | "HEAD", Part::File(revision, path)) => {
                    call.must_read(&name)?;
                    read::file(&call, &asked(revision), &path).await
                }
                ("GET" | "HEAD", Part::Info(revision)) => {
                    call.must_read(&name)?;
                    read::info(&call, &asked(revision.unwrap_or_else(|| "main".into()))).await
                }
                ("GET" | "HEAD", Part::Tree(revision, folder)) => {
                    call.must_read(&name)?;
                    read::tree(&call, &asked(revision), &folder).await
                }
                ("POST", Part::PathsInfo(revision)) => {
                    call.must_read(&name)?;
                    read::paths(&call, &asked(revision), &form(body).await?).await
                }
                ("GET" | "HEAD", Part::Refs) => {
                    call.must_read(&name)?;
                    read::refs(&call, &asked("main".into())).await
                }
                ("GET" | "HEAD", Part::Commits(revision)) => {
                    call.must_read(&name)?;
                    read::commits(&call, &asked(revision)).await
                }
                ("GET" | "HEAD", Part::Discussions) => {
                    call.must_read(&name)?;
                    Ok(reply::json(HeaderMap::new(), &json!({ "discussions": [], "count": 0, "start": 0 })))
                }
                (_, Part::Discussions) => Err(Refusal::Invalid(upload::NO_PULL_REQUESTS.into())),
                ("GET" | "HEAD", Part::MayRead) => {
                    call.must_read(&name)?;
                    read::may_read(&call, &asked("main".into())).await
                }
                ("GET" | "HEAD", Part::MayWrite) => {
                    call.must_write(&name)?;
                    Ok(reply::json(HeaderMap::new(), &json!({})))
                }
                ("POST", Part::Preupload(_)) => {
                    call.must_write(&name)?;
                    upload::preupload(&form(body).await?)
                }
                ("POST", Part::LargeFiles) => {
                    call.must_write(&name)?;
                    upload::large_files(&call, kind, &name, &form(body).await?).await
                }
                ("POST", Part::Commit(revision)) => {
                    call.must_write(&name)?;
                    upload::commit(&call, &asked(revision), body).await
                }
                (method @ ("POST" | "DELETE"), Part::Branch(reference)) => {
                    call.must_write(&name)?;
                    upload::branch(&call, method, &asked(reference), &form(body).await?).await
                }
                (method @ ("POST" | "DELETE"), Part::Tag(reference)) => {
                    call.must_write(&name)?;
                    upload::tag(&call, method, &asked(reference), &form(body).await?).await
                }
                ("PUT", Part::Settings) => {
                    call.must_write(&name)?;
                    Ok(reply::json(HeaderMap::new(), &json!({})))
                }
                ("GET" | "HEAD", Part::XetWrite(_)) => {
                    call.must_write(&name)?;
                    let account = &call.caller.name;
                    Ok(crate::xet::write_token(&call.state, &call.origin, account, kind, &name).await?)
                }
                // Who has no token for chunks loads files, and those come from us.
                (_, Part::XetRead(_)) => Err(Refusal::NoEntry("this registry gives files whole".into())),
                _ => Err(Refusal::Invalid("this cannot be done to a repository".into())),
            }
        }
        _ => Err(Refusal::Invalid("this cannot be done here".into())),
    }
}

/// Whether no part is asked for, and nothing that is to come only if it has changed.
fn is_whole(headers: &HeaderMap) -> bool {
    let parts = [header::RANGE, header::IF_RANGE, header::IF_NONE_MATCH];
    !parts.iter().any(|name| headers.contains_key(name))
}

/// What is asked, as answers to it are kept.
fn question(method: &Method, headers: &HeaderMap, origin: &str, path: &str, query: &str) -> Option<String> {
    let reads = [Method::GET, Method::HEAD].contains(method);
    (reads && is_whole(headers)).then(|| [origin, path, "?", query].concat())
}

/// What is said to those who ask for what we do not have: kinds of repositories that there are none of, and pages that
/// are the hub's own.
fn unknown(path: &str) -> Refusal {
    let segments: Vec<&str> = path.trim_start_matches('/').splitn(4, '/').collect();
    match segments.as_slice() {
        ["api", kind @ ("spaces" | "kernels"), _, ..] | [kind @ ("spaces" | "kernels"), ..] => {
            Refusal::NoRepo(format!("this registry keeps models and data sets, and no {kind}"))
        }
        ["api", ..] => {
            let path: String = path.chars().take(200).collect();
            Refusal::NotOffered(format!("this registry does not offer what the hub has at {path}"))
        }
        _ => Refusal::NoRepo("there is no such page".into()),
    }
}

/// A body of modest size.
async fn form(body: Body) -> Result<Vec<u8>, Refusal> {
    let bytes = axum::body::to_bytes(body, MAX_FORM).await;
    Ok(bytes.map_err(|_| Refusal::Invalid("the request is too long, or broke off".into()))?.to_vec())
}

/// Where the client sees the registry. What is configured counts more than what the client says.
fn origin(state: &State, headers: &HeaderMap) -> String {
    let public = door::public(state);
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).filter(|host| !host.is_empty());
    match host {
        // A server on loopback that nobody told its name.
        Some(host) if public.is_empty() => format!("http://{host}"),
        Some(host) if public.starts_with("http://") => format!("http://{host}"),
        _ => public.to_owned(),
    }
}
