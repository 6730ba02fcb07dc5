//! What went wrong, in the one shape that every surface starts from.

use std::fmt::Display;

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::Json;

/// What a handler gives.
pub(crate) type Answered<T> = Result<T, Failure>;

/// An answer that is not what was asked for. The response carries it as an extension too, so that a surface can show
/// it its own way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    /// A word that programs may rely on.
    pub(crate) code: &'static str,
    /// A sentence for people.
    pub(crate) message: String,
    /// Headers that belong to it.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

/// The body of every failure.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct FailureBody {
    /// What is wrong, for people
    pub(crate) error: String,
    /// What is wrong, for programs: `not_found`, `conflict`, `forbidden`, `invalid`, `unauthorized`, `unavailable`, …
    pub(crate) code: String,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), headers: Vec::new() }
    }

    pub(crate) fn not_found(what: impl Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("there is no {what}"))
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", message)
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", message)
    }

    /// Nobody is known to ask, and somebody must be.
    pub(crate) fn unauthorized() -> Self {
        let message = "this needs a token or a login: send `Authorization: Bearer hf_…`";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
            .with(header::WWW_AUTHENTICATE, "Bearer realm=\"alnage\"")
    }

    /// Who asks showed something that is not known here.
    pub(crate) fn unknown_token() -> Self {
        Self { message: "the token is not known here, or has ended".into(), ..Self::unauthorized() }
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    pub(crate) fn too_many(seconds: u64) -> Self {
        let message = format!("too many attempts; try again in {seconds} seconds");
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many", message)
            .with(header::RETRY_AFTER, &seconds.to_string())
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message).with(header::RETRY_AFTER, "5")
    }

    /// Something of ours broke. The cause goes to standard error, never to who asked.
    pub(crate) fn internal(cause: impl Display) -> Self {
        eprintln!("error: {cause}");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "something broke; the server's log says what",
        )
    }

    /// The same with a header; a value that cannot stand in one is left out.
    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }
}

impl From<alnage_registry::Error> for Failure {
    fn from(error: alnage_registry::Error) -> Self {
        use alnage_registry::Error;
        let message = error.to_string();
        match error {
            Error::NotFound(_) => Self::new(StatusCode::NOT_FOUND, "not_found", message),
            Error::Conflict(_) => Self::conflict(message),
            Error::Forbidden(_) => Self::forbidden(message),
            Error::Invalid(_) => Self::invalid(message),
            Error::Unavailable(_) => Self::unavailable(message),
            Error::Internal(cause) => Self::internal(cause),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = FailureBody { error: self.message.clone(), code: self.code.to_owned() };
        let mut response = (self.status, Json(body)).into_response();
        for (name, value) in &self.headers {
            response.headers_mut().insert(name.clone(), value.clone());
        }
        response.extensions_mut().insert(self);
        response
    }
}
