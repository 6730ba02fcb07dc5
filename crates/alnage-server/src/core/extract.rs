//! Bodies, forms and queries as values; what does not fit is a [`Failure`] like any other.

use std::fmt::Display;

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};

use super::Failure;

/// A body in JSON.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let body = body(request, state, Kind::Json).await?;
        serde_json::from_slice(&body).map(Self).map_err(|error| {
            let what =
                if error.is_data() { "the body is not what is asked for" } else { "the body is no JSON" };
            unfit(what, &error)
        })
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
            Err(error) => Failure::internal(error).into_response(),
        }
    }
}

/// What a page's form sends.
pub(crate) struct Form<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let body = body(request, state, Kind::Form).await?;
        serde_urlencoded::from_bytes(&body).map(Self).map_err(|error| unfit("the form", &error))
    }
}

/// What stands after `?`.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let query = parts.uri.query().unwrap_or_default();
        serde_urlencoded::from_str(query).map(Self).map_err(|error| unfit("the query", &error))
    }
}

/// What stands in a path's segments.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(rejection) if rejection.status().is_server_error() => Err(Failure::internal(rejection)),
            Err(_) => Err(Failure::invalid("the path is not UTF-8")),
        }
    }
}

/// A body as it is.
pub(crate) struct Bytes(pub(crate) axum::body::Bytes);

impl<S: Send + Sync> FromRequest<S> for Bytes {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        match axum::body::Bytes::from_request(request, state).await {
            Ok(bytes) => Ok(Self(bytes)),
            Err(rejection) => Err(rejected(rejection.status(), rejection.body_text())),
        }
    }
}

/// What a body may say that it is.
#[derive(Clone, Copy)]
enum Kind {
    Json,
    Form,
}

impl Kind {
    fn accepts(self, media: &str) -> bool {
        match self {
            Self::Json => {
                media == "application/json" || (media.starts_with("application/") && media.ends_with("+json"))
            }
            Self::Form => media == "application/x-www-form-urlencoded",
        }
    }

    fn wanted(self) -> &'static str {
        match self {
            Self::Json => "the body is not sent as `application/json`",
            Self::Form => "the body is not sent as `application/x-www-form-urlencoded`",
        }
    }
}

async fn body<S: Send + Sync>(request: Request, state: &S, kind: Kind) -> Result<axum::body::Bytes, Failure> {
    let media = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media = media.and_then(|value| value.split(';').next()).unwrap_or_default();
    if !kind.accepts(&media.trim().to_ascii_lowercase()) {
        return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", kind.wanted()));
    }
    Ok(Bytes::from_request(request, state).await?.0)
}

fn unfit(what: &str, error: &dyn Display) -> Failure {
    Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", format!("{what}: {error}"))
}

fn rejected(status: StatusCode, message: String) -> Failure {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => Failure::new(status, "too_large", message),
        _ => Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", message),
    }
}
