//! What is given out: manifests, blobs, tags and attachments of versions that the answer says yes to.

use std::sync::Arc;

use alnage_registry::{
    Answer, FileRecord, Kind, Registry, Version,
    oci::{self, DOCKER_MANIFEST, KeptManifest, LayerFile, Manifest, Name, OCI_MANIFEST, Packed, Part},
    people::{Place as Where, Role},
    project_of,
};
use alnage_types::Digest;
use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{Call, DIGEST, OciError, Told, insert};
use crate::{
    core::{Failure, Json, blocking, bytes},
    hub::{
        door::{self, Asked, Found, Patience},
        range,
        reply::Refusal,
    },
};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Files are read from the records in pages.
const PAGE: u32 = 5000;
/// Tags of one answer, at most.
const MAX_TAGS: usize = 1000;

/// GET and HEAD of a manifest.
pub(super) async fn manifest(call: &Call, name: &str, reference: &str) -> Told<Response> {
    call.must_read(name)?;
    let name = spelled(call, name).await?;
    let kept = match reference.parse::<Name>() {
        Ok(digest) => by_digest(call, &name, digest.0).await?,
        Err(_) => by_tag(call, &name, reference).await?,
    };
    let mut response = Response::new(Body::from(kept.bytes.clone()));
    let headers = response.headers_mut();
    insert(headers, header::CONTENT_TYPE, &kept.media_type);
    insert(headers, header::CONTENT_LENGTH, &kept.bytes.len().to_string());
    insert(headers, DIGEST, &Name(kept.digest).to_string());
    insert(headers, header::ETAG, &format!("\"{}\"", Name(kept.digest)));
    Ok(response)
}

/// The model as it is spelled here: names of artifacts have no capitals.
pub(super) async fn spelled(call: &Call, name: &str) -> Told<String> {
    let (registry, asked) = (call.state.registry.clone(), name.to_owned());
    let found = blocking(move || Ok(oci::model_called(registry.database(), &asked)?)).await?;
    Ok(found.unwrap_or_else(|| name.to_owned()))
}

async fn by_digest(call: &Call, name: &str, digest: Digest) -> Told<KeptManifest> {
    let (registry, repo) = (call.state.registry.clone(), name.to_owned());
    let found = blocking(move || {
        let Some(kept) = oci::manifest(registry.database(), &repo, digest)? else { return Ok(None) };
        Ok(oci::commit_of(registry.database(), &repo, &kept)?.map(|commit| (kept, commit)))
    });
    let unknown = || OciError::absent("MANIFEST_UNKNOWN", format!("{name} has no manifest {digest}"));
    let (kept, commit) = found.await?.ok_or_else(unknown)?;
    version(call, name, &commit).await?;
    Ok(kept)
}

async fn by_tag(call: &Call, name: &str, tag: &str) -> Told<KeptManifest> {
    let revision = if tag == "latest" { "main" } else { tag };
    let version = match version(call, name, revision).await {
        // Clients that load one file name it by its quantization.
        Err(_) if takes_ollama(call) && revision != "main" => version(call, name, "main").await?,
        found => found?,
    };
    let (registry, name, tag) = (call.state.registry.clone(), name.to_owned(), tag.to_owned());
    let takes_ollama = takes_ollama(call);
    let kept = blocking(move || {
        if let Some(pushed) = oci::manifest_of(registry.database(), &name, &version.commit)? {
            return Ok(Some(pushed));
        }
        let files = served_files(&registry, &version)?;
        let packed = match oci::ollama(&files, &tag)?.filter(|_| takes_ollama) {
            Some(packed) => packed,
            None if files.is_empty() => return Ok(None),
            None => oci::model_pack(&name, &version.commit, &files)?,
        };
        keep(&registry, &name, &version.commit, packed).map(Some)
    });
    kept.await?
        .ok_or_else(|| OciError::absent("MANIFEST_UNKNOWN", "the version has no file that is given out"))
}

/// Ollama and Docker know no other manifest.
fn takes_ollama(call: &Call) -> bool {
    let mut accepted = call.headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let accepted: String = accepted.by_ref().collect::<Vec<_>>().join(",");
    accepted.contains(DOCKER_MANIFEST) && !accepted.contains(OCI_MANIFEST)
}

/// The version, if the answer is yes; a short wait when it is not known yet.
async fn version(call: &Call, name: &str, revision: &str) -> Told<Arc<Version>> {
    let asked = Asked { kind: Kind::Model, name: name.to_owned(), revision: revision.to_owned() };
    match door::wait(&call.state, &asked, Patience::of("", 0)).await? {
        Found::Version(version) => Ok(version),
        Found::Wait(waiting) => Err(door::later(&asked, &waiting, call.state.registry.now()).into()),
        Found::Empty => {
            Err(OciError::absent("MANIFEST_UNKNOWN", format!("nothing was pushed to {name} yet")))
        }
    }
}

fn served_files(registry: &Registry, version: &Version) -> Result<Vec<LayerFile>, Failure> {
    let mut files = Vec::new();
    let mut after = String::new();
    loop {
        let page: Vec<FileRecord> = registry.files(version.id, "", &after, PAGE)?;
        let Some(last) = page.last() else { return Ok(files) };
        after.clone_from(&last.path);
        let served = page.into_iter().filter(|file| file.served);
        files.extend(served.map(|file| LayerFile { path: file.path, digest: file.sha256, size: file.size }));
    }
}

/// Keeps an artifact that was made of a version, so that it is found by its digest.
fn keep(registry: &Registry, name: &str, commit: &str, packed: Packed) -> Result<KeptManifest, Failure> {
    let manifest = Manifest::parse(&packed.manifest)?;
    let kept = KeptManifest { made: true, ..KeptManifest::new(&manifest, &packed.manifest, commit)? };
    if oci::manifest(registry.database(), name, kept.digest)?.is_none() {
        registry.blobs().put(packed.config.as_slice(), Some(manifest.config.digest.0))?;
        oci::keep(
            registry.database(),
            registry.blobs(),
            name,
            &kept,
            &[manifest.config.digest.0],
            registry.now(),
        )?;
    }
    Ok(kept)
}

/// GET and HEAD of a blob, whole or in part.
pub(super) async fn blob(call: &Call, name: &str, digest: Name) -> Told<Response> {
    call.must_read(name)?;
    let name = spelled(call, name).await?;
    let is_publisher =
        call.method == "HEAD" && call.caller.may(Role::Publisher, Where::Project(project_of(&name)));
    let (registry, repo, path) =
        (call.state.registry.clone(), name.clone(), format!("/v2/{name}/blobs/{digest}"));
    let found = blocking(move || {
        // Who pushes asks what need not be sent again.
        if is_publisher && oci::noted_blob(registry.database(), &repo, digest.0)?.is_some() {
            return Ok(Ok(registry.blobs().open(digest.0)?));
        }
        let mut refused = None;
        for (commit, part) in oci::commits_with(registry.database(), &repo, digest.0)? {
            match given_out(&registry, &repo, &commit, &part)? {
                None => return Ok(Ok(registry.blobs().open(digest.0)?)),
                Some(why) => refused = refused.or(Some(why)),
            }
        }
        Ok(Err(refused))
    });
    let blob = match found.await? {
        Ok(Some(blob)) => blob,
        Ok(None) => return Err(Failure::internal(format!("the content {digest} is not in the store")).into()),
        Err(Some(why)) => {
            return Err(OciError::new(StatusCode::FORBIDDEN, "DENIED", format!("ALNAGE: {name}: {why}")));
        }
        Err(None) => return Err(OciError::absent("BLOB_UNKNOWN", format!("{name} has no blob {digest}"))),
    };
    let size = blob.size();
    let asked = Some(call.header(header::RANGE)).filter(|text| !text.is_empty());
    let part = range::parse(asked, size).map_err(|_| Refusal::Range(size))?;
    let (status, range) = part.map_or((StatusCode::OK, 0..size), |part| (StatusCode::PARTIAL_CONTENT, part));
    let length = range.end - range.start;
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    if status == StatusCode::PARTIAL_CONTENT {
        let last = range.end.saturating_sub(1);
        insert(headers, header::CONTENT_RANGE, &format!("bytes {}-{last}/{size}", range.start));
    }
    insert(headers, header::CONTENT_LENGTH, &length.to_string());
    insert(headers, DIGEST, &digest.to_string());
    insert(headers, header::ETAG, &format!("\"{digest}\""));
    // Ollama asks a 200 where the blob is.
    insert(headers, header::LOCATION, &path);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    *response.status_mut() = status;
    if call.method == "GET" {
        let blob = Arc::new(blob);
        let read: bytes::ReadAt = Arc::new(move |buffer: &mut [u8], at| blob.read_exact_at(buffer, at));
        *response.body_mut() = bytes::stretch(read, range);
    }
    Ok(response)
}

/// Why a part of a version is not given out; `None` when it is.
fn given_out(registry: &Registry, name: &str, commit: &str, part: &Part) -> Result<Option<String>, Failure> {
    let version = match registry.answer(Kind::Model, name, commit)? {
        Answer::Serve(version) => version,
        Answer::Wait { .. } => return Ok(Some("it is being scanned".into())),
        Answer::Ask { reason, .. } => return Ok(Some(format!("it is not approved: {reason}"))),
        Answer::Recalled { reason, .. } => return Ok(Some(format!("it was recalled: {reason}"))),
        Answer::Unknown => return Ok(Some("its version is not here".into())),
    };
    let Part::File(path) = part else { return Ok(None) };
    let file = registry.file(version.id, path)?;
    Ok(match file {
        Some(file) if file.served => None,
        file => Some(file.and_then(|file| file.reason).unwrap_or_else(|| "this file is withheld".into())),
    })
}

/// The tags that lead to something that is given out.
pub(super) async fn tags(call: &Call, name: &str) -> Told<Response> {
    call.must_read(name)?;
    let name = spelled(call, name).await?;
    let limit = call.parameter("n").and_then(|n| n.parse().ok()).unwrap_or(MAX_TAGS).min(MAX_TAGS);
    let last = call.parameter("last").unwrap_or_default().to_owned();
    let (registry, repo) = (call.state.registry.clone(), name.clone());
    let found = blocking(move || {
        let mut tags = Vec::new();
        for reference in registry.refs(Kind::Model, &repo)? {
            let served = matches!(registry.answer(Kind::Model, &repo, &reference.name)?, Answer::Serve(_));
            let tag = if reference.name == "main" { "latest".to_owned() } else { reference.name };
            if served && !tag.contains(['/', '+', '=']) && tag > last {
                tags.push(tag);
            }
        }
        tags.sort_unstable();
        Ok(tags)
    });
    let unknown = |failure: Failure| match failure.status {
        StatusCode::NOT_FOUND => OciError::absent("NAME_UNKNOWN", format!("{name} is not in this registry")),
        _ => failure.into(),
    };
    let mut tags = found.await.map_err(unknown)?;
    let more = tags.len() > limit;
    tags.truncate(limit);
    let next = tags
        .last()
        .filter(|_| more)
        .map(|last| format!("</v2/{name}/tags/list?n={limit}&last={last}>; rel=\"next\""));
    let mut response = Json(json!({"name": name, "tags": tags})).into_response();
    if let Some(next) = next {
        insert(response.headers_mut(), header::LINK, &next);
    }
    Ok(response)
}

/// Signatures and other attachments of a manifest.
pub(super) async fn referrers(call: &Call, name: &str, digest: Name) -> Told<Response> {
    call.must_read(name)?;
    let name = spelled(call, name).await?;
    let wanted = call.parameter("artifactType").map(str::to_owned);
    let (registry, filter) = (call.state.registry.clone(), wanted.clone());
    let found = blocking(move || {
        let mut found = Vec::new();
        for kept in oci::referrers(registry.database(), &name, digest.0)? {
            let Some(commit) = oci::commit_of(registry.database(), &name, &kept)? else { continue };
            let wanted = filter.as_ref().is_none_or(|filter| *filter == kept.artifact_type);
            if wanted && given_out(&registry, &name, &commit, &Part::OfArtifact)?.is_none() {
                found.push(described(&kept));
            }
        }
        Ok(found)
    });
    let body = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": found.await?});
    let mut response = Json(body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(INDEX));
    if wanted.is_some() {
        insert(response.headers_mut(), HeaderName::from_static("oci-filters-applied"), "artifactType");
    }
    Ok(response)
}

fn described(kept: &KeptManifest) -> Value {
    json!({
        "mediaType": kept.media_type,
        "digest": Name(kept.digest),
        "size": kept.bytes.len(),
        "artifactType": kept.artifact_type,
        "annotations": serde_json::from_str::<Value>(&kept.annotations).unwrap_or_default(),
    })
}
