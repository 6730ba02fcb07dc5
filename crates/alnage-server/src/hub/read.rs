//! What is read of repositories.

use std::sync::Arc;

use alnage_registry::{
    FileRecord, Kind, Page, RepoQuery, Version,
    people::{Place as Where, Role},
    pull,
};
use axum::{
    http::{HeaderMap, HeaderName, Method, header},
    response::Response,
};
use serde_json::{Value, json};

use super::{
    Call,
    cache::MAX_ANSWER,
    door::{self, Asked, Found, Waiting},
    file as bytes, info, query,
    reply::{self, Refusal},
};
use crate::core::{Failure, State, blocking};

const COMMIT: HeaderName = HeaderName::from_static("x-repo-commit");
const TOTAL: HeaderName = HeaderName::from_static("x-total-count");
/// Entries of a tree in one page. Some clients never ask for the second.
const TREE_PAGE: usize = 10_000;
/// The same, when each entry says much.
const EXPANDED_PAGE: usize = 1000;
/// Files that are listed of one version.
const MAX_FILES: u32 = 500_000;
/// Repositories in one page of a list.
const LIST_PAGE: u32 = 1000;

/// What was found, and what the answer is when it is to be waited for.
enum Outcome {
    Version(Arc<Version>),
    Wait(Waiting),
    Empty,
    /// The client is sent round.
    Again(Response),
}

async fn find(call: &Call, asked: &Asked) -> Result<Outcome, Refusal> {
    let patience = call.patience();
    Ok(match door::wait(&call.state, asked, patience).await? {
        Found::Version(version) if call.may_write(&asked.name) => {
            match door::wait_for_newest(&call.state, asked, version).await? {
                // Others would be kept from what is given out meanwhile.
                (_, Some(newer)) if newer.author == call.caller.name && patience.again => {
                    Outcome::Again(call.again())
                }
                (version, _) => Outcome::Version(version),
            }
        }
        Found::Version(version) => Outcome::Version(version),
        Found::Empty => Outcome::Empty,
        Found::Wait(_) if patience.again => Outcome::Again(call.again()),
        Found::Wait(waiting) => Outcome::Wait(waiting),
    })
}

/// Every file of a version, those withheld too.
async fn files(state: &State, version: &Version) -> Result<Arc<Vec<FileRecord>>, Refusal> {
    let (registry, id) = (state.registry.clone(), version.id);
    Ok(blocking(move || Ok(Arc::new(registry.files(id, "", "", MAX_FILES)?))).await?)
}

/// One file of a version.
async fn one(state: &State, version: i64, path: &str) -> Result<Option<Arc<FileRecord>>, Refusal> {
    if let Some(file) = state.hub.file(version, path) {
        return Ok(Some(file));
    }
    let generation = state.hub.generation();
    let (state, path) = (state.clone(), path.to_owned());
    let file = blocking(move || {
        let file = state.registry.file(version, &path)?.map(Arc::new);
        if let Some(file) = &file {
            state.hub.keep_file(generation, version, file);
        }
        Ok(file)
    });
    Ok(file.await?)
}

/// HEAD and GET of a file.
pub(crate) async fn file(call: &Call, asked: &Asked, path: &str) -> Result<Response, Refusal> {
    let generation = call.state.hub.generation();
    let version = match find(call, asked).await? {
        Outcome::Version(version) => version,
        Outcome::Again(response) => return Ok(response),
        Outcome::Wait(waiting) => return Err(door::later(asked, &waiting, call.state.registry.now())),
        Outcome::Empty => return Err(Refusal::NoEntry(format!("{} is empty", asked.name))),
    };
    let Some(file) = one(&call.state, version.id, path).await? else {
        let mut text = format!("{} has no file {path} at {:.12}", asked.name, version.commit);
        if let Some(newer) = door::newest(&call.state, asked, &version).await? {
            let why = if newer.scan.is_none() { "it is being scanned" } else { newer.reason.as_str() };
            text.push_str(&format!("; the newer commit {:.12} is not given out: {why}", newer.commit));
        }
        return Err(Refusal::NoEntry(text));
    };
    if !file.served {
        let why = file.reason.as_deref().unwrap_or("it was found to be dangerous");
        return Err(Refusal::Withheld(format!("ALNAGE: {path} of {} is not given out: {why}", asked.name)));
    }
    if super::is_whole(&call.headers) && call.method == Method::GET && file.size <= MAX_ANSWER as u64 {
        let answer = bytes::whole(&call.state, &version, &file).await?;
        return call.keep(generation, asked, &version, answer).await;
    }
    bytes::send(&call.state, &call.method, &call.headers, &version, &file).await
}

/// What a repository is.
pub(crate) async fn info(call: &Call, asked: &Asked) -> Result<Response, Refusal> {
    let (generation, blobs) = (call.state.hub.generation(), query::is_set(&call.pairs(), "blobs"));
    let version = match find(call, asked).await? {
        Outcome::Version(version) => version,
        Outcome::Again(response) => return Ok(response),
        Outcome::Wait(waiting) => return awaited(call, asked, &waiting).await,
        Outcome::Empty => return Ok(reply::json(HeaderMap::new(), &info::empty(asked.kind, &asked.name))),
    };
    let files = files(&call.state, &version).await?;
    let (registry, kind, name) = (call.state.registry.clone(), asked.kind, asked.name.clone());
    let repo = blocking(move || Ok(registry.repo(kind, &name)?)).await?;
    let repo = repo.ok_or_else(|| Refusal::NoRepo(format!("{} is gone", asked.name)))?;
    let mut headers = of(&version);
    let withheld: Vec<&str> =
        files.iter().filter(|file| !file.served).map(|file| file.path.as_str()).take(5).collect();
    if !withheld.is_empty() {
        let text = format!("ALNAGE: {} is given out without {}", asked.name, withheld.join(", "));
        reply::warn(&mut headers, &text);
    }
    let answer = reply::json_parts(headers, &info::repository(&repo, &version, &files, blobs));
    call.keep(generation, asked, &version, answer).await
}

/// Names of files are no bytes: with them, a client goes on to ask for files, and can be made to wait there.
async fn awaited(call: &Call, asked: &Asked, waiting: &Waiting) -> Result<Response, Refusal> {
    let (registry, waited_for, wanted) = (call.state.registry.clone(), asked.clone(), waiting.clone());
    let known = blocking(move || {
        if let Some(version) = &wanted.version {
            let files = registry.files(version.id, "", "", MAX_FILES)?;
            let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
            return Ok(Some(info::awaited(waited_for.kind, &waited_for.name, &version.commit, &paths)));
        }
        let Some(pull) = pull::look(&registry, waited_for.kind, &waited_for.name, &waited_for.revision)?
        else {
            return Ok(None);
        };
        let files = pull::files(&registry, &pull)?;
        let commit = if pull::is_commit(&pull.revision) { &pull.revision } else { "" };
        let is_known = !files.is_empty() && !commit.is_empty();
        Ok(is_known.then(|| info::awaited(waited_for.kind, &waited_for.name, commit, &info::names(&files))))
    })
    .await?;
    match known {
        Some(body) => Ok(reply::json(HeaderMap::new(), &body)),
        None => Err(door::later(asked, waiting, call.state.registry.now())),
    }
}

/// The version itself, for what cannot be told before; a list of nothing where nothing was committed.
async fn version(call: &Call, asked: &Asked) -> Result<Result<Arc<Version>, Response>, Refusal> {
    match find(call, asked).await? {
        Outcome::Version(version) => Ok(Ok(version)),
        Outcome::Again(response) => Ok(Err(response)),
        Outcome::Wait(waiting) => Err(door::later(asked, &waiting, call.state.registry.now())),
        Outcome::Empty => Ok(Err(reply::json(HeaderMap::new(), &json!([])))),
    }
}

/// Files below a folder.
pub(crate) async fn tree(call: &Call, asked: &Asked, folder: &str) -> Result<Response, Refusal> {
    let generation = call.state.hub.generation();
    let version = match version(call, asked).await? {
        Ok(version) => version,
        Err(response) if response.status().is_success() && !folder.is_empty() => {
            return Err(Refusal::NoEntry(format!("{} is empty", asked.name)));
        }
        Err(response) => return Ok(response),
    };
    let pairs = call.pairs();
    let (recursive, expand) = (query::is_set(&pairs, "recursive"), query::is_set(&pairs, "expand"));
    let files = files(&call.state, &version).await?;
    let entries = info::tree(&version, &files, folder, recursive, expand);
    if entries.is_empty() && !folder.is_empty() {
        return Err(Refusal::NoEntry(format!("{} has no folder {folder}", asked.name)));
    }
    let most = if expand { EXPANDED_PAGE } else { TREE_PAGE };
    let limit = query::value(&pairs, "limit").and_then(|limit| limit.parse().ok());
    let limit = limit.map_or(most, |limit: usize| limit.clamp(1, most));
    let after = query::value(&pairs, "cursor").unwrap_or_default();
    let path = |entry: &Value| entry.get("path").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut page: Vec<Value> =
        entries.into_iter().filter(|entry| path(entry).as_str() > after).take(limit + 1).collect();
    let mut headers = of(&version);
    if page.len() > limit {
        page.truncate(limit);
        let last = page.last().map(path).unwrap_or_default();
        next(call, &mut headers, &last);
    }
    let answer = reply::json_parts(headers, &json!(page));
    call.keep(generation, asked, &version, answer).await
}

/// Some files, by their paths, in a form or in JSON.
pub(crate) async fn paths(call: &Call, asked: &Asked, body: &[u8]) -> Result<Response, Refusal> {
    let version = match version(call, asked).await? {
        Ok(version) => version,
        Err(response) => return Ok(response),
    };
    let text = String::from_utf8_lossy(body);
    let (paths, expand) = match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(body)) => {
            let paths = match body.get("paths") {
                Some(Value::Array(paths)) => {
                    paths.iter().filter_map(Value::as_str).map(str::to_owned).collect()
                }
                Some(Value::String(path)) => vec![path.clone()],
                _ => Vec::new(),
            };
            (paths, body.get("expand").and_then(Value::as_bool).unwrap_or(false))
        }
        _ => {
            let pairs = query::pairs(&text);
            let expand = query::is_set(&pairs, "expand");
            (pairs.into_iter().filter(|(name, _)| name == "paths").map(|(_, path)| path).collect(), expand)
        }
    };
    let files = files(&call.state, &version).await?;
    Ok(reply::json(of(&version), &json!(info::paths(&version, &files, &paths, expand))))
}

/// Branches and tags, each with the commit that is given out for it.
pub(crate) async fn refs(call: &Call, asked: &Asked) -> Result<Response, Refusal> {
    let outcome = find(call, asked).await;
    if let Ok(Outcome::Again(response)) = outcome {
        return Ok(response);
    }
    let waiting = match outcome {
        Ok(Outcome::Wait(waiting)) => Some(waiting),
        Err(refusal) => return Err(refusal),
        _ => None,
    };
    let (registry, repo) = (call.state.registry.clone(), asked.clone());
    let refs = blocking(move || {
        let mut refs = match registry.refs(repo.kind, &repo.name) {
            Err(alnage_registry::Error::NotFound(_)) => Vec::new(),
            refs => refs?,
        };
        for reference in &mut refs {
            if let alnage_registry::Answer::Serve(version) =
                registry.answer(repo.kind, &repo.name, &reference.name)?
            {
                reference.commit = version.commit;
            }
        }
        Ok(refs)
    })
    .await?;
    match waiting {
        Some(waiting) if refs.is_empty() => Err(door::later(asked, &waiting, call.state.registry.now())),
        _ => Ok(reply::json(HeaderMap::new(), &info::refs(&refs))),
    }
}

/// The history of a revision, as far as it is here.
pub(crate) async fn commits(call: &Call, asked: &Asked) -> Result<Response, Refusal> {
    let version = match version(call, asked).await? {
        Ok(version) => version,
        Err(response) => return Ok(response),
    };
    let (registry, kind, name) = (call.state.registry.clone(), asked.kind, asked.name.clone());
    let commits = blocking(move || {
        let all = registry.versions(kind, &name, Page::first(1000))?;
        let reference = version.refname.clone();
        let commits: Vec<Value> = all
            .iter()
            .filter(|one| one.id <= version.id && one.refname == reference && registry.is_given_out(one))
            .map(info::commit)
            .collect();
        Ok(commits)
    })
    .await?;
    let mut headers = HeaderMap::new();
    reply::insert(&mut headers, TOTAL, &commits.len().to_string());
    let first = query::value(&call.pairs(), "p").is_none_or(|page| page == "0");
    Ok(reply::json(headers, &if first { json!(commits) } else { json!([]) }))
}

/// Whether a repository may be read, and is there.
pub(crate) async fn may_read(call: &Call, asked: &Asked) -> Result<Response, Refusal> {
    door::look(&call.state, asked).await?;
    Ok(reply::json(HeaderMap::new(), &json!({})))
}

/// Repositories of which something is given out, and that the caller may download from.
pub(crate) async fn list(call: &Call, kind: Kind) -> Result<Response, Refusal> {
    let everything = call.caller.may(Role::Consumer, Where::Everywhere);
    if !everything {
        call.caller.must(Role::Consumer, Where::Anywhere)?;
    }
    let pairs = call.pairs();
    let limit = query::value(&pairs, "limit").and_then(|limit| limit.parse().ok()).unwrap_or(LIST_PAGE);
    let limit = limit.clamp(1, LIST_PAGE);
    let (registry, caller) = (call.state.registry.clone(), call.caller.clone());
    let owned = |name: &str| query::value(&pairs, name).map(str::to_owned);
    let (search, author, after) = (owned("search"), owned("author"), owned("cursor").unwrap_or_default());
    let repos = blocking(move || {
        let query = RepoQuery {
            kind: Some(kind),
            project: author.as_deref(),
            search: search.as_deref(),
            served: true,
            ..RepoQuery::default()
        };
        let mut repos = registry.repos(query, Page { after: &after, limit: limit.saturating_add(1) })?;
        let next = (repos.len() > limit as usize).then(|| {
            repos.truncate(limit as usize);
            repos.last().map(|repo| repo.name.clone()).unwrap_or_default()
        });
        repos.retain(|repo| everything || caller.may(Role::Consumer, Where::Project(&repo.project)));
        Ok::<_, Failure>((repos, next))
    })
    .await?;
    let mut headers = HeaderMap::new();
    if let Some(last) = &repos.1 {
        next(call, &mut headers, last);
    }
    let listed: Vec<Value> = repos.0.iter().map(info::listed).collect();
    Ok(reply::json(headers, &json!(listed)))
}

fn of(version: &Version) -> HeaderMap {
    let mut headers = HeaderMap::new();
    reply::insert(&mut headers, COMMIT, &version.commit);
    headers
}

/// Says where the next page is: the same question, after `last`.
fn next(call: &Call, headers: &mut HeaderMap, last: &str) {
    let kept = call.query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
    let mut query: Vec<String> = kept.map(str::to_owned).collect();
    query.push(format!("cursor={}", super::path::encoded(last).replace('/', "%2F")));
    let link = format!("<{}{}?{}>; rel=\"next\"", call.origin, call.path, query.join("&"));
    reply::insert(headers, header::LINK, &link);
}
