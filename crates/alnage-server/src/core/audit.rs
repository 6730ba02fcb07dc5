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
    caller: Caller,
    door: Door,
    method: Method,
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
        caller: Caller,
        door: Door,
        method: &Method,
        path: &str,
        status: StatusCode,
        request: String,
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
            caller,
            door,
            method: method.clone(),
            target: printable(path),
            outcome,
            status: status.as_u16(),
            request,
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
                .map(|told| AuditEntry {
                    actor: &told.actor,
                    action: &told.action,
                    target: &told.line.target,
                    outcome: told.line.outcome,
                    detail: &told.detail,
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

/// Lines that are alike, in words.
struct Told<'l> {
    line: &'l Line,
    actor: Actor,
    action: String,
    detail: String,
}

/// The lines, those alike as one, in the order in which they came first.
fn folded(lines: &[Line]) -> Vec<Told<'_>> {
    let mut told: Vec<(&Line, u64)> = Vec::new();
    let mut places = HashMap::new();
    for line in lines {
        let Line { caller, door, method, target, status, .. } = line;
        let alike = (&caller.name, caller.address, *door, method, target, status);
        let place = if line.reads { *places.entry(alike).or_insert(told.len()) } else { told.len() };
        match told.get_mut(place) {
            Some((_, more)) => *more += 1,
            None => told.push((line, 0)),
        }
    }
    told.into_iter().map(|(line, more)| in_words(line, more)).collect()
}

fn in_words(line: &Line, more: u64) -> Told<'_> {
    Told {
        line,
        actor: line.caller.actor(),
        action: format!("{} {}", line.door, line.method),
        detail: match more {
            0 => format!("{} {}", line.status, line.request),
            more => format!("{} {} and {more} more", line.status, line.request),
        },
    }
}

/// A path as records have it.
fn printable(path: &str) -> String {
    if path.len() <= LONGEST && path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return path.to_owned();
    }
    path.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_alike_are_one_line_and_changes_are_each_their_own() {
        let line = |method: Method, path: &str, request: &str| {
            let caller = Caller::anonymous([127, 0, 0, 1].into());
            Line::of(caller, Door::Hub, &method, path, StatusCode::OK, request.to_owned()).unwrap()
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
            folded(&lines).into_iter().map(|told| (told.line.target.as_str(), told.detail)).collect();
        let wanted = [(one, "200 1 and 2 more"), (one, "200 2"), (other, "200 3"), (one, "200 5")];
        assert_eq!(told, wanted.map(|(target, detail)| (target, detail.to_owned())));
    }
}
