//! Requests for approval, and votes about them.

use alnage_registry::{FindingQuery, Page, Request, RequestState, Version, Vote, VoteKind, people::Role};
use axum::{extract::State as Shared, response::Response};
use serde::Deserialize;

use super::{actor, may, must, rows};
use crate::{
    auth::Caller,
    console::{
        address,
        pages::{Pages, Review, ReviewRow, Reviews, VoteRow},
        parts::{Count, Link, Mark, Moment, Place, Tone, Until, day},
        respond,
    },
    core::{Answered, Failure, Form, Path, Query, State},
};

pub(super) const DAY: u64 = 86_400;
/// How long an approval holds unless somebody says otherwise, in days.
const APPROVED: u64 = 90;
const ROWS: u32 = 200;

/// What stands after `?`.
#[derive(Deserialize, Default)]
pub(super) struct Wanted {
    #[serde(default)]
    done: String,
    #[serde(default)]
    after: String,
}

pub(super) async fn list(
    Shared(state): Shared<State>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Answered<Response> {
    respond::page(move || {
        let page = Page { after: &wanted.after, limit: ROWS };
        let found = state.registry.requests(Some(RequestState::Open), page)?;
        let next = found.last().filter(|_| found.len() as u32 >= ROWS).map(|(request, _)| request.id);
        let now = state.registry.now();
        let mut shown: Vec<ReviewRow> = found
            .iter()
            .filter(|(_, version)| may(&caller, Role::Viewer, &version.name))
            .map(|(request, version)| row(request, version, now))
            .collect();
        // The one that has waited longest stands first.
        shown.reverse();
        Ok(Reviews {
            frame: respond::frame(&state, &caller, "Reviews", Place::Reviews, &wanted.done)?,
            rows: shown,
            pages: Pages {
                first: if wanted.after.is_empty() { String::new() } else { "/console/reviews".to_owned() },
                next: next.map_or_else(String::new, |id| format!("/console/reviews?after={id}")),
            },
        })
    })
    .await
}

fn row(request: &Request, version: &Version, now: u64) -> ReviewRow {
    let count = |kind: VoteKind| request.votes.iter().filter(|vote| vote.vote == kind).count();
    let votes = match (count(VoteKind::Approve), request.needed) {
        (0, _) => String::new(),
        (given, needed) => format!("{given} of {needed} approved"),
    };
    ReviewRow {
        model: address::link(version),
        version: address::short(version),
        verdict: rows::verdict(version),
        who: request.requester.clone(),
        votes,
        reason: request.reason.clone(),
        since: Moment(request.created).before(now),
        href: format!("/console/reviews/{}", request.id),
    }
}

/// A vote as a row.
pub(super) fn vote_row(vote: &Vote) -> VoteRow {
    let mark = match vote.vote {
        VoteKind::Approve => Mark::new("Approved", Tone::Good),
        VoteKind::Deny => Mark::new("Denied", Tone::Bad),
    };
    VoteRow {
        who: vote.voter.clone(),
        mark,
        reason: vote.reason.clone(),
        conditions: vote.conditions.clone(),
        until: Until(vote.expires),
        when: Moment(vote.at),
    }
}

/// The request that an address names, with its version, if the reader may see it.
fn named(state: &State, caller: &Caller, id: &str) -> Answered<(Request, Version)> {
    let absent = || Failure::not_found("such request");
    if caller.is_anonymous() {
        return Err(Failure::unauthorized());
    }
    let id: i64 = id.parse().map_err(|_| absent())?;
    let request = state.registry.request(id)?.ok_or_else(absent)?;
    let version = state.registry.version_by_id(request.version)?.ok_or_else(absent)?;
    must(caller, Role::Viewer, &version)?;
    Ok((request, version))
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answered<Response> {
    respond::page(move || {
        let (request, version) = named(&state, &caller, &id)?;
        load(&state, &caller, request, &version)
    })
    .await
}

fn load(state: &State, caller: &Caller, request: Request, version: &Version) -> Answered<Review> {
    let registry = &state.registry;
    let scan = version.scan.map_or(Ok(None), |id| registry.scan(id))?;
    let query = FindingQuery { version: Some(version.id), code: None, severity: None };
    let findings = registry.findings(query, Page::first(20))?;
    let mark = rows::verdict(version);
    let answer = match version.verdict.map(|verdict| verdict.as_str()) {
        Some("pass") => "Nothing was found, and the policy asks for a person",
        Some("unknown") => "Not everything could be understood",
        Some("review") => "A person must look",
        Some("block") => "Loading it would execute, escape or mislead",
        _ => "It has not been scanned yet",
    };
    let now = registry.now();
    let given = request.votes.iter().filter(|vote| vote.vote == VoteKind::Approve).count();
    Ok(Review {
        frame: respond::frame(state, caller, "Review", Place::Reviews, "")?,
        number: request.id.to_string(),
        model: address::link(version),
        version: address::short(version),
        who: request.requester.clone(),
        when: Moment(request.created),
        verdict: mark,
        answer: answer.to_owned(),
        because: respond::sentence(&version.reason),
        reasons: scan.as_ref().map(|scan| rows::reasons(&scan.decision)).unwrap_or_default(),
        reason: request.reason.clone(),
        findings_total: Count(findings.len() as u64),
        findings: findings.iter().map(rows::finding).collect(),
        evidence: Link::new("All evidence", address::link(version).href),
        votes: request.votes.iter().map(vote_row).collect(),
        refusal: refusal(caller, &request, version),
        action: format!("/console/reviews/{}", request.id),
        earliest: Moment(now + DAY).day(),
        until: Moment(request.expires.unwrap_or(now + APPROVED * DAY)).day(),
        four_eyes: match request.needed {
            1 => "Another person than the one who asks has to approve it. A denial ends the request."
                .to_owned(),
            needed => format!(
                "{needed} people other than the one who asks have to approve it; {given} did. A denial ends the request."
            ),
        },
    })
}

/// Why the reader cannot decide about a request.
fn refusal(caller: &Caller, request: &Request, version: &Version) -> Option<String> {
    let text = if request.state != RequestState::Open {
        format!("This request was {} already.", request.state.as_str())
    } else if !may(caller, Role::Reviewer, &version.name) {
        "A reviewer of this project decides about it.".to_owned()
    } else if caller.name == request.requester {
        "You asked for this approval. Somebody else has to decide about it.".to_owned()
    } else if caller.name == version.author {
        "You brought this version here. Somebody else has to decide about it.".to_owned()
    } else {
        return None;
    };
    Some(text)
}

/// What the form of a decision sends.
#[derive(Deserialize)]
pub(super) struct Decision {
    vote: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    until: String,
    #[serde(default)]
    conditions: String,
}

pub(super) async fn vote(
    Shared(state): Shared<State>,
    caller: Caller,
    Path(id): Path<String>,
    Form(form): Form<Decision>,
) -> Answered<Response> {
    respond::done(move || {
        let (request, version) = named(&state, &caller, &id)?;
        must(&caller, Role::Reviewer, &version)?;
        let kind = match &*form.vote {
            "approve" => VoteKind::Approve,
            "deny" => VoteKind::Deny,
            _ => return Err(Failure::invalid("a vote approves or denies")),
        };
        let until = end_of(&form.until)?;
        let conditions = form.conditions.trim();
        if !conditions.is_empty() {
            alnage_policy::Condition::parse(conditions)
                .map_err(|error| Failure::invalid(error.to_string()))?;
        }
        state.registry.vote(request.id, kind, &form.reason, until, conditions, &actor(&caller))?;
        let done = if kind == VoteKind::Approve { "approved" } else { "denied" };
        Ok(format!("{}?done={done}", address::link(&version).href))
    })
    .await
}

/// The last second of a day that a form names; none when it names none.
pub(super) fn end_of(text: &str) -> Answered<Option<u64>> {
    if text.is_empty() {
        return Ok(None);
    }
    let begin = day(text)
        .ok_or_else(|| Failure::invalid(format!("`{text:.20}` is no day: write it as 2026-12-31")))?;
    Ok(Some(begin + DAY - 1))
}

/// The version that somebody wrote down: `acme/tiny@commit`, with or without `model/` before it.
pub(super) fn find(state: &State, caller: &Caller, text: &str) -> Answered<Version> {
    let text = text.trim();
    let known = match address::subject(text) {
        Some((kind, name, commit)) => state.registry.version(kind, name, commit.unwrap_or("main"))?,
        None => None,
    };
    let found = match known {
        Some(version) => Some(version),
        None => {
            let (name, revision) = text.split_once('@').unwrap_or((text, "main"));
            match state.registry.version(alnage_registry::Kind::Model, name, revision)? {
                Some(version) => Some(version),
                None => state.registry.version(alnage_registry::Kind::Dataset, name, revision)?,
            }
        }
    };
    found.filter(|version| may(caller, Role::Viewer, &version.name)).ok_or_else(|| {
        Failure::not_found(format_args!("version `{text:.200}`: write it as namespace/name@commit"))
    })
}
