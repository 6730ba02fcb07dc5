//! Whether the server lives, whether it is ready, and its figures.

use axum::{
    extract::State as Shared,
    http::header,
    response::{IntoResponse, Response},
};

use super::{Access, Answered, Route, State, blocking};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/healthz", Access::Public, "Whether the process answers", || async { "ok\n" }),
        Route::get("/readyz", Access::Public, "Whether records and blobs can be reached", ready),
        Route::get("/metrics", Access::Public, "Figures for Prometheus", metrics),
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
