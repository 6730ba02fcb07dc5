//! Whether the server lives, whether it is ready, and its figures.

use axum::{
    extract::State as Shared,
    http::header,
    response::{IntoResponse, Response},
};

use super::{Access, Answered, Route, State, blocking};

const PLAIN: &str = "text/plain";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/healthz", Access::Public, "Whether the process answers", || async { "ok\n" })
            .gives_kinds(&[PLAIN]),
        Route::get("/readyz", Access::Public, "Whether records and blobs can be reached", ready)
            .gives_kinds(&[PLAIN]),
        Route::get("/metrics", Access::Public, "Figures for Prometheus", metrics)
            .gives_kinds(&["text/plain"]),
    ]
}

async fn ready(Shared(state): Shared<State>) -> Answered<&'static str> {
    blocking(move || state.ready()).await?;
    Ok("ready\n")
}

async fn metrics(Shared(state): Shared<State>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], state.metrics.text())
        .into_response()
}
