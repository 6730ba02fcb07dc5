//! The door for clients of the OCI distribution protocol: models are artifacts in the shape of ModelPack or of Ollama.
//!
//! What is pushed becomes a version like any other: quarantined, scanned, and given out when the answer is yes. What
//! came by another door is given out as an artifact whose layers are the very files.

mod path;
mod pull;
mod push;
mod reply;
mod upload;

#[cfg(test)]
mod tests;

use alnage_registry::{
    oci::Name,
    people::{Place as Where, Role},
    project_of,
};
use axum::{
    body::Body,
    extract::{Request, State as Shared},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};

use self::{
    path::Place,
    reply::{OciError, challenge},
};
use crate::{
    auth::Caller,
    core::{Access, Ask, Failure, Needs, Route, State},
};

const DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

type Told<T> = Result<T, OciError>;

/// What is asked for: consumers of the model's project pull, publishers push; pulls are open to everybody where the
/// server says so.
const PULL: &[Ask] = &[
    Ask::role(Role::Consumer, "/v2/acme/tiny/manifests/main"),
    Ask::role(Role::Consumer, "/v2/acme/tiny/blobs/{blob}"),
    Ask::role(Role::Consumer, "/v2/acme/tiny/tags/list"),
    Ask::role(Role::Consumer, "/v2/acme/tiny/referrers/{artifact}"),
    Ask::role(Role::Publisher, "/v2/acme/pushed/blobs/uploads/{upload}"),
];
const BEGIN: &[Ask] = &[
    Ask::role(Role::Publisher, "/v2/acme/pushed/blobs/uploads/"),
    Ask::role(Role::Publisher, "/v2/acme/pushed/blobs/uploads/?mount={blob}&from=acme%2Ftiny"),
];
const APPEND: &[Ask] = &[Ask::role(Role::Publisher, "/v2/acme/pushed/blobs/uploads/{upload}").body("abc")];
const FINISH: &[Ask] = &[
    Ask::role(Role::Publisher, "/v2/acme/pushed/blobs/uploads/{upload}?digest={nothing}"),
    Ask::role(Role::Publisher, "/v2/acme/pushed/manifests/one").body("{}").empty(),
];
const CANCEL: &[Ask] = &[Ask::role(Role::Publisher, "/v2/acme/pushed/blobs/uploads/{upload}")];

pub(crate) fn routes() -> Vec<Route> {
    const BASE: &[Ask] = &[Ask::of(Needs::KnownUnlessOpen, "/v2")];
    const BELOW: &[Ask] = &[Ask::of(Needs::KnownUnlessOpen, "/v2/")];
    let methods = [
        (Method::GET, PULL, "Manifests, blobs, tags and referrers of models"),
        (Method::POST, BEGIN, "Begins the upload of a blob"),
        (Method::PATCH, APPEND, "Takes a part of a blob"),
        (Method::PUT, FINISH, "Takes a manifest, or the end of a blob"),
        (Method::DELETE, CANCEL, "Gives up an upload"),
    ];
    let base = [("/v2", BASE), ("/v2/", BELOW)].map(|(path, asks)| {
        Route::get(path, Access::Asked(asks), "Says that artifacts are served here", base)
    });
    let rest = methods.map(|(method, asks, summary)| {
        Route::new(method, "/v2/{*path}", Access::Asked(asks), summary, answer)
    });
    base.into_iter().chain(rest).collect()
}

/// One request, read.
struct Call {
    state: State,
    caller: Caller,
    method: Method,
    headers: HeaderMap,
    query: Vec<(String, String)>,
}

impl Call {
    fn must_read(&self, name: &str) -> Told<()> {
        if self.caller.is_anonymous() && self.state.settings.anonymous_read {
            return Ok(());
        }
        Ok(self.caller.must(Role::Consumer, Where::Project(project_of(name)))?)
    }

    fn must_write(&self, name: &str) -> Told<()> {
        Ok(self.caller.must(Role::Publisher, Where::Project(project_of(name)))?)
    }

    fn header(&self, name: HeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Says who may come in. Those who only pull need not say who they are, and learn how they would.
async fn base(Shared(state): Shared<State>, caller: Caller) -> Response {
    if caller.is_anonymous() && !state.settings.anonymous_read {
        return OciError::from(Failure::unauthorized()).into_response();
    }
    let version = (HeaderName::from_static("docker-distribution-api-version"), "registry/2.0");
    let mut response = ([version], crate::core::Json(serde_json::json!({}))).into_response();
    if caller.is_anonymous() {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge());
    }
    response
}

async fn answer(Shared(state): Shared<State>, caller: Caller, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let call = Call {
        state,
        caller,
        method: parts.method,
        headers: parts.headers,
        query: crate::hub::query::pairs(parts.uri.query().unwrap_or_default()),
    };
    let path = parts.uri.path().strip_prefix("/v2/").unwrap_or_default();
    match dispatch(call, &path.replace("%3A", ":").replace("%3a", ":"), body).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn dispatch(call: Call, path: &str, body: Body) -> Told<Response> {
    let place =
        path::parse(path).ok_or_else(|| OciError::absent("NAME_UNKNOWN", "there is no such artifact"))?;
    match (call.method.as_str(), place) {
        ("GET" | "HEAD", Place::Manifest { name, reference }) => {
            pull::manifest(&call, &name, &reference).await
        }
        ("GET" | "HEAD", Place::Blob { name, digest }) => pull::blob(&call, &name, named(&digest)?).await,
        ("GET" | "HEAD", Place::Tags { name }) => pull::tags(&call, &name).await,
        ("GET" | "HEAD", Place::Referrers { name, digest }) => {
            pull::referrers(&call, &name, named(&digest)?).await
        }
        ("POST", Place::Uploads { name }) => upload::begin(&call, &name, body).await,
        ("GET" | "HEAD", Place::Upload { name, id }) => upload::status(&call, &name, &id).await,
        ("PATCH", Place::Upload { name, id }) => upload::append(&call, &name, &id, body).await,
        ("PUT", Place::Upload { name, id }) => upload::finish(&call, &name, &id, body).await,
        ("DELETE", Place::Upload { name, id }) => upload::cancel(&call, &name, &id).await,
        ("PUT", Place::Manifest { name, reference }) => push::manifest(&call, &name, &reference, body).await,
        _ => {
            let message = "artifacts are revoked by people, not deleted by clients";
            Err(OciError::new(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", message))
        }
    }
}

fn named(digest: &str) -> Told<Name> {
    digest
        .parse()
        .map_err(|error: alnage_registry::Error| OciError::invalid("DIGEST_INVALID", error.to_string()))
}

/// A header made of checked text; what cannot stand there is left out.
fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
