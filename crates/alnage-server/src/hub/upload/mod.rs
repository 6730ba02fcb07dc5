//! What is sent: repositories are made, files arrive, a commit makes a version of them. It is quarantined like any
//! other, and who sent it is told so.

mod change;
mod incoming;

use std::collections::BTreeMap;

use alnage_registry::{
    Actor, ActorKind, Answer, Kind, NewFile, NewVersion, Onto, RefKind, Repo, Version,
    blobs::pointer_oid,
    people::{Place as Where, Role},
};
use alnage_types::Digest;
use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) use self::incoming::Incoming;
use self::{
    change::{Line, Operation},
    incoming::Lines,
};
use super::{
    Call,
    door::{self, Asked},
    form, path, query,
    reply::{self, NO_REPO, NO_REVISION, Refusal},
};
use crate::{
    auth::{Caller, CallerKind},
    core::{Failure, blocking},
};

/// From this size on files are sent apart from the commit; those that programs read as text come with it.
const LARGE: u64 = 1 << 20;
/// What those are told who ask for one.
pub(super) const NO_PULL_REQUESTS: &str =
    "this registry has no pull requests: commit to a branch, it is reviewed anyway";
/// How often a commit is made again because another came first.
const ATTEMPTS: usize = 8;

#[derive(Deserialize)]
struct NamedRepo {
    name: String,
    organization: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl NamedRepo {
    fn read(body: &[u8], caller: &Caller) -> Result<(Kind, String), Refusal> {
        let named: Self = parse(body)?;
        let kind = match named.kind.as_deref() {
            None | Some("model") => Kind::Model,
            Some("dataset") => Kind::Dataset,
            Some(other) => {
                return Err(Refusal::Invalid(format!(
                    "this registry keeps models and data sets, and no {other}"
                )));
            }
        };
        let name = match (named.organization, named.name.contains('/')) {
            (Some(organization), false) => format!("{organization}/{}", named.name),
            (None, false) => format!("{}/{}", caller.name, named.name),
            (_, true) => named.name,
        };
        alnage_registry::check_name(&name)?;
        Ok((kind, name))
    }
}

/// Makes a repository.
pub(crate) async fn create(call: &Call, body: Body) -> Result<Response, Refusal> {
    let (kind, name) = NamedRepo::read(&form(body).await?, &call.caller)?;
    call.must_write(&name)?;
    let url = url(call, kind, &name);
    let (registry, actor, made) = (call.state.registry.clone(), actor(&call.caller), name.clone());
    let is_new = blocking(move || Ok(registry.make_repo(kind, &made, &actor)?)).await?;
    let answer = json!({ "url": url, "name": name, "id": name });
    if is_new {
        return Ok(reply::json(HeaderMap::new(), &answer));
    }
    let error = json!({ "error": format!("{name} exists already"), "url": url });
    Ok((StatusCode::CONFLICT, crate::core::Json(error)).into_response())
}

/// Deletes a repository. What others can load is for a reviewer to take away.
pub(crate) async fn delete(call: &Call, body: Body) -> Result<Response, Refusal> {
    let (kind, name) = NamedRepo::read(&form(body).await?, &call.caller)?;
    call.must_write(&name)?;
    let (registry, caller, actor) = (call.state.registry.clone(), call.caller.clone(), actor(&call.caller));
    blocking(move || {
        let repo = registry.repo(kind, &name)?.ok_or_else(|| no_repo(&name))?;
        if repo.served.is_some() {
            caller.must(Role::Reviewer, Where::Project(&repo.project))?;
        }
        registry.delete_repo(kind, &name, &actor)?;
        Ok(())
    })
    .await?;
    Ok(reply::json(HeaderMap::new(), &json!({})))
}

#[derive(Deserialize)]
struct Preupload {
    files: Vec<Announced>,
}

#[derive(Deserialize)]
struct Announced {
    path: String,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    sample: String,
}

/// Says how each file is to be sent.
pub(crate) fn preupload(body: &[u8]) -> Result<Response, Refusal> {
    let announced: Preupload = parse(body)?;
    let files: Vec<Value> = announced
        .files
        .iter()
        .map(|file| {
            let mode = if is_large(file) { "lfs" } else { "regular" };
            json!({ "path": file.path, "uploadMode": mode, "shouldIgnore": false })
        })
        .collect();
    Ok(reply::json(HeaderMap::new(), &json!({ "files": files })))
}

fn is_large(file: &Announced) -> bool {
    let sample = change::content(&file.sample).unwrap_or_default();
    file.size >= LARGE
        || sample.contains(&0)
        || (std::str::from_utf8(&sample).is_err_and(|error| error.error_len().is_some()))
}

#[derive(Deserialize)]
struct Batch {
    operation: String,
    #[serde(default)]
    objects: Vec<Object>,
}

#[derive(Deserialize)]
struct Object {
    oid: String,
    size: u64,
}

/// Says where large files are to be sent: each whole, under a secret of its own.
pub(crate) async fn large_files(
    call: &Call,
    kind: Kind,
    name: &str,
    body: &[u8],
) -> Result<Response, Refusal> {
    let batch: Batch = parse(body)?;
    if batch.operation != "upload" {
        return Err(Refusal::Invalid("large files are loaded by their paths".into()));
    }
    let (registry, name, author) = (call.state.registry.clone(), name.to_owned(), call.caller.name.clone());
    let origin = call.origin.clone();
    let objects = blocking(move || {
        let mut objects = Vec::with_capacity(batch.objects.len());
        for object in &batch.objects {
            let digest: Digest = object.oid.parse().map_err(|_| Failure::invalid("an oid is no SHA-256"))?;
            let mut answer = json!({ "oid": object.oid, "size": object.size, "authenticated": true });
            if !registry.was_sent(kind, &name, digest, object.size)? {
                let secret = registry.expect_upload(kind, &name, digest, object.size, &author)?;
                let place = format!("{origin}/-/upload/{secret}");
                let actions = json!({
                    "upload": { "href": place, "header": {} },
                    "verify": { "href": format!("{place}/done"), "header": {} },
                });
                if let Some(answer) = answer.as_object_mut() {
                    answer.insert("actions".to_owned(), actions);
                }
            }
            objects.push(answer);
        }
        Ok(objects)
    })
    .await?;
    let mut response = reply::json(HeaderMap::new(), &json!({ "transfer": "basic", "objects": objects }));
    reply::insert(response.headers_mut(), header::CONTENT_TYPE, "application/vnd.git-lfs+json");
    Ok(response)
}

/// Takes the bytes of a large file. Who knows the secret was told it.
pub(crate) async fn bytes(call: &Call, secret: &str, body: Body) -> Result<Response, Refusal> {
    let (registry, secret) = (call.state.registry.clone(), secret.to_owned());
    let incoming = Incoming::of(body);
    blocking(move || {
        let upload = registry.upload(&secret)?.ok_or_else(|| Failure::not_found("upload of this name"))?;
        if !upload.done {
            registry.receive_upload(&secret, &upload, incoming)?;
        }
        Ok(())
    })
    .await?;
    Ok(reply::json(HeaderMap::new(), &json!({})))
}

/// Says whether a large file has come.
pub(crate) async fn bytes_done(call: &Call, secret: &str) -> Result<Response, Refusal> {
    let (registry, secret) = (call.state.registry.clone(), secret.to_owned());
    let upload = blocking(move || Ok(registry.upload(&secret)?)).await?;
    match upload {
        Some(upload) if upload.done => Ok(reply::json(HeaderMap::new(), &json!({}))),
        Some(_) => Err(Refusal::Invalid("the file has not come".into())),
        None => Err(Refusal::NoEntry("there is no upload of this name".into())),
    }
}

/// Makes a version of what was sent and of what was there before.
pub(crate) async fn commit(call: &Call, asked: &Asked, body: Body) -> Result<Response, Refusal> {
    if query::is_set(&call.pairs(), "create_pr") {
        return Err(Refusal::Invalid(NO_PULL_REQUESTS.into()));
    }
    let mut lines = Lines::of(body);
    let mut message = String::new();
    let mut parent = None;
    let mut operations = Vec::new();
    while let Some(line) = lines.next().await? {
        match Line::read(&line)? {
            Line::Header { text, parent: known } => (message, parent) = (text, known),
            Line::File { path, content } => {
                let registry = call.state.registry.clone();
                let stored = blocking(move || Ok(registry.blobs().put(content.as_slice(), None)?)).await?;
                let file =
                    NewFile { path, size: stored.size, sha256: stored.digest, git_oid: stored.git_oid };
                operations.push(Operation::Put(file));
            }
            Line::Do(operation) => operations.push(operation),
        }
    }
    let (state, asked, actor) = (call.state.clone(), asked.clone(), actor(&call.caller));
    let made = {
        let asked = asked.clone();
        blocking(move || {
            for _ in 0..ATTEMPTS {
                match make(&state.registry, &asked, &message, parent.as_ref(), &operations, &actor) {
                    // Somebody else committed in this moment: what was asked for is asked of what is there now.
                    Err(failure) if failure.status == StatusCode::CONFLICT => {}
                    made => return made,
                }
            }
            Err(Failure::conflict("too many commit at the same time"))
        })
        .await?
    };
    let mut headers = HeaderMap::new();
    if made.is_new {
        let text = format!(
            "ALNAGE: {} at {:.12} is in quarantine until it is scanned and allowed; until then others get what was \
             allowed before. See {}{}",
            asked.name,
            made.commit,
            door::public(&call.state),
            made.path
        );
        reply::warn(&mut headers, &text);
    }
    let body = json!({
        "success": true,
        "commitOid": made.commit,
        "commitUrl": format!("{}/commit/{}", url(call, asked.kind, &asked.name), made.commit),
        "hookOutput": "",
    });
    Ok(reply::json(headers, &body))
}

struct Made {
    commit: String,
    path: String,
    is_new: bool,
}

fn make(
    registry: &alnage_registry::Registry,
    asked: &Asked,
    message: &str,
    expected: Option<&String>,
    operations: &[Operation],
    actor: &Actor,
) -> Result<Made, Failure> {
    let Asked { kind, name, revision } = asked;
    ours(registry.repo(*kind, name)?, name)?;
    if alnage_registry::is_commit(revision) {
        return Err(Failure::invalid("a commit is made on a branch"));
    }
    let (parent, before) = base(registry, asked, expected)?;
    let mut files: BTreeMap<String, NewFile> = BTreeMap::new();
    if let Some(version) = &before {
        for file in registry.files(version.id, "", "", u32::MAX)? {
            let kept = NewFile {
                path: file.path.clone(),
                size: file.size,
                sha256: file.sha256,
                git_oid: file.git_oid,
            };
            files.insert(file.path, kept);
        }
    }
    let unchanged = files.clone();
    for operation in operations.iter().cloned() {
        match operation {
            Operation::Put(file) => {
                files.insert(file.path.clone(), file);
            }
            Operation::PutLarge { path, sha256, size } => {
                let size = match size {
                    Some(size) => Some(size),
                    None => registry.blobs().open(sha256)?.map(|blob| blob.size()),
                };
                let sent = match size {
                    Some(size) => registry.was_sent(*kind, name, sha256, size)?,
                    None => false,
                };
                let Some(size) = size.filter(|_| sent) else {
                    let text = format!("the content {sha256} of `{path}` was not sent to {name}");
                    return Err(Failure::invalid(text));
                };
                files
                    .insert(path.clone(), NewFile { path, size, sha256, git_oid: pointer_oid(sha256, size) });
            }
            Operation::Delete(path) => {
                files.remove(&path);
            }
            Operation::DeleteFolder(path) => {
                let below = format!("{}/", path.trim_end_matches('/'));
                files.retain(|path, _| !path.starts_with(&below));
            }
            Operation::Copy { from, to } => {
                let file =
                    unchanged.get(&from).ok_or_else(|| Failure::not_found(format!("file `{from}`")))?;
                files.insert(to.clone(), NewFile { path: to, ..file.clone() });
            }
        }
    }
    if let Some(version) = before.filter(|_| files == unchanged) {
        return Ok(Made { path: version.path(), commit: version.commit, is_new: false });
    }
    let version = registry.add_version(
        *kind,
        name,
        NewVersion {
            message: message.to_owned(),
            refname: revision.clone(),
            onto: Onto::Nothing,
            parent,
            files: files.into_values().collect(),
            ..NewVersion::default()
        },
        actor,
    )?;
    Ok(Made { path: version.path(), commit: version.commit, is_new: true })
}

/// What a commit comes after, and whose files it changes: the newest of the branch. Who names the one that is given out
/// because the newest was refused changes the files of that one, and so gets rid of what was refused.
fn base(
    registry: &alnage_registry::Registry,
    asked: &Asked,
    expected: Option<&String>,
) -> Result<(Option<String>, Option<Version>), Failure> {
    let Asked { kind, name, revision } = asked;
    let newest = registry.version(*kind, name, revision)?;
    let parent = newest.as_ref().map(|newest| newest.commit.clone());
    let is_expected = expected.is_none_or(|expected| expected == parent.as_deref().unwrap_or(door::EMPTY));
    if is_expected {
        return Ok((parent, newest));
    }
    if newest.is_some_and(|newest| newest.scan.is_some() && !registry.is_given_out(&newest))
        && let Answer::Serve(given) = registry.answer(*kind, name, revision)?
        && Some(&given.commit) == expected
    {
        return Ok((parent, Some(*given)));
    }
    Err(Failure::new(StatusCode::PRECONDITION_FAILED, "conflict", "the branch has moved: load it again"))
}

/// Nobody commits to what is pulled from elsewhere, or to what was not made.
fn ours(repo: Option<Repo>, name: &str) -> Result<(), Failure> {
    match repo {
        Some(repo) if repo.origin == "upload" => Ok(()),
        Some(repo) => {
            Err(Failure::forbidden(format!("{name} is kept as it is at {}; commit there", repo.origin)))
        }
        None => Err(no_repo(name)),
    }
}

fn no_repo(name: &str) -> Failure {
    Failure::new(StatusCode::NOT_FOUND, NO_REPO, format!("there is no repository `{name}`: make it first"))
}

fn no_revision(message: String) -> Failure {
    Failure::new(StatusCode::NOT_FOUND, NO_REVISION, message)
}

/// Makes or deletes a branch.
pub(crate) async fn branch(
    call: &Call,
    method: &str,
    asked: &Asked,
    body: &[u8],
) -> Result<Response, Refusal> {
    let from = if body.is_empty() { json!({}) } else { parse::<Value>(body)? };
    let from = from.get("startingPoint").and_then(Value::as_str).unwrap_or("main").to_owned();
    reference(call, method, asked, RefKind::Branch, asked.revision.clone(), from).await
}

/// Makes a tag at a revision, or deletes one.
pub(crate) async fn tag(call: &Call, method: &str, asked: &Asked, body: &[u8]) -> Result<Response, Refusal> {
    if method == "DELETE" {
        return reference(call, method, asked, RefKind::Tag, asked.revision.clone(), String::new()).await;
    }
    let named: Value = parse(body)?;
    let name = named.get("tag").and_then(Value::as_str).unwrap_or_default().to_owned();
    reference(call, method, asked, RefKind::Tag, name, asked.revision.clone()).await
}

async fn reference(
    call: &Call,
    method: &str,
    asked: &Asked,
    what: RefKind,
    reference: String,
    from: String,
) -> Result<Response, Refusal> {
    let (registry, asked, delete) = (call.state.registry.clone(), asked.clone(), method == "DELETE");
    blocking(move || {
        let Asked { kind, name, .. } = asked;
        ours(registry.repo(kind, &name)?, &name)?;
        if delete {
            return match registry.delete_ref(kind, &name, &reference) {
                Err(alnage_registry::Error::NotFound(_)) => {
                    Err(no_revision(format!("{name} has no reference `{reference}`")))
                }
                done => Ok(done?),
            };
        }
        let version = registry.version(kind, &name, &from)?;
        let version = version.ok_or_else(|| no_revision(format!("{name} has no revision `{from}`")))?;
        Ok(registry.make_ref(kind, &name, &reference, what, &version.commit)?)
    })
    .await?;
    Ok(reply::json(HeaderMap::new(), &json!({})))
}

fn parse<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body)
        .map_err(|error| Refusal::Invalid(format!("the request cannot be read: {error}")))
}

fn url(call: &Call, kind: Kind, name: &str) -> String {
    let prefix = if kind == Kind::Dataset { "/datasets" } else { "" };
    format!("{}{prefix}/{}", call.origin, path::encoded(name))
}

/// Who sends.
fn actor(caller: &Caller) -> Actor {
    let kind = if caller.kind == CallerKind::Service { ActorKind::Service } else { ActorKind::User };
    Actor { name: caller.name.clone(), kind, address: caller.address.to_string() }
}
