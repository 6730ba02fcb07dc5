//! Who did and who read what: written down behind the requests, many lines at a time, none lost but with the machine.

use alnage_registry::{Actor, AuditEntry, Registry};
use axum::http::{Method, StatusCode};
use tokio::sync::mpsc;

use super::{Door, blocking};
use crate::auth::Caller;

/// Lines that wait; more make requests wait.
const WAITING: usize = 4096;
const BATCH: usize = 500;
/// A path is kept so far.
const LONGEST: usize = 500;

/// A line to write down.
pub(crate) struct Line {
    actor: Actor,
    action: String,
    target: String,
    outcome: &'static str,
    detail: String,
}

impl Line {
    /// The line for an answered request, if there is to be one: for everything that changes something, for bytes that
    /// are given out, and for what known callers ask of the API.
    pub(super) fn of(
        caller: &Caller,
        door: Door,
        method: &Method,
        path: &str,
        status: StatusCode,
        request: &str,
    ) -> Option<Self> {
        let reads = [Method::GET, Method::HEAD].contains(method);
        let told = match door {
            Door::Core => !reads,
            _ if !reads => true,
            _ if *method == Method::HEAD => false,
            Door::Hub => path.contains("/resolve/"),
            Door::Oci => path.contains("/blobs/") || path.contains("/manifests/"),
            Door::Xet => true,
            Door::Api => !caller.is_anonymous(),
            Door::Mlflow | Door::Admission | Door::Console => false,
        };
        let outcome = match status.as_u16() {
            401 | 403 => "refused",
            0..=399 => "ok",
            _ => "failed",
        };
        told.then(|| Self {
            actor: caller.actor(),
            action: format!("{door} {method}"),
            target: path.chars().filter(|c| !c.is_control()).take(LONGEST).collect(),
            outcome,
            detail: format!("{} {request}", status.as_u16()),
        })
    }
}

/// Where lines go, and what comes out.
pub(crate) fn channel() -> (mpsc::Sender<Line>, mpsc::Receiver<Line>) {
    mpsc::channel(WAITING)
}

/// Writes lines down until nobody can send any more.
pub(crate) async fn write(registry: Registry, mut lines: mpsc::Receiver<Line>) {
    let mut batch = Vec::with_capacity(BATCH);
    while lines.recv_many(&mut batch, BATCH).await > 0 {
        let (registry, written) = (registry.clone(), std::mem::take(&mut batch));
        // The failure is on standard error; the next lines are tried again.
        let _ = blocking(move || {
            let entries: Vec<AuditEntry<'_>> = written
                .iter()
                .map(|line| AuditEntry {
                    actor: &line.actor,
                    action: &line.action,
                    target: &line.target,
                    outcome: line.outcome,
                    detail: &line.detail,
                })
                .collect();
            Ok(registry.audit(&entries)?)
        })
        .await;
    }
}
