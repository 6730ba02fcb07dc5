//! What the hub's clients are told when they are not given what they ask for, in the words each of them understands.
//!
//! Clients look at `X-Error-Code` before the status. `RevisionNotFound` is the only code that stops one that has the model
//! in its cache, so it says that a model was recalled; `GatedRepo` shows its text in more of them than any other.

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::core::Failure;

/// What is wrong, for programs.
const CODE: HeaderName = HeaderName::from_static("x-error-code");
/// What is wrong, for people.
const MESSAGE: HeaderName = HeaderName::from_static("x-error-message");
/// What newer clients print whatever the answer is.
pub(crate) const WARNING: HeaderName = HeaderName::from_static("x-hf-warning");
/// A header that is longer is cut by somebody on the way.
const MAX_TEXT: usize = 1000;

/// Codes of failures for which clients have words of their own.
pub(super) const NO_REPO: &str = "no_repository";
pub(super) const NO_REVISION: &str = "no_revision";

/// Why something is not given.
#[derive(Debug, Clone)]
pub(crate) enum Refusal {
    /// There is no such repository.
    NoRepo(String),
    /// The hub has such a page, and we do not.
    NotOffered(String),
    /// There is no such revision, or it was recalled.
    NoRevision(String),
    /// There is no such file.
    NoEntry(String),
    /// The file is there and not given out.
    Withheld(String),
    /// It waits for a person, or was denied.
    Gated(String),
    /// Nobody is known to ask.
    WhoAsks(String),
    /// Who asks may not.
    Forbidden(String),
    /// What was sent is wrong.
    Invalid(String),
    /// It is there already, or has changed meanwhile.
    Conflict(String),
    /// Later may be better, in so many seconds.
    Later(String, u64),
    /// The part that was asked for is not in the file of so many bytes.
    Range(u64),
    /// Something of ours broke.
    Broken(Box<Failure>),
}

impl Refusal {
    fn parts(&self) -> (StatusCode, &'static str, String) {
        let (status, code, text) = match self {
            Self::NoRepo(text) => (StatusCode::NOT_FOUND, "RepoNotFound", text),
            Self::NotOffered(text) => (StatusCode::NOT_FOUND, "", text),
            Self::NoRevision(text) => (StatusCode::NOT_FOUND, "RevisionNotFound", text),
            Self::NoEntry(text) | Self::Withheld(text) => (StatusCode::NOT_FOUND, "EntryNotFound", text),
            Self::Gated(text) => (StatusCode::FORBIDDEN, "GatedRepo", text),
            Self::WhoAsks(text) => (StatusCode::UNAUTHORIZED, "", text),
            Self::Forbidden(text) => (StatusCode::FORBIDDEN, "", text),
            Self::Invalid(text) => (StatusCode::BAD_REQUEST, "", text),
            Self::Conflict(text) => (StatusCode::CONFLICT, "", text),
            Self::Later(text, _) => (StatusCode::SERVICE_UNAVAILABLE, "", text),
            Self::Range(_) => {
                let text = "the file has no such part".to_owned();
                return (StatusCode::RANGE_NOT_SATISFIABLE, "", text);
            }
            Self::Broken(failure) => return (failure.status, "", failure.message.clone()),
        };
        (status, code, text.clone())
    }

    /// Whether newer clients are to print it whatever else they do.
    fn is_ours(&self) -> bool {
        matches!(self, Self::NoRevision(_) | Self::Withheld(_) | Self::Gated(_) | Self::Later(..))
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        match failure.status {
            StatusCode::NOT_FOUND if failure.code == NO_REPO => Self::NoRepo(failure.message),
            StatusCode::NOT_FOUND if failure.code == NO_REVISION => Self::NoRevision(failure.message),
            StatusCode::UNAUTHORIZED => Self::WhoAsks(failure.message),
            StatusCode::FORBIDDEN => Self::Forbidden(failure.message),
            StatusCode::BAD_REQUEST => Self::Invalid(failure.message),
            StatusCode::CONFLICT => Self::Conflict(failure.message),
            _ => Self::Broken(Box::new(failure)),
        }
    }
}

impl From<alnage_registry::Error> for Refusal {
    fn from(error: alnage_registry::Error) -> Self {
        Failure::from(error).into()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code, text) = self.parts();
        let line = one_line(&text);
        let mut headers = HeaderMap::new();
        if !code.is_empty() {
            headers.insert(CODE, HeaderValue::from_static(code));
        }
        insert(&mut headers, MESSAGE, &line);
        if self.is_ours() {
            warn(&mut headers, &text);
        }
        match &self {
            Self::Later(_, seconds) => insert(&mut headers, header::RETRY_AFTER, &seconds.to_string()),
            Self::Range(size) => insert(&mut headers, header::CONTENT_RANGE, &format!("bytes */{size}")),
            Self::WhoAsks(_) => insert(&mut headers, header::WWW_AUTHENTICATE, "Bearer realm=\"alnage\""),
            _ => {}
        }
        // What is refused now may be given in a moment.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        (status, headers, crate::core::Json(json!({ "error": text }))).into_response()
    }
}

/// Has newer clients print a text.
pub(crate) fn warn(headers: &mut HeaderMap, text: &str) {
    // What stands before the first semicolon is the topic; each topic is printed once.
    insert(headers, WARNING, &format!("alnage; {}", one_line(text)));
}

/// Puts a value in the headers that was made from checked text; what cannot stand there is left out.
pub(crate) fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// JSON with the headers that say what it is.
pub(crate) fn json(headers: HeaderMap, body: &serde_json::Value) -> Response {
    let (headers, body) = json_parts(headers, body);
    let mut response = Response::new(Body::from(body));
    *response.headers_mut() = headers;
    response
}

/// The same, to be put together later.
pub(crate) fn json_parts(mut headers: HeaderMap, body: &serde_json::Value) -> (HeaderMap, Bytes) {
    let body = Bytes::from(serde_json::to_vec(body).unwrap_or_default());
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    insert(&mut headers, header::CONTENT_LENGTH, &body.len().to_string());
    (headers, body)
}

/// Text as it can stand in a header: one line of ASCII.
fn one_line(text: &str) -> String {
    let plain = text.chars().map(|c| match c {
        ' '..='~' => c,
        c if c.is_whitespace() => ' ',
        _ => '?',
    });
    plain.take(MAX_TEXT).collect()
}
