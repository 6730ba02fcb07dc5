//! Errors as the distribution protocol words them.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{
    core::{Failure, Json},
    hub::reply::Refusal,
};

/// What is answered instead of what was asked for.
pub(super) struct OciError {
    status: StatusCode,
    code: &'static str,
    message: String,
    retry_after: Option<u64>,
    size: Option<u64>,
}

impl OciError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after: None, size: None }
    }

    pub(super) fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(super) fn absent(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }
}

impl From<Refusal> for OciError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NoRepo(text) | Refusal::NotOffered(text) => Self::absent("NAME_UNKNOWN", text),
            Refusal::NoRevision(text) => Self::absent("MANIFEST_UNKNOWN", text),
            Refusal::NoEntry(text) | Refusal::Withheld(text) => Self::absent("BLOB_UNKNOWN", text),
            Refusal::Gated(text) | Refusal::Forbidden(text) => {
                Self::new(StatusCode::FORBIDDEN, "DENIED", text)
            }
            Refusal::WhoAsks(text) => Self::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", text),
            Refusal::Invalid(text) => Self::invalid("UNSUPPORTED", text),
            Refusal::Conflict(text) => Self::new(StatusCode::CONFLICT, "DENIED", text),
            Refusal::Later(text, seconds) => {
                let error = Self::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", text);
                Self { retry_after: Some(seconds), ..error }
            }
            Refusal::Range(size) => {
                let error =
                    Self::new(StatusCode::RANGE_NOT_SATISFIABLE, "SIZE_INVALID", "there is no such part");
                Self { size: Some(size), ..error }
            }
            Refusal::Broken(failure) => Self::from(*failure),
        }
    }
}

impl From<Failure> for OciError {
    fn from(failure: Failure) -> Self {
        let code = match failure.status {
            StatusCode::UNAUTHORIZED => "UNAUTHORIZED",
            StatusCode::FORBIDDEN => "DENIED",
            StatusCode::NOT_FOUND => "BLOB_UPLOAD_UNKNOWN",
            StatusCode::BAD_REQUEST => "DIGEST_INVALID",
            StatusCode::TOO_MANY_REQUESTS => "TOOMANYREQUESTS",
            _ => "UNKNOWN",
        };
        Self::new(failure.status, code, failure.message)
    }
}

impl From<alnage_registry::Error> for OciError {
    fn from(error: alnage_registry::Error) -> Self {
        Failure::from(error).into()
    }
}

impl IntoResponse for OciError {
    fn into_response(self) -> Response {
        let body = Json(json!({"errors": [{"code": self.code, "message": self.message, "detail": null}]}));
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, challenge());
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if let Some(value) = self.size.and_then(|size| HeaderValue::from_str(&format!("bytes */{size}")).ok())
        {
            headers.insert(header::CONTENT_RANGE, value);
        }
        // What is refused now may be given in a moment.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// How clients say who they are: any user name, and a token of ours as the password.
pub(super) fn challenge() -> HeaderValue {
    HeaderValue::from_static("Basic realm=\"alnage\"")
}
