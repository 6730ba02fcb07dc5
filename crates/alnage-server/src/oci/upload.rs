//! Blobs on their way in: at once, in parts, or from another repository.

use std::io::Read as _;

use alnage_registry::{
    Registry,
    oci::{self, Name, part_size},
    people::{Place as Where, Role},
    project_of,
};
use alnage_types::Digest;
use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{Call, DIGEST, OciError, Told, insert, named};
use crate::{
    core::{Failure, blocking},
    hub::upload::Incoming,
};

const UPLOAD_ID: HeaderName = HeaderName::from_static("docker-upload-uuid");
/// One part, or one blob that comes at once, is no longer.
const MAX_BYTES: u64 = 1 << 40;

/// POST of an upload: takes the whole blob, mounts one that is here, or begins.
pub(super) async fn begin(call: &Call, name: &str, body: Body) -> Told<Response> {
    call.must_write(name)?;
    let (registry, repo) = (call.state.registry.clone(), name.to_owned());
    if let Some(digest) = call.parameter("digest") {
        let digest = named(digest)?;
        let incoming = Incoming::of(body);
        blocking(move || {
            let stored = registry.blobs().put(incoming.take(MAX_BYTES), Some(digest.0))?;
            Ok(oci::note_blob(
                registry.database(),
                registry.blobs(),
                &repo,
                digest.0,
                stored.size,
                registry.now(),
            )?)
        })
        .await?;
        return Ok(created(name, digest));
    }
    if let (Some(digest), Some(from)) = (call.parameter("mount"), call.parameter("from")) {
        let digest = named(digest)?;
        // Who may push to both has the blob anyway.
        let may = call.caller.may(Role::Publisher, Where::Project(project_of(from)));
        if may && mount(registry.clone(), from.to_owned(), repo.clone(), digest.0).await? {
            return Ok(created(name, digest));
        }
    }
    let id = oci::new_upload_id()?;
    let begun = id.clone();
    blocking(move || Ok(oci::begin(registry.database(), registry.blobs(), &repo, &begun, registry.now())?))
        .await?;
    Ok(under_way(StatusCode::ACCEPTED, name, &id, 0))
}

async fn mount(registry: Registry, from: String, to: String, digest: Digest) -> Told<bool> {
    let mounted = blocking(move || {
        let Some(size) = oci::noted_blob(registry.database(), &from, digest)? else { return Ok(false) };
        if !registry.blobs().contains(digest)? {
            return Ok(false);
        }
        oci::note_blob(registry.database(), registry.blobs(), &to, digest, size, registry.now())?;
        Ok(true)
    });
    Ok(mounted.await?)
}

/// GET of an upload: how far it is.
pub(super) async fn status(call: &Call, name: &str, id: &str) -> Told<Response> {
    call.must_write(name)?;
    let length = length(call, name, id).await?;
    Ok(under_way(StatusCode::NO_CONTENT, name, id, length))
}

/// PATCH of an upload: the next part.
pub(super) async fn append(call: &Call, name: &str, id: &str, body: Body) -> Told<Response> {
    call.must_write(name)?;
    let length = take(call, name, id, body).await?;
    Ok(under_way(StatusCode::ACCEPTED, name, id, length))
}

/// PUT of an upload: perhaps the last part, then all of it must have the digest.
pub(super) async fn finish(call: &Call, name: &str, id: &str, body: Body) -> Told<Response> {
    call.must_write(name)?;
    let missing = || OciError::invalid("DIGEST_INVALID", "the digest is missing");
    let digest = named(call.parameter("digest").ok_or_else(missing)?)?;
    take(call, name, id, body).await?;
    let (registry, repo, id) = (call.state.registry.clone(), name.to_owned(), id.to_owned());
    blocking(move || {
        Ok(oci::finish(registry.database(), registry.blobs(), &repo, &id, digest.0, registry.now())?)
    })
    .await?;
    Ok(created(name, digest))
}

/// DELETE of an upload.
pub(super) async fn cancel(call: &Call, name: &str, id: &str) -> Told<Response> {
    call.must_write(name)?;
    let (registry, repo, id) = (call.state.registry.clone(), name.to_owned(), id.to_owned());
    blocking(move || Ok(oci::cancel(registry.database(), registry.blobs(), &repo, &id)?)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn take(call: &Call, name: &str, id: &str, body: Body) -> Told<u64> {
    let start = match call.header(header::CONTENT_RANGE).trim_start_matches("bytes ").split_once('-') {
        Some((start, _)) => {
            start.parse().map_err(|_| OciError::invalid("SIZE_INVALID", "the range is none"))?
        }
        None => length(call, name, id).await?,
    };
    let (registry, repo, id) = (call.state.registry.clone(), name.to_owned(), id.to_owned());
    let incoming = Incoming::of(body);
    let taken = blocking(move || {
        let incoming = incoming.take(MAX_BYTES);
        Ok(oci::append(registry.database(), registry.blobs(), &repo, &id, start, incoming)?)
    });
    let out_of_order = |failure: Failure| match failure.status {
        StatusCode::CONFLICT => {
            OciError::new(StatusCode::RANGE_NOT_SATISFIABLE, "BLOB_UPLOAD_INVALID", failure.message)
        }
        _ => failure.into(),
    };
    taken.await.map_err(out_of_order)
}

async fn length(call: &Call, name: &str, id: &str) -> Told<u64> {
    let (registry, repo, id) = (call.state.registry.clone(), name.to_owned(), id.to_owned());
    Ok(blocking(move || Ok(part_size(&oci::upload(registry.database(), &repo, &id)?))).await?)
}

fn created(name: &str, digest: Name) -> Response {
    let mut response = StatusCode::CREATED.into_response();
    insert(response.headers_mut(), header::LOCATION, &format!("/v2/{name}/blobs/{digest}"));
    insert(response.headers_mut(), DIGEST, &digest.to_string());
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    response
}

fn under_way(status: StatusCode, name: &str, id: &str, length: u64) -> Response {
    let mut response = status.into_response();
    let headers = response.headers_mut();
    insert(headers, header::LOCATION, &format!("/v2/{name}/blobs/uploads/{id}"));
    insert(headers, UPLOAD_ID, id);
    insert(headers, header::RANGE, &format!("0-{}", length.saturating_sub(1)));
    if status != StatusCode::NO_CONTENT {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    response
}
