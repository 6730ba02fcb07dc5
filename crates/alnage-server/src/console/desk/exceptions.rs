//! Exceptions from the policy: those in force, how one is granted and how one ends.

use alnage_registry::{
    Exception, NewException, Version,
    people::{Place as Where, Role},
};
use axum::{extract::State as Shared, response::Response};
use serde::Deserialize;

use super::{
    actor, may, must,
    reviews::{DAY, end_of, find},
};
use crate::{
    auth::Caller,
    console::{
        address,
        pages::{ExceptionRow, Exceptions, Pages},
        parts::{Mark, Moment, Place, Tone, Until},
        respond,
    },
    core::{Answered, Failure, Form, Path, Query, State, blocking},
};

/// What stands after `?`.
#[derive(Deserialize, Default)]
pub(super) struct Wanted {
    #[serde(default)]
    done: String,
    #[serde(default)]
    version: String,
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Answered<Response> {
    respond::page(move || {
        let now = state.registry.now();
        let mut shown = Vec::new();
        for exception in state.registry.open_exceptions()?.iter().take(500) {
            let Some(version) = state.registry.version_by_id(exception.version)? else { continue };
            if may(&caller, Role::Viewer, &version.name) {
                shown.push(row(&caller, exception, &version, now));
            }
        }
        Ok(Exceptions {
            frame: respond::frame(&state, &caller, "Exceptions", Place::Exceptions, &wanted.done)?,
            rows: shown,
            pages: Pages::default(),
            may_grant: caller.may(Role::Reviewer, Where::Anywhere),
            version: wanted.version,
            earliest: Moment(now + DAY).day(),
        })
    })
    .await
}

fn row(caller: &Caller, exception: &Exception, version: &Version, now: u64) -> ExceptionRow {
    let ended = exception.ended.is_some() || exception.expires <= now;
    let file = exception.file.as_deref().map(|file| format!(" in {file}")).unwrap_or_default();
    let may_end = !ended && may(caller, Role::Reviewer, &version.name);
    ExceptionRow {
        model: address::link(version),
        version: address::short(version),
        rule: format!("{}{file}", exception.rule),
        reason: exception.reason.clone(),
        who: exception.author.clone(),
        until: Until(Some(exception.expires)),
        mark: if ended { Mark::new("Ended", Tone::Quiet) } else { Mark::new("In force", Tone::Look) },
        end: if may_end { format!("/console/exceptions/{}/end", exception.id) } else { String::new() },
    }
}

/// What the form of an exception sends.
#[derive(Deserialize)]
pub(super) struct Grant {
    version: String,
    rule: String,
    #[serde(default)]
    reason: String,
    until: String,
}

pub(super) async fn grant(
    Shared(state): Shared<State>,
    caller: Caller,
    Form(form): Form<Grant>,
) -> Answered<Response> {
    if caller.is_anonymous() {
        return Err(Failure::unauthorized());
    }
    let at = state.clone();
    let reader = caller.clone();
    let version = blocking(move || {
        find(&at, &reader, &form.version).map(|version| (version, form.rule, form.reason, form.until))
    });
    let (version, rule, reason, until) = version.await?;
    respond::done(move || {
        must(&caller, Role::Reviewer, &version)?;
        let expires = end_of(&until)?.ok_or_else(|| Failure::invalid("an exception has an end"))?;
        let new =
            NewException { version: version.id, rule: rule.trim(), file: None, reason: &reason, expires };
        state.registry.exception(&new, &actor(&caller))?;
        Ok("/console/exceptions?done=excepted".to_owned())
    })
    .await
}

pub(super) async fn end(
    Shared(state): Shared<State>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answered<Response> {
    if caller.is_anonymous() {
        return Err(Failure::unauthorized());
    }
    respond::done(move || {
        let absent = || Failure::not_found("such exception; it may have ended");
        let id: i64 = id.parse().map_err(|_| absent())?;
        let open = state.registry.open_exceptions()?;
        let exception = open.iter().find(|exception| exception.id == id).ok_or_else(absent)?;
        let version = state.registry.version_by_id(exception.version)?.ok_or_else(absent)?;
        must(&caller, Role::Reviewer, &version)?;
        state.registry.end_exception(id, &actor(&caller))?;
        Ok("/console/exceptions?done=ended".to_owned())
    })
    .await
}
