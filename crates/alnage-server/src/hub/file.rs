//! The bytes of a file, and what is said of them before they are sent.

use std::sync::Arc;

use alnage_registry::{FileRecord, Version};
use alnage_types::Digest;
use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::Response,
};

use super::{
    range,
    reply::{self, Refusal, insert},
};
use crate::core::{State, blocking, bytes};

const COMMIT: HeaderName = HeaderName::from_static("x-repo-commit");
const LINKED_SIZE: HeaderName = HeaderName::from_static("x-linked-size");
const LINKED_ETAG: HeaderName = HeaderName::from_static("x-linked-etag");
/// Clients refuse to load larger files over plain HTTP, unless they are not told how large they are.
const TOLD: u64 = 50_000_000_000;

/// Answers HEAD and GET for a file of a version that is given out.
pub(crate) async fn send(
    state: &State,
    method: &Method,
    headers: &HeaderMap,
    version: &Version,
    file: &FileRecord,
) -> Result<Response, Refusal> {
    let mut told = described(version, file);
    let tag = told.get(header::ETAG).cloned();
    if let (Some(tag), Some(known)) = (&tag, text(headers, &header::IF_NONE_MATCH))
        && known.split(',').any(|known| known.trim().trim_start_matches("W/").as_bytes() == tag.as_bytes())
    {
        return Ok(answer(StatusCode::NOT_MODIFIED, told, Body::empty()));
    }
    let asked = text(headers, &header::RANGE);
    // A part of another file is of no use.
    let is_same = text(headers, &header::IF_RANGE).is_none_or(|known| tag.is_some_and(|tag| known == tag));
    let part = range::parse(asked.filter(|_| is_same), file.size).map_err(|_| Refusal::Range(file.size))?;
    let (status, range) = match part {
        Some(part) => {
            let (first, last) = (part.start, part.end.saturating_sub(1));
            insert(&mut told, header::CONTENT_RANGE, &format!("bytes {first}-{last}/{}", file.size));
            (StatusCode::PARTIAL_CONTENT, part)
        }
        None => (StatusCode::OK, 0..file.size),
    };
    if method == Method::HEAD {
        if file.size > TOLD && takes_no_size(text(headers, &header::USER_AGENT).unwrap_or_default()) {
            told.remove(LINKED_SIZE);
        } else {
            insert(&mut told, header::CONTENT_LENGTH, &(range.end - range.start).to_string());
        }
        return Ok(answer(status, told, Body::empty()));
    }
    let (registry, digest) = (state.registry.clone(), file.sha256);
    let blob = blocking(move || Ok(registry.blobs().open(digest)?)).await?;
    let Some(blob) = blob.filter(|blob| blob.size() == file.size) else {
        return Err(lost(digest));
    };
    let blob = Arc::new(blob);
    let read: bytes::ReadAt = Arc::new(move |buffer: &mut [u8], at| blob.read_exact_at(buffer, at));
    insert(&mut told, header::CONTENT_LENGTH, &(range.end - range.start).to_string());
    Ok(answer(status, told, bytes::stretch(read, range)))
}

/// A short file, all of it, and its headers.
pub(crate) async fn whole(
    state: &State,
    version: &Version,
    file: &FileRecord,
) -> Result<(HeaderMap, Bytes), Refusal> {
    let (registry, digest, size) = (state.registry.clone(), file.sha256, file.size);
    let read = blocking(move || Ok(registry.blobs().read(digest, size)?)).await?;
    let Some(body) = read.filter(|body| body.len() as u64 == size) else { return Err(lost(digest)) };
    let mut headers = described(version, file);
    insert(&mut headers, header::CONTENT_LENGTH, &size.to_string());
    Ok((headers, body.into()))
}

fn lost(digest: Digest) -> Refusal {
    crate::core::Failure::internal(format!("the content {digest} is not in the store")).into()
}

/// The headers that tell which file of which commit it is. None of them leads anywhere else.
fn described(version: &Version, file: &FileRecord) -> HeaderMap {
    let mut headers = HeaderMap::new();
    insert(&mut headers, COMMIT, &version.commit);
    let tag = if file.lfs { format!("\"{}\"", file.sha256) } else { format!("\"{}\"", file.git_oid) };
    insert(&mut headers, header::ETAG, &tag);
    if file.lfs {
        insert(&mut headers, LINKED_ETAG, &tag);
        insert(&mut headers, LINKED_SIZE, &file.size.to_string());
    }
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    let name = file.path.rsplit('/').next().unwrap_or_default();
    let name: String =
        name.chars().map(|c| if c.is_ascii_graphic() && !"\"\\".contains(c) { c } else { '_' }).collect();
    insert(&mut headers, header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}\""));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if !version.conditions.is_empty() {
        reply::warn(
            &mut headers,
            &format!("ALNAGE: {} is approved on condition: {}", version.name, version.conditions),
        );
    } else if version.stage == alnage_registry::Stage::Deprecated {
        reply::warn(&mut headers, &format!("ALNAGE: {} is deprecated: {}", version.name, version.reason));
    }
    headers
}

fn answer(status: StatusCode, headers: HeaderMap, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Whether the client loads a file whose size it is not told: those before 1.33 do not.
fn takes_no_size(agent: &str) -> bool {
    let Some((_, rest)) = agent.split_once("hf_hub/") else { return false };
    let mut numbers = rest.split(['.', ';', ' ']).map(|number| number.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (1, 33)
}
