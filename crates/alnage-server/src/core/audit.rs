//! Who did and who read what: written down behind the requests, many lines at a time, none lost but with the machine.

use std::{collections::HashMap, time::Duration};

use alnage_registry::{Actor, AuditEntry, Registry};
use axum::http::{Method, StatusCode};
use tokio::sync::mpsc;

use super::{Door, blocking};
use crate::auth::Caller;

/// Lines that wait; more make requests wait.
const WAITING: usize = 4096;
const BATCH: usize = WAITING;
/// From so many lines at once on, there is a pause before the next are written.
const MANY: usize = 64;
const PAUSE: Duration = Duration::from_millis(20);
/// A path is kept so far.
const LONGEST: usize = 500;

/// A line to write down.
pub(crate) struct Line {
    actor: Actor,
    action: String,
    target: String,
    outcome: &'static str,
    status: u16,
    request: String,
    /// Nothing was changed: when many ask for the same at once, one line says how many.
    reads: bool,
}

impl Line {
    /// The line for an answered request, if there is to be one: for everything that changes something, for bytes that
    /// are given out, and for what known callers ask of the API.
    pub(crate) fn of(
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
            status: status.as_u16(),
            request: request.to_owned(),
            reads,
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
        let many = written.len() >= MANY;
        // The failure is on standard error; the next lines are tried again.
        let _ = blocking(move || {
            let told = folded(&written);
            let entries: Vec<AuditEntry<'_>> = told
                .iter()
                .map(|(line, detail)| AuditEntry {
                    actor: &line.actor,
                    action: &line.action,
                    target: &line.target,
                    outcome: line.outcome,
                    detail,
                })
                .collect();
            Ok(registry.audit(&entries)?)
        })
        .await;
        if many {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// The lines and their details, those alike as one, in the order in which they came first.
fn folded(lines: &[Line]) -> Vec<(&Line, String)> {
    let mut told: Vec<(&Line, u64)> = Vec::new();
    let mut places = HashMap::new();
    for line in lines {
        let Line { actor, action, target, status, .. } = line;
        let alike = (&actor.name, &actor.address, action, target, status);
        let place = if line.reads { *places.entry(alike).or_insert(told.len()) } else { told.len() };
        match told.get_mut(place) {
            Some((_, more)) => *more += 1,
            None => told.push((line, 0)),
        }
    }
    let detail = |line: &Line, more: u64| match more {
        0 => format!("{} {}", line.status, line.request),
        more => format!("{} {} and {more} more", line.status, line.request),
    };
    told.into_iter().map(|(line, more)| (line, detail(line, more))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_alike_are_one_line_and_changes_are_each_their_own() {
        let line = |method: Method, path: &str, request: &str| {
            let caller = Caller::anonymous([127, 0, 0, 1].into());
            Line::of(&caller, Door::Hub, &method, path, StatusCode::OK, request).unwrap()
        };
        let (one, other) = ("/a/b/resolve/main/config.json", "/a/b/resolve/main/model.safetensors");
        let lines = [
            line(Method::GET, one, "1"),
            line(Method::POST, one, "2"),
            line(Method::GET, other, "3"),
            line(Method::GET, one, "4"),
            line(Method::POST, one, "5"),
            line(Method::GET, one, "6"),
        ];
        let told: Vec<_> =
            folded(&lines).into_iter().map(|(line, detail)| (line.target.as_str(), detail)).collect();
        let wanted = [(one, "200 1 and 2 more"), (one, "200 2"), (other, "200 3"), (one, "200 5")];
        assert_eq!(told, wanted.map(|(target, detail)| (target, detail.to_owned())));
    }
}
