//! Admission: what the API server of Kubernetes, Gatekeeper and Kyverno ask before they let an object in.

mod remote;
mod reviewer;
mod webhook;

#[cfg(test)]
mod tests;

use alnage_admission::Malformed;
use axum::{
    body::Bytes,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::Value;

use crate::core::{Failure, blocking};

pub(crate) use reviewer::{Manner, Reviewer};
pub use webhook::{AskedRegistry, Webhook, serve_webhook};

/// A review holds an object and what it replaces; the API server takes objects of 3 MiB at most.
pub(crate) const MAX_BODY: usize = 8 << 20;

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

/// Answers `body` where it may block.
pub(crate) async fn answer(reviewer: Reviewer, question: Question, body: Bytes) -> Response {
    let answered = blocking(move || {
        Ok(match question {
            Question::Review(manner) => reviewer.review(&body, manner),
            Question::Keys => reviewer.provide(&body),
            Question::Check => reviewer.check(&body),
        })
    });
    match answered.await {
        Ok(answered) => rendered(answered),
        Err(failure) => failure.into_response(),
    }
}

fn rendered(answered: Result<Value, Malformed>) -> Response {
    match answered {
        Ok(answer) => axum::Json(answer).into_response(),
        Err(malformed) => {
            Failure::new(StatusCode::BAD_REQUEST, "invalid", malformed.to_string()).into_response()
        }
    }
}
