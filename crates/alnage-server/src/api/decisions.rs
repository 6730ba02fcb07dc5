//! What people decide: approvals, stages, exceptions, revocations, and what those reach.

use alnage_registry::{
    Downstream, Exception, NewException, NewRequest, Page, Request, RequestState, Revocation, Revoked, Stage,
    Version, VoteKind,
    people::{Place, Role},
    project_of,
};
use axum::{extract::State as Shared, http::StatusCode};
use serde::{Deserialize, Serialize};

use super::{
    common::{List, Named, rows, sees, version_for},
    version_path,
};
use crate::{
    auth::Caller,
    core::{Access, Answered, Ask, Failure, Json, Last, On, Path, Query, Route, State, blocking},
};

const VIEW: Access = Access::Role(Role::Viewer, On::Segment("project"));
const REVIEW: Access = Access::Role(Role::Reviewer, On::Segment("project"));

const APPROVAL: &[Ask] = &[Ask::role(Role::Viewer, "/api/v1/approvals/{approval}")];
const VOTE: &[Ask] = &[Ask::role(Role::Reviewer, "/api/v1/approvals/{approval}/votes")
    .body(r#"{"vote": "approve", "reason": "read"}"#)];

pub(super) fn routes() -> Vec<Route> {
    const APPROVALS: &str = version_path!("/approvals");
    const EXCEPTIONS: &str = version_path!("/exceptions");
    vec![
        Route::get(
            "/api/v1/approvals",
            Access::Role(Role::Viewer, On::Anywhere),
            "Approvals that were asked for, the newest first",
            approvals,
        )
        .query::<ApprovalsQuery>()
        .gives::<List<Asked>>(),
        Route::get(
            "/api/v1/approvals/{id}",
            Access::Asked(APPROVAL),
            "An approval, and who said what",
            approval,
        )
        .gives::<Asked>(),
        Route::post(
            "/api/v1/approvals/{id}/votes",
            Access::Asked(VOTE),
            "Approve or deny; nobody decides about what they asked for or brought",
            vote,
        )
        .takes::<NewVote>()
        .gives::<Asked>(),
        Route::get(APPROVALS, VIEW, "Approvals asked for a version", approvals_of).gives::<List<Request>>(),
        Route::post(
            APPROVALS,
            Access::Role(Role::Consumer, On::Segment("project")),
            "Ask that a version be approved",
            request,
        )
        .takes::<NewApproval>()
        .gives::<Request>()
        .success(201),
        Route::post(
            version_path!("/transitions"),
            REVIEW,
            "Move a version to another stage; what was not approved yet is approved by votes",
            transition,
        )
        .takes::<NewStage>()
        .gives::<Version>(),
        Route::get(EXCEPTIONS, VIEW, "Exceptions that were made for a version", exceptions)
            .gives::<List<Exception>>(),
        Route::post(
            EXCEPTIONS,
            REVIEW,
            "Let a rule not count for a version, for a time and a reason",
            except,
        )
        .takes::<NewExceptionBody>()
        .gives::<Exception>()
        .success(201),
        Route::delete(version_path!("/exceptions/{exception}"), REVIEW, "End an exception", end_exception)
            .success(204),
        Route::get(
            version_path!("/blast-radius"),
            VIEW,
            "What is made from a version, however far, and where it runs",
            radius_of,
        )
        .gives::<List<Downstream>>(),
        Route::get(
            "/api/v1/blast-radius",
            Access::Role(Role::Viewer, On::Everywhere),
            "What is made from a subject, however far, and where it runs",
            radius,
        )
        .query::<SubjectQuery>()
        .gives::<List<Downstream>>(),
        Route::get(
            "/api/v1/revocations",
            Access::Role(Role::Viewer, On::Everywhere),
            "What must not be used any more",
            revocations,
        )
        .gives::<List<Revocation>>(),
        Route::post(
            "/api/v1/revocations",
            Access::Role(Role::Reviewer, On::Everywhere),
            "Revoke a model, a version, a file, a dataset: everything it names is given out no more",
            revoke,
        )
        .takes::<NewRevocation>()
        .gives::<Revoked>(),
        Route::delete(
            "/api/v1/revocations",
            Access::Role(Role::SecurityAdmin, On::Everywhere),
            "Take a revocation back",
            unrevoke,
        )
        .query::<SubjectQuery>()
        .success(204),
    ]
}

/// A time in seconds since 1970 is below this: what lies beyond cannot be stored.
const LATEST: u64 = 253_402_300_800;

fn time(at: Option<u64>) -> Answered<Option<u64>> {
    match at {
        Some(at) if at > LATEST => {
            Err(Failure::invalid("a time is in seconds since 1970, before the year 10000"))
        }
        at => Ok(at),
    }
}

fn text(text: &str) -> Answered<&str> {
    if text.len() > 10_000 || text.contains('\0') {
        Err(Failure::invalid("a text has up to 10,000 bytes, and no zero"))
    } else {
        Ok(text)
    }
}

/// An approval with what it is about.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Asked {
    #[serde(flatten)]
    request: Request,
    /// The version
    model: Version,
}

/// Which approvals.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct ApprovalsQuery {
    /// How they stand; all when left out
    state: Option<RequestState>,
    /// What the page before gave as `next`
    after: Option<String>,
    /// Rows, at most 1000
    limit: Option<u32>,
}

async fn approvals(
    Shared(state): Shared<State>,
    caller: Caller,
    Query(query): Query<ApprovalsQuery>,
) -> Answered<Json<List<Asked>>> {
    blocking(move || {
        let limit = rows(query.limit);
        let page = Page { after: query.after.as_deref().unwrap_or_default(), limit };
        let found = state.registry.requests(query.state, page)?;
        let asked = found.into_iter().map(|(request, model)| Asked { request, model }).collect();
        let mut list = List::of(asked, limit, |asked: &Asked| asked.request.id.to_string());
        list.items.retain(|asked| sees(&caller, project_of(&asked.model.name)));
        Ok(Json(list))
    })
    .await
}

fn request_of(state: &State, caller: &Caller, id: &str, role: Role) -> Answered<(Request, Version)> {
    let absent = || Failure::not_found(format_args!("approval `{id}`"));
    let id: i64 = id.parse().map_err(|_| absent())?;
    let request = state.registry.request(id)?.ok_or_else(absent)?;
    let version = version_for(state, caller, request.version, role)?;
    Ok((request, version))
}

async fn approval(
    Shared(state): Shared<State>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answered<Json<Asked>> {
    blocking(move || {
        let (request, model) = request_of(&state, &caller, &id, Role::Viewer)?;
        Ok(Json(Asked { request, model }))
    })
    .await
}

/// Yes or no.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct NewVote {
    /// `approve` or `deny`
    vote: VoteKind,
    /// Why
    reason: String,
    /// Until when the approval holds at most, in seconds since 1970
    expires: Option<u64>,
    /// Under which conditions
    #[serde(default)]
    conditions: String,
}

async fn vote(
    Shared(state): Shared<State>,
    caller: Caller,
    Path(id): Path<String>,
    Json(vote): Json<NewVote>,
) -> Answered<Json<Asked>> {
    blocking(move || {
        let (request, version) = request_of(&state, &caller, &id, Role::Reviewer)?;
        let (reason, conditions) = (text(&vote.reason)?, text(&vote.conditions)?);
        let request = state.registry.vote(
            request.id,
            vote.vote,
            reason,
            time(vote.expires)?,
            conditions,
            &caller.actor(),
        )?;
        let model = state.registry.version_by_id(version.id)?.unwrap_or(version);
        Ok(Json(Asked { request, model }))
    })
    .await
}

async fn approvals_of(Shared(state): Shared<State>, named: Named) -> Answered<Json<List<Request>>> {
    blocking(move || Ok(Json(List::all(state.registry.requests_of(named.version(&state)?.id)?)))).await
}

/// An approval to ask for.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct NewApproval {
    /// What the version is needed for
    reason: String,
    /// `approved` or `production`; `approved` when left out
    stage: Option<Stage>,
    /// Until when, in seconds since 1970
    expires: Option<u64>,
    /// Under which conditions
    #[serde(default)]
    conditions: String,
}

async fn request(
    Shared(state): Shared<State>,
    caller: Caller,
    named: Named,
    Json(new): Json<NewApproval>,
) -> Answered<(StatusCode, Json<Request>)> {
    blocking(move || {
        let version = named.version(&state)?;
        let wanted = NewRequest {
            version: version.id,
            stage: new.stage.unwrap_or(Stage::Approved),
            reason: text(&new.reason)?,
            expires: time(new.expires)?,
            conditions: text(&new.conditions)?,
        };
        Ok((StatusCode::CREATED, Json(state.registry.request_approval(&wanted, &caller.actor())?)))
    })
    .await
}

/// A stage to move to.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct NewStage {
    /// The stage
    stage: Stage,
    /// Why
    reason: String,
}

async fn transition(
    Shared(state): Shared<State>,
    caller: Caller,
    named: Named,
    Json(new): Json<NewStage>,
) -> Answered<Json<Version>> {
    blocking(move || {
        let version = named.version(&state)?;
        Ok(Json(state.registry.transition(version.id, new.stage, text(&new.reason)?, &caller.actor())?))
    })
    .await
}

async fn exceptions(Shared(state): Shared<State>, named: Named) -> Answered<Json<List<Exception>>> {
    blocking(move || Ok(Json(List::all(state.registry.exceptions(named.version(&state)?.id)?)))).await
}

/// An exception to make.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct NewExceptionBody {
    /// The rule of the policy, or the code of a finding
    rule: String,
    /// For this file only
    file: Option<String>,
    /// Why
    reason: String,
    /// Until when, in seconds since 1970
    expires: u64,
}

async fn except(
    Shared(state): Shared<State>,
    caller: Caller,
    named: Named,
    Json(new): Json<NewExceptionBody>,
) -> Answered<(StatusCode, Json<Exception>)> {
    blocking(move || {
        let version = named.version(&state)?;
        time(Some(new.expires))?;
        let file = new.file.as_deref().map(text).transpose()?;
        let wanted = NewException {
            version: version.id,
            rule: text(&new.rule)?,
            file,
            reason: text(&new.reason)?,
            expires: new.expires,
        };
        Ok((StatusCode::CREATED, Json(state.registry.exception(&wanted, &caller.actor())?)))
    })
    .await
}

async fn end_exception(
    Shared(state): Shared<State>,
    caller: Caller,
    named: Named,
    Path(Last(exception)): Path<Last>,
) -> Answered<StatusCode> {
    blocking(move || {
        let version = named.version(&state)?;
        // One of this version: the path says in which project the caller may.
        let known = state.registry.exceptions(version.id)?;
        let known = known.iter().find(|known| known.id.to_string() == exception);
        let id = known.ok_or_else(|| Failure::not_found(format_args!("exception `{exception}`")))?.id;
        state.registry.end_exception(id, &caller.actor())?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

async fn radius_of(
    Shared(state): Shared<State>,
    caller: Caller,
    named: Named,
) -> Answered<Json<List<Downstream>>> {
    blocking(move || {
        let version = named.version(&state)?;
        let subject = format!("{}/{}@{}", version.kind.as_str(), version.name, version.commit);
        let mut reached = state.registry.blast_radius(&subject)?;
        reached.retain(|reached| sees(&caller, project_of(&reached.version.name)));
        Ok(Json(List::all(reached)))
    })
    .await
}

/// Something that models are made from.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct SubjectQuery {
    /// `model/acme/tiny`, `model/acme/tiny@COMMIT`, `dataset/acme/data`, `sha256:…`
    subject: String,
}

async fn radius(
    Shared(state): Shared<State>,
    Query(query): Query<SubjectQuery>,
) -> Answered<Json<List<Downstream>>> {
    blocking(move || Ok(Json(List::all(state.registry.blast_radius(&query.subject)?)))).await
}

async fn revocations(Shared(state): Shared<State>) -> Answered<Json<List<Revocation>>> {
    blocking(move || Ok(Json(List::all(state.registry.revocations()?)))).await
}

/// A revocation.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct NewRevocation {
    /// `model/acme/tiny`, `model/acme/tiny@COMMIT`, `dataset/acme/data`, `sha256:…`
    subject: String,
    /// Why
    reason: String,
}

async fn revoke(
    Shared(state): Shared<State>,
    caller: Caller,
    Json(new): Json<NewRevocation>,
) -> Answered<Json<Revoked>> {
    blocking(move || {
        caller.must(Role::Reviewer, Place::Everywhere)?;
        Ok(Json(state.registry.revoke(text(&new.subject)?, text(&new.reason)?, &caller.actor())?))
    })
    .await
}

async fn unrevoke(
    Shared(state): Shared<State>,
    caller: Caller,
    Query(query): Query<SubjectQuery>,
) -> Answered<StatusCode> {
    blocking(move || {
        state.registry.unrevoke(text(&query.subject)?, &caller.actor())?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
