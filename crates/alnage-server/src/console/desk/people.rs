//! People, services, tokens, and the audit.

use alnage_registry::{
    AuditRecord, Page,
    people::{Account, Grant, NewToken, Place as At, Role, Token},
};
use axum::{extract::State as Shared, response::Response};
use serde::Deserialize;

use crate::{
    auth::{Caller, projects_of},
    console::{
        address,
        pages::{Audit, AuditRow, Choice, Pages, People, PersonRow, TokenRow},
        parts::{InQuery, Link, Mark, Moment, Place, Tone, Until},
        respond,
    },
    core::{Answered, Failure, Form, Path, Query, State},
};

const ROWS: usize = 200;
const AUDIT_ROWS: u32 = 100;
const DAY: u64 = 86_400;

/// What stands after `?`.
#[derive(Deserialize, Default)]
pub(super) struct Wanted {
    #[serde(default)]
    done: String,
    #[serde(default)]
    who: String,
    #[serde(default)]
    before: String,
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Answered<Response> {
    respond::page(move || load(&state, &caller, String::new(), &wanted.done)).await
}

fn load(state: &State, caller: &Caller, fresh: String, done: &str) -> Answered<People> {
    let admin = caller.may(Role::SecurityAdmin, At::Everywhere);
    let whose = if admin { None } else { Some(&*caller.name) };
    let tokens = state.people.tokens(whose, i64::MAX, ROWS)?;
    let people = if admin { state.people.accounts("", ROWS)? } else { Vec::new() };
    let scopes = [("consumer", "Read"), ("publisher", "Read and write"), ("all", "Everything I may")];
    let scopes = scopes.iter().enumerate().map(|(at, (value, label))| Choice {
        value: (*value).to_owned(),
        label: (*label).to_owned(),
        chosen: at == 0,
    });
    Ok(People {
        frame: respond::frame(state, caller, "People and tokens", Place::People, done)?,
        fresh,
        tokens: tokens.iter().map(token_row).collect(),
        scopes: scopes.collect(),
        sees_people: admin,
        people: people.iter().map(person_row).collect(),
    })
}

fn token_row(token: &Token) -> TokenRow {
    let scopes = match token.projects.as_slice() {
        [] => token.ceiling.to_string(),
        projects => format!("{} in {}", token.ceiling, projects.join(", ")),
    };
    TokenRow {
        name: token.name.clone(),
        of: token.account.clone(),
        scopes: format!("up to {scopes}"),
        until: Until(token.expires),
        used: Moment(token.used.unwrap_or(0)),
        action: format!("/console/people/tokens/{}/withdraw", token.id),
    }
}

fn person_row(account: &Account) -> PersonRow {
    let word = |grant: &Grant| match &grant.project {
        Some(project) => format!("{} of {project}", grant.role),
        None => grant.role.to_string(),
    };
    let roles: Vec<String> = account.roles.0.iter().map(word).collect();
    PersonRow {
        name: account.name.clone(),
        kind: account.kind.as_str().to_owned(),
        roles: if account.disabled { "shut out".to_owned() } else { roles.join(", ") },
        by: account.subject.clone().unwrap_or_else(|| "token".to_owned()),
        seen: Moment(account.created),
    }
}

/// What the form of a token sends.
#[derive(Deserialize)]
pub(super) struct NewOne {
    name: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    days: u64,
}

pub(super) async fn add_token(
    Shared(state): Shared<State>,
    caller: Caller,
    Form(form): Form<NewOne>,
) -> Answered<Response> {
    respond::page(move || {
        let ceiling = match &*form.scope {
            "consumer" => Role::Consumer,
            "publisher" => Role::Publisher,
            "all" => highest(&caller),
            _ => {
                return Err(Failure::invalid(
                    "a token may read, or read and write, or do everything you may",
                ));
            }
        };
        // Nobody makes a token that does more than what they came with does, whatever their account may.
        let ceiling = if caller.may(ceiling, At::Anywhere) { ceiling } else { highest(&caller) };
        let days = form.days.clamp(1, 366);
        let new = NewToken {
            ceiling,
            projects: projects_of(&caller)?,
            expires: Some(state.now().saturating_add(days * DAY)),
            ..NewToken::of(&*caller.name, form.name.trim())
        };
        let (_, secret) = state.people.add_token(&new)?;
        load(&state, &caller, secret.reveal().to_owned(), "")
    })
    .await
}

fn highest(caller: &Caller) -> Role {
    let roles = caller.roles.0.iter().map(|grant| grant.role);
    roles.max_by_key(|role| (*role == Role::SecurityAdmin, *role)).unwrap_or(Role::Viewer)
}

pub(super) async fn end_token(
    Shared(state): Shared<State>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answered<Response> {
    respond::done(move || {
        let id: i64 = id.parse().map_err(|_| Failure::not_found("such token"))?;
        let admin = caller.may(Role::SecurityAdmin, At::Everywhere);
        state.people.end_token(id, if admin { None } else { Some(&caller.name) })?;
        Ok("/console/people?done=withdrawn".to_owned())
    })
    .await
}

pub(super) async fn audit(
    Shared(state): Shared<State>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Answered<Response> {
    respond::page(move || {
        let who = wanted.who.trim();
        let page = Page { after: &wanted.before, limit: AUDIT_ROWS };
        let found = state.registry.audit_log(if who.is_empty() { None } else { Some(who) }, page)?;
        let next = found.last().filter(|_| found.len() as u32 >= AUDIT_ROWS);
        let address = |before: &str| format!("/console/audit?who={}{before}", InQuery(who));
        Ok(Audit {
            frame: respond::frame(&state, &caller, "Audit", Place::Audit, "")?,
            who: who.to_owned(),
            rows: found.iter().map(audit_row).collect(),
            pages: Pages {
                first: if wanted.before.is_empty() { String::new() } else { address("") },
                next: next.map_or_else(String::new, |last| address(&format!("&before={}", last.id))),
            },
        })
    })
    .await
}

fn audit_row(record: &AuditRecord) -> AuditRow {
    let answer = match &*record.outcome {
        "done" | "ok" | "allowed" | "served" => Mark::new("Done", Tone::Good),
        "waits" | "wait" => Mark::new("Waits", Tone::Wait),
        "refused" | "denied" | "forbidden" => Mark::new("Refused", Tone::Bad),
        "failed" | "error" => Mark::new("Failed", Tone::Look),
        _ => Mark::new("Other", Tone::Quiet),
    };
    AuditRow {
        when: Moment(record.at),
        who: if record.actor.is_empty() { "nobody in particular".to_owned() } else { record.actor.clone() },
        did: if record.detail.is_empty() {
            record.action.clone()
        } else {
            format!("{}: {}", record.action, record.detail)
        },
        subject: if record.target.is_empty() {
            Link::default()
        } else {
            address::subject_link(&record.target)
        },
        address: record.address.clone(),
        answer,
    }
}
