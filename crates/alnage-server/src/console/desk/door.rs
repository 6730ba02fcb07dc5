//! The door: signing in and out, what every page loads, and the page that is not there.

use axum::{
    extract::State as Shared,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;

use crate::{
    auth::{Caller, allow_device, login},
    console::{
        assets,
        pages::{Device, SignIn},
        parts::{InQuery, Link, Place},
        respond::{done, frame, page, sentence},
    },
    core::{Answered, Failure, Form, Path, Query, State, blocking},
};

pub(super) async fn root() -> Redirect {
    Redirect::to("/console")
}

pub(super) async fn nowhere() -> Failure {
    Failure::not_found("such page")
}

pub(super) async fn asset(Path(name): Path<String>) -> Answered<Response> {
    let found =
        assets::at(&format!("/console/assets/{name}")).ok_or_else(|| Failure::not_found("such file"))?;
    let headers = [
        (header::CONTENT_TYPE, found.content_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Ok((headers, &*found.bytes).into_response())
}

/// Where to go afterwards.
#[derive(Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
    #[serde(default)]
    problem: String,
}

/// A page of the console; never anything else.
fn inside(next: &str) -> &str {
    let ours = next == "/console" || next.starts_with("/console/") || next.starts_with("/console?");
    if ours && login::local(next) == next { next } else { "/console" }
}

pub(super) async fn sign_in(
    Shared(state): Shared<State>,
    caller: Caller,
    Query(query): Query<Next>,
) -> Answered<Response> {
    let next = inside(&query.next).to_owned();
    if !caller.is_anonymous() && query.problem.is_empty() {
        return Ok(Redirect::to(&next).into_response());
    }
    page(move || {
        let stranger = Caller::anonymous(caller.address);
        let provider = state.settings.oidc.as_ref().map(|oidc| {
            let host =
                oidc.issuer.split("://").last().unwrap_or_default().split('/').next().unwrap_or_default();
            Link::new(host, format!("/auth/oidc/start?next={}", InQuery(&next)))
        });
        let problem = match &*query.problem {
            "" => None,
            "wait" => Some("Too many attempts from your address. Try again in some minutes."),
            _ => Some("This token is not known here, or it was withdrawn."),
        };
        let frame = frame(&state, &stranger, "Sign in", Place::Elsewhere, "")?;
        Ok(SignIn { frame, provider, next, problem: problem.map(str::to_owned) })
    })
    .await
}

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Token {
    token: String,
    #[serde(default)]
    next: String,
}

pub(super) async fn enter(
    Shared(state): Shared<State>,
    caller: Caller,
    Form(form): Form<Token>,
) -> Answered<Response> {
    let next = inside(&form.next).to_owned();
    let at = state.clone();
    match blocking(move || login::with_token(&at, caller.address, &form.token)).await {
        Ok((_, opened)) => {
            Ok(([login::session_cookie(&state, &opened)], Redirect::to(&next)).into_response())
        }
        Err(failure) if failure.status.is_client_error() => {
            let problem = if failure.status == StatusCode::TOO_MANY_REQUESTS { "wait" } else { "token" };
            let address = format!("/console/sign-in?problem={problem}&next={}", InQuery(&next));
            Ok(Redirect::to(&address).into_response())
        }
        Err(failure) => Err(failure),
    }
}

pub(super) async fn leave(Shared(state): Shared<State>, headers: HeaderMap) -> Answered<Response> {
    let at = state.clone();
    blocking(move || login::end(&at, &headers)).await?;
    Ok(([login::no_session_cookie(&state)], Redirect::to("/console/sign-in")).into_response())
}

/// The code that a terminal shows.
#[derive(Deserialize)]
pub(super) struct Code {
    #[serde(default, alias = "user_code")]
    code: String,
    #[serde(default)]
    done: String,
}

pub(super) async fn device(
    Shared(state): Shared<State>,
    caller: Caller,
    Query(query): Query<Code>,
) -> Answered<Response> {
    page(move || {
        let frame = frame(&state, &caller, "Sign in a terminal", Place::Elsewhere, &query.done)?;
        let code: String =
            query.code.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(20).collect();
        Ok(Device { frame, code })
    })
    .await
}

pub(super) async fn allow(
    Shared(state): Shared<State>,
    caller: Caller,
    Form(form): Form<Code>,
) -> Answered<Response> {
    done(move || {
        allow_device(&state, &caller, &form.code)
            .map_err(|failure| Failure { message: sentence(&failure.message), ..failure })?;
        Ok("/console/device?done=signed-in".to_owned())
    })
    .await
}
