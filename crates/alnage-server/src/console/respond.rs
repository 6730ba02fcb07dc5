//! Pages as responses, and failures as pages.

use alnage_registry::people::{Grant, Role};
use askama::Template;
use axum::{
    http::{Method, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Redirect, Response},
};

use super::{
    pages,
    parts::{Frame, InQuery, Link, Notice, Place},
};
use crate::{
    auth::Caller,
    core::{Answered, Door, Failure, State, blocking, layers::RequestId},
};

/// Runs what asks the registry, and writes the page down.
pub(super) async fn page<T: Template>(
    work: impl FnOnce() -> Answered<T> + Send + 'static,
) -> Answered<Response> {
    blocking(move || html(StatusCode::OK, &work()?)).await
}

fn html(status: StatusCode, page: &impl Template) -> Answered<Response> {
    let text = page.render().map_err(Failure::internal)?;
    let kind = (header::CONTENT_TYPE, "text/html; charset=utf-8");
    // Pages hold what their reader may see: nobody in between keeps them.
    Ok((status, [kind, (header::CACHE_CONTROL, "no-store")], text).into_response())
}

/// Does something, and goes to a page that says so.
pub(super) async fn done(work: impl FnOnce() -> Answered<String> + Send + 'static) -> Answered<Response> {
    let address = blocking(work).await?;
    Ok(Redirect::to(&address).into_response())
}

/// What just happened, by the word that stands in the address. Words of others have no sentence here.
const NOTICES: [(&str, &str); 9] = [
    ("approved", "Your approval is kept. The transparency log has it when enough people have decided."),
    ("denied", "Denied. Whoever asked sees your reason."),
    ("asked", "The request waits for a decision."),
    ("moved", "The stage is changed, and the transparency log has an entry about it."),
    ("revoked", "Revoked. Clients are refused from now on, and owners of what was made from it are told."),
    ("excepted", "The exception is in force, and the policy has decided again."),
    ("withdrawn", "The token is withdrawn. Whoever has it is refused from now on."),
    ("signed-in", "The terminal is signed in as you."),
    ("ended", "The exception has ended, and the policy has decided again."),
];

/// What surrounds a page.
pub(super) fn frame(
    state: &State,
    caller: &Caller,
    title: &str,
    place: Place,
    done: &str,
) -> Answered<Frame> {
    let waiting = state.registry.database().read(|connection| {
        let row = connection.query_one("SELECT count(*) FROM requests WHERE state = 'open'", &[])?;
        row.map_or(Ok(0), |row| row.int(0))
    })?;
    let notice = NOTICES.iter().find(|(word, _)| *word == done).map(|(_, text)| Notice::done(*text));
    Ok(Frame { waiting: u64::try_from(waiting).unwrap_or(0), notice, ..bare(caller, title, place) })
}

fn bare(caller: &Caller, title: &str, place: Place) -> Frame {
    Frame {
        title: title.to_owned(),
        place,
        name: caller.name.clone(),
        role: role(&caller.roles.0),
        csrf: caller.csrf.clone().unwrap_or_default(),
        waiting: 0,
        notice: None,
    }
}

/// The highest role and where it is held, in words.
fn role(grants: &[Grant]) -> String {
    let word =
        |role: Role| if role == Role::SecurityAdmin { "security administrator" } else { role.as_str() };
    if let Some(highest) = grants.iter().filter(|grant| grant.project.is_none()).map(|grant| grant.role).max()
    {
        return word(highest).to_owned();
    }
    let projects: Vec<&str> = grants.iter().filter_map(|grant| grant.project.as_deref()).collect();
    match (grants.iter().map(|grant| grant.role).max(), projects.as_slice()) {
        (Some(highest), [one]) => format!("{} of {one}", word(highest)),
        (Some(highest), many) => format!("up to {}, in {} projects", word(highest), many.len()),
        (None, _) => "no role yet".to_owned(),
    }
}

/// A page that a browser asked for, in case that a failure is to be shown instead.
pub(crate) struct Asked {
    caller: Caller,
    /// Where to come back to after signing in.
    next: String,
    request: String,
}

impl Asked {
    /// What is asked for, if that is a page and a browser asks.
    pub(crate) fn of(door: Door, caller: &Caller, head: &Parts) -> Option<Self> {
        let accepts = head.headers.get(header::ACCEPT).and_then(|accepts| accepts.to_str().ok());
        if door != Door::Console || !accepts.is_some_and(|accepts| accepts.contains("text/html")) {
            return None;
        }
        let reads = head.method == Method::GET;
        let next = head.uri.path_and_query().filter(|_| reads).map(ToString::to_string);
        let id = head.extensions.get::<RequestId>().map(|id| id.0.clone());
        Some(Self { caller: caller.clone(), next: next.unwrap_or_default(), request: id.unwrap_or_default() })
    }

    /// The response, or a page in its place that says what failed. Strangers are sent to sign in.
    pub(crate) fn present(self, response: Response) -> Response {
        let Some(failure) = response.extensions().get::<Failure>() else { return response };
        if failure.status == StatusCode::UNAUTHORIZED {
            return Redirect::to(&format!("/console/sign-in?next={}", InQuery(&self.next))).into_response();
        }
        shown(failure, &self.caller, &self.request).unwrap_or(response)
    }
}

fn shown(failure: &Failure, caller: &Caller, request: &str) -> Option<Response> {
    let what = match failure.status.as_u16() {
        403 => "You cannot do this",
        404 => "There is no such page",
        409 => "It has changed meanwhile",
        413 => "This is too large",
        429 => "Too many attempts",
        503 => "This does not answer now",
        500..=599 => "Something broke",
        _ => "This cannot be done",
    };
    let why = match failure.status.as_u16() {
        404 => "Nothing is at this address, or it is in a project that you cannot see.".to_owned(),
        500 => "The server could not make this page. Its log says why.".to_owned(),
        _ => sentence(&failure.message),
    };
    let page = pages::Failure {
        frame: bare(caller, what, Place::Elsewhere),
        what,
        why,
        way_out: vec![Link::new("Overview", "/console"), Link::new("All models", "/console/models")],
        request: if failure.status.is_server_error() { request.to_owned() } else { String::new() },
    };
    let mut shown = html(failure.status, &page).ok()?;
    for (name, value) in &failure.headers {
        shown.headers_mut().insert(name.clone(), value.clone());
    }
    Some(shown)
}

/// A message with a capital letter and a full stop.
pub(super) fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let Some(first) = letters.next() else { return String::new() };
    let end = if message.ends_with(['.', '?', ':']) { "" } else { "." };
    first.to_uppercase().chain(letters).collect::<String>() + end
}
