//! The webhook as a process of its own: the routes of admission and nothing else, under TLS.

use std::{io, net::TcpListener, path::PathBuf, sync::Arc};

use alnage_admission::{Rules, Table};
use alnage_registry::Registry;
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    routing::{get, post},
};

use super::{
    MAX_BODY, Manner, Question, Reviewer, answer, records::Records, remote::Remote, reviewer::Shelf,
};
use crate::core::listen;

/// What a webhook is told when it starts.
pub struct Webhook {
    /// Which fields and programs name models.
    pub table: Table,
    /// How strict it is.
    pub rules: Rules,
    /// The registry that it asks.
    pub registry: AskedRegistry,
    /// Certificate and key, PEM. Kubernetes takes nothing else; without them it is plain HTTP, for tests and meshes.
    pub tls: Option<(PathBuf, PathBuf)>,
}

/// The registry that a webhook asks.
pub enum AskedRegistry {
    /// One that is served elsewhere, with the token to ask it with.
    At(String, Option<String>),
    /// One whose database and store this process opens itself; the clock gives seconds since 1970.
    Here(Box<Registry>, fn() -> u64),
}

/// Serves a webhook on `listener` until the process is told to end.
pub fn serve_webhook(listener: TcpListener, webhook: Webhook) -> io::Result<()> {
    let shelf: Arc<dyn Shelf> = match webhook.registry {
        AskedRegistry::At(address, token) => Arc::new(Remote::at(&address, token)),
        AskedRegistry::Here(registry, clock) => {
            let public_url = registry.settings().public_url.clone();
            Arc::new(Records::of(*registry, &public_url, clock))
        }
    };
    let reviewer =
        Reviewer { table: Arc::new(webhook.table), rules: Arc::new(webhook.rules), shelf, reports: true };
    let tls = webhook.tls.map(|(certificate, key)| listen::Tls::read(certificate, key)).transpose()?;
    listen::runtime()?.block_on(async {
        let stop = listen::stop_on_signals()?;
        listen::serve(listener, tls, router(reviewer), None, stop).await
    })
}

/// The routes of admission.
pub(super) fn router(reviewer: Reviewer) -> Router {
    let route = |question: Question| {
        post(move |State(reviewer): State<Reviewer>, body: Bytes| answer(reviewer, question, body))
    };
    Router::new()
        .route("/admission/validate", route(Question::Review(Manner::Validate)))
        .route("/admission/mutate", route(Question::Review(Manner::Mutate)))
        .route("/admission/check", route(Question::Check))
        .route("/v1/externaldata", route(Question::Keys))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(|| async { "ok\n" }))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(reviewer)
}
