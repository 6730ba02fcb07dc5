//! What was given out a moment ago is given again before the request goes through the router, whose layers cost more
//! than all the rest of so short an answer. Who may have it, what the audit is told and what is counted are the same.

use std::time::Instant;

use alnage_registry::{Version, people::Place};
use axum::{
    http::{Method, Request, header},
    response::Response,
};
use tokio::sync::mpsc::error::TrySendError;

use super::{origin, question};
use crate::{
    auth::{self, Caller},
    core::{Door, State, audit::Line, layers, routes},
};

/// The answer that is kept for a request, if there is one and whoever asks may have it.
pub(crate) fn shortcut<B>(state: &State, request: &Request<B>) -> Option<Response> {
    let begun = Instant::now();
    let (method, headers) = (request.method(), request.headers());
    if ![Method::GET, Method::HEAD].contains(method)
        || !state.hub.is_known_fresh(state.registry.database().written())
    {
        return None;
    }
    let caller = caller(state, request)?;
    let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
    let question = question(method, headers, &origin(state, headers), path, query)?;
    let may = |version: &Version| {
        let project = alnage_registry::project_of(&version.name);
        caller.may(super::TO_READ, Place::Project(project))
    };
    let mut response = state.hub.answer(&question, method, state.registry.now(), may)?;
    let id = layers::request_id(headers);
    layers::complete(&mut response, &id);
    if let Some(line) = Line::of(caller, Door::Hub, method, path, response.status(), id) {
        // The router waits until there is room for a line.
        if let Err(TrySendError::Full(_)) = state.audit.try_send(line) {
            return None;
        }
    }
    state.metrics.count(Door::Hub, response.status().as_u16(), begun.elapsed());
    Some(response)
}

/// Who asks, where that is known without asking the records.
fn caller<B>(state: &State, request: &Request<B>) -> Option<Caller> {
    let (headers, address) = (request.headers(), layers::address(request));
    let caller = match auth::shown(headers) {
        Some(shown) => Caller::of(state.people.recalled(&shown)?, address),
        None if headers.contains_key(header::COOKIE) => return None,
        None => Caller::anonymous(address),
    };
    Some(routes::opened(caller, routes::is_open(state, Door::Hub)))
}
