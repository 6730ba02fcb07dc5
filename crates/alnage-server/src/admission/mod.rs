//! Admission: what the API server of Kubernetes, Gatekeeper and Kyverno ask before they let an object in.

mod records;
mod remote;
mod reviewer;
mod webhook;

#[cfg(test)]
mod tests;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use alnage_admission::{Effect, Malformed, Rules, Table};
use alnage_registry::{
    Registry,
    people::{Place, Role},
};
use axum::{
    body::Bytes,
    extract::State as Shared,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::Value;

use crate::{
    auth::Caller,
    core::{Access, Failure, Route, State, blocking},
};

use records::Records;
use reviewer::Sighting;
pub(crate) use reviewer::{Manner, Reviewer};
pub use webhook::{AskedRegistry, Webhook, serve_webhook};

/// A review holds an object and what it replaces; the API server takes objects of 3 MiB at most.
pub(crate) const MAX_BODY: usize = 8 << 20;
/// So many reviews are told to the shelf at once.
const MAX_TELLING: usize = 32;

/// What the API server asks carries no token; what is said of a model is no more than a download would say.
pub(crate) fn routes() -> Vec<Route> {
    let public = Access::Public;
    let rows = [
        Route::post(
            "/admission/validate",
            public,
            "A review of Kubernetes: may this object be let in?",
            validate,
        ),
        Route::post(
            "/admission/mutate",
            public,
            "A review of Kubernetes: what pins it, and leads it here",
            mutate,
        ),
        Route::post(
            "/admission/check",
            public,
            "What is known of models, or of an object: for Kyverno and scripts",
            check,
        ),
        Route::post("/v1/externaldata", public, "What Gatekeeper asks by its external data", provide),
    ];
    rows.into_iter().map(|row| row.takes::<Value>().gives::<Value>().body(MAX_BODY)).collect()
}

async fn validate(Shared(state): Shared<State>, caller: Caller, body: Bytes) -> Response {
    served(&state, &caller, Question::Review(Manner::Validate), body).await
}

async fn mutate(Shared(state): Shared<State>, caller: Caller, body: Bytes) -> Response {
    served(&state, &caller, Question::Review(Manner::Mutate), body).await
}

async fn check(Shared(state): Shared<State>, caller: Caller, body: Bytes) -> Response {
    served(&state, &caller, Question::Check, body).await
}

async fn provide(Shared(state): Shared<State>, caller: Caller, body: Bytes) -> Response {
    served(&state, &caller, Question::Keys, body).await
}

async fn served(state: &State, caller: &Caller, question: Question, body: Bytes) -> Response {
    let reports = caller.may(Role::Consumer, Place::Anywhere);
    match &state.reviewer {
        Some(reviewer) => answer(Reviewer { reports, ..reviewer.clone() }, question, body).await,
        None => Failure::internal("there is no table of extractors").into_response(),
    }
}

/// The reviewer of a registry that is served at `public_url`.
pub(crate) fn reviewer(registry: &Registry, public_url: &str, clock: fn() -> u64) -> Option<Reviewer> {
    let table = Table::shipped().ok()?;
    let endpoint = Some(public_url.trim_end_matches('/').to_owned()).filter(|url| !url.is_empty());
    let mut rules = Rules { endpoint, ..Rules::enforcing() };
    // No container of a cluster reaches a loopback address: such a registry is tried out, or has another address too.
    if ["//127.", "//localhost", "//[::1]"].iter().any(|host| public_url.contains(host)) {
        (rules.endpoint_missing, rules.endpoint_elsewhere) = (Effect::Warn, Effect::Warn);
    }
    let shelf = Arc::new(Records::of(registry.clone(), public_url, clock));
    Some(Reviewer { table: Arc::new(table), rules: Arc::new(rules), shelf, reports: false })
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Question {
    /// A review of Kubernetes.
    Review(Manner),
    /// Keys of Gatekeeper.
    Keys,
    /// Plain JSON.
    Check,
}

/// Answers `body` where it may block. What the shelf is told comes after the answer, which nobody waits longer for.
pub(crate) async fn answer(reviewer: Reviewer, question: Question, body: Bytes) -> Response {
    let answered = blocking(move || {
        let answered = match question {
            Question::Review(manner) => reviewer.review(&body, manner),
            Question::Keys => reviewer.provide(&body).map(|answer| (answer, Vec::new())),
            Question::Check => reviewer.check(&body).map(|answer| (answer, Vec::new())),
        };
        Ok(match answered {
            Ok((answer, sightings)) => {
                tell(&reviewer, sightings);
                Ok(answer)
            }
            Err(malformed) => Err(malformed),
        })
    });
    match answered.await {
        Ok(answered) => rendered(answered),
        Err(failure) => failure.into_response(),
    }
}

/// Tells the shelf what was let through, elsewhere. Where too much is told already, it is told with the next review.
fn tell(reviewer: &Reviewer, sightings: Vec<Sighting>) {
    static TELLING: AtomicUsize = AtomicUsize::new(0);
    if sightings.is_empty() {
        return;
    }
    if TELLING.fetch_add(1, Ordering::Relaxed) >= MAX_TELLING {
        TELLING.fetch_sub(1, Ordering::Relaxed);
        return;
    }
    let shelf = Arc::clone(&reviewer.shelf);
    tokio::task::spawn_blocking(move || {
        for sighting in &sightings {
            shelf.seen(sighting);
        }
        TELLING.fetch_sub(1, Ordering::Relaxed);
    });
}

fn rendered(answered: Result<Value, Malformed>) -> Response {
    match answered {
        Ok(answer) => crate::core::Json(answer).into_response(),
        Err(malformed) => {
            Failure::new(StatusCode::BAD_REQUEST, "invalid", malformed.to_string()).into_response()
        }
    }
}
