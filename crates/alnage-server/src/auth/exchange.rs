//! `/oauth`: tokens for programs that have none: a pipeline shows the identity its host signed (RFC 8693), a person at a
//! terminal says yes in a browser (RFC 8628). `huggingface_hub` does both by itself.

use alnage_registry::people::{NewToken, Role};
use axum::{
    body::Bytes,
    extract::State as Shared,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

use super::{Caller, trust};
use crate::core::{Access, Answered, Failure, Json, Route, State, blocking};

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// A pipeline's token lives so many seconds.
const LIFE: u64 = 3600;
/// A person's lives longer: 30 days.
const LONG_LIFE: u64 = 30 * 24 * 3600;
/// The time to say yes.
const DEVICE_TIME: i64 = 900;

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::post(
            "/oauth/token",
            Access::Public,
            "Exchange an identity, or a device's code, for a token",
            token,
        )
        .takes::<TokenRequest>()
        .takes_kinds(&["application/x-www-form-urlencoded"])
        .gives::<Granted>()
        .refuses::<Refused>(),
        Route::post("/oauth/device", Access::Public, "Begin to sign in from a terminal", device)
            .gives::<Begun>(),
        Route::post(
            "/auth/device",
            Access::Known,
            "Let the terminal with this code sign in as the caller",
            allow,
        )
        .takes::<DeviceAnswer>()
        .success(204),
    ]
}

/// What a token is asked for with, as JSON or as a form.
#[derive(Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
struct TokenRequest {
    /// `urn:ietf:params:oauth:grant-type:token-exchange` or `…:device_code`
    grant_type: String,
    /// The identity that the pipeline's host signed
    subject_token: String,
    /// What the token is for: `acme/model`, `datasets/acme/data`
    resource: String,
    /// What `/oauth/device` gave
    device_code: String,
}

/// A terminal's login under way.
#[derive(Serialize, Deserialize)]
struct Pending {
    /// The key under which the answer is kept.
    device_code: String,
    /// Who said yes.
    account: Option<String>,
}

/// What a terminal's token will carry: no more than what the person showed who said yes.
#[derive(Serialize, Deserialize)]
struct Allowed {
    account: String,
    ceiling: Role,
    /// All when empty.
    projects: Vec<String>,
}

/// Errors have a shape of their own here (RFC 6749).
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Refused {
    /// For programs: `invalid_grant`, `authorization_pending`, …
    error: String,
    /// For people
    error_description: String,
}

fn refused(error: &str, description: &str) -> Response {
    let body = Refused { error: error.to_owned(), error_description: description.to_owned() };
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

/// A token that was given.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Granted {
    /// The token itself, shown once
    access_token: String,
    /// `bearer`
    token_type: String,
    /// How many seconds it lives
    expires_in: u64,
    /// `openid`
    scope: String,
}

fn granted(token: &str, seconds: u64) -> Response {
    let body = Granted {
        access_token: token.to_owned(),
        token_type: "bearer".to_owned(),
        expires_in: seconds,
        scope: "openid".to_owned(),
    };
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// A terminal that waits for somebody to say yes.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Begun {
    /// What the terminal asks for its token with
    device_code: String,
    /// What the person types
    user_code: String,
    /// Where
    verification_uri: String,
    /// The same with the code in it
    verification_uri_complete: String,
    /// For how many seconds
    expires_in: i64,
    /// How many seconds the terminal waits between questions
    interval: u64,
}

async fn token(
    Shared(state): Shared<State>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Answered<Response> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let request =
        if kind.starts_with("application/json") { serde_json::from_slice(&body).ok() } else { form(&body) };
    let Some(request) = request else { return Ok(refused("invalid_request", "the body cannot be read")) };
    blocking(move || match request.grant_type.as_str() {
        EXCHANGE => exchange(&state, &caller, &request),
        DEVICE => collect(&state, &request.device_code),
        _ => Ok(refused("unsupported_grant_type", "token-exchange and device_code are known here")),
    })
    .await
}

fn form(body: &[u8]) -> Option<TokenRequest> {
    let mut request = TokenRequest::default();
    for (name, value) in alnage_registry::people::form_pairs(body) {
        match name.as_str() {
            "grant_type" => request.grant_type = value,
            "subject_token" => request.subject_token = value,
            "resource" => request.resource = value,
            "device_code" => request.device_code = value,
            _ => {}
        }
    }
    Some(request)
}

fn exchange(state: &State, caller: &Caller, request: &TokenRequest) -> Answered<Response> {
    let subject = format!("exchange {}", caller.address);
    if let Some(seconds) = state.people.wait(&subject)? {
        return Err(Failure::too_many(seconds));
    }
    let (name, grants) = match trust::identity(state, &request.subject_token) {
        Ok(identity) => identity,
        Err(failure) if failure.status.is_server_error() => return Err(failure),
        Err(failure) => {
            state.people.attempt_failed(&subject)?;
            return Ok(refused("invalid_grant", &failure.message));
        }
    };
    // A token for one repository carries the rights in its project alone.
    let resource = request.resource.trim_start_matches("datasets/").trim_start_matches("models/");
    let projects: Vec<String> =
        resource.split_once('/').map(|(project, _)| project.to_owned()).into_iter().collect();
    let new = NewToken {
        projects,
        grants: Some(grants),
        expires: Some(state.now().saturating_add(LIFE)),
        ..NewToken::of(name, "exchanged")
    };
    let (_, secret) = state.people.add_token(&new)?;
    Ok(granted(secret.reveal(), LIFE))
}

async fn device(Shared(state): Shared<State>) -> Answered<Json<Begun>> {
    blocking(move || {
        let device = alnage_registry::people::Secret::plain()?;
        let code = alnage_registry::people::Secret::spoken()?;
        let pending = Pending { device_code: device.reveal().to_owned(), account: None };
        let content = serde_json::to_string(&pending).map_err(Failure::internal)?;
        state.people.keep_as(&code, "device-code", &content, DEVICE_TIME)?;
        state.people.keep_as(&device, "device", "", DEVICE_TIME)?;
        let page = format!("{}/console/device", state.settings.public_url.trim_end_matches('/'));
        Ok(Json(Begun {
            device_code: device.reveal().to_owned(),
            user_code: code.reveal().to_owned(),
            verification_uri_complete: format!("{page}?code={}", code.reveal()),
            verification_uri: page,
            expires_in: DEVICE_TIME,
            interval: 2,
        }))
    })
    .await
}

/// A person's yes.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct DeviceAnswer {
    /// The code that the terminal shows
    code: String,
}

async fn allow(
    Shared(state): Shared<State>,
    caller: Caller,
    Json(answer): Json<DeviceAnswer>,
) -> Answered<StatusCode> {
    blocking(move || allow_device(&state, &caller, &answer.code)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets the terminal that shows `code` sign in as `caller`.
pub(crate) fn allow_device(state: &State, caller: &Caller, code: &str) -> Answered<()> {
    let subject = format!("device {}", caller.address);
    if let Some(seconds) = state.people.wait(&subject)? {
        return Err(Failure::too_many(seconds));
    }
    let code = code.trim().to_ascii_uppercase();
    let Some(kept) = state.people.take("device-code", &code)? else {
        state.people.attempt_failed(&subject)?;
        return Err(Failure::not_found("terminal with that code; it may have taken too long"));
    };
    let pending: Pending = serde_json::from_str(&kept).map_err(Failure::internal)?;
    let device = alnage_registry::people::Secret::of(pending.device_code);
    let allowed =
        Allowed { account: caller.name.clone(), ceiling: highest(caller), projects: projects_of(caller)? };
    let content = serde_json::to_string(&allowed).map_err(Failure::internal)?;
    state.people.keep_as(&device, "device", &content, DEVICE_TIME)?;
    Ok(())
}

/// The projects that a token made by the caller is for: no others than those that what they showed is for; all when empty.
pub(crate) fn projects_of(caller: &Caller) -> Answered<Vec<String>> {
    match caller.roles.projects(Role::Viewer) {
        None => Ok(Vec::new()),
        Some(projects) if projects.is_empty() => {
            Err(Failure::forbidden(format!("`{}` has no role with what was shown", caller.name)))
        }
        Some(projects) => Ok(projects.into_iter().map(str::to_owned).collect()),
    }
}

/// The highest role that the caller has anywhere: what they showed may be less than their account.
fn highest(caller: &Caller) -> Role {
    caller
        .roles
        .0
        .iter()
        .map(|grant| grant.role)
        .filter(|role| *role != Role::Auditor)
        .max()
        .unwrap_or(Role::Viewer)
}

fn collect(state: &State, device: &str) -> Answered<Response> {
    match state.people.kept("device", device)? {
        None => Ok(refused("expired_token", "the code is not known, or took too long")),
        Some(kept) if kept.is_empty() => Ok(refused("authorization_pending", "nobody has said yes yet")),
        Some(_) => {
            let Some(kept) = state.people.take("device", device)? else {
                return Ok(refused("expired_token", "the code was used"));
            };
            let Allowed { account, ceiling, projects } =
                serde_json::from_str(&kept).map_err(Failure::internal)?;
            let new = NewToken {
                ceiling,
                projects,
                expires: Some(state.now().saturating_add(LONG_LIFE)),
                ..NewToken::of(account, "signed in from a terminal")
            };
            let (_, secret) = state.people.add_token(&new)?;
            Ok(granted(secret.reveal(), LONG_LIFE))
        }
    }
}
