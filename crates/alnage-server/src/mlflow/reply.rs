//! Errors as MLflow words them.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{
    core::{Failure, Json},
    hub::reply::Refusal,
};

/// What is answered instead of what was asked for.
pub(super) struct MlflowError {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl MlflowError {
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "INVALID_PARAMETER_VALUE", message: message.into() }
    }

    pub(super) fn absent(message: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, code: "RESOURCE_DOES_NOT_EXIST", message: message.into() }
    }
}

impl From<Failure> for MlflowError {
    fn from(failure: Failure) -> Self {
        let code = match failure.status {
            StatusCode::UNAUTHORIZED => "UNAUTHENTICATED",
            StatusCode::FORBIDDEN => "PERMISSION_DENIED",
            StatusCode::NOT_FOUND => "RESOURCE_DOES_NOT_EXIST",
            StatusCode::SERVICE_UNAVAILABLE => "TEMPORARILY_UNAVAILABLE",
            status if status.is_client_error() => "INVALID_PARAMETER_VALUE",
            _ => "INTERNAL_ERROR",
        };
        Self { status: failure.status, code, message: failure.message }
    }
}

impl From<Refusal> for MlflowError {
    fn from(refusal: Refusal) -> Self {
        let (status, code, message) = match refusal {
            // A version that is here and not given out was recalled, blocked, or waits for a person.
            Refusal::NoRevision(text)
            | Refusal::Gated(text)
            | Refusal::Withheld(text)
            | Refusal::Forbidden(text) => (StatusCode::FORBIDDEN, "PERMISSION_DENIED", text),
            Refusal::NoRepo(text) | Refusal::NotOffered(text) | Refusal::NoEntry(text) => {
                return Self::absent(text);
            }
            Refusal::WhoAsks(text) => (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", text),
            Refusal::Later(text, _) => (StatusCode::SERVICE_UNAVAILABLE, "TEMPORARILY_UNAVAILABLE", text),
            Refusal::Invalid(text) | Refusal::Conflict(text) => return Self::invalid(text),
            Refusal::Range(_) => return Self::invalid("the file has no such part"),
            Refusal::Broken(failure) => return (*failure).into(),
        };
        Self { status, code, message }
    }
}

impl IntoResponse for MlflowError {
    fn into_response(self) -> Response {
        let body = Json(json!({"error_code": self.code, "message": self.message}));
        let mut response = (self.status, body).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let value = axum::http::HeaderValue::from_static("Basic realm=\"alnage\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        response
    }
}
