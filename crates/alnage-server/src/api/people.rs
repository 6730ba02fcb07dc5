//! Accounts, tokens, the caller themselves, and the audit.

use alnage_registry::{
    AuditRecord, Page,
    people::{Account, AccountKind, Grant, NewToken, Role, Roles, Token},
};
use axum::{extract::State as Shared, http::StatusCode};
use serde::{Deserialize, Serialize};

use super::common::{List, Paging, rows};
use crate::{
    auth::{Caller, CallerKind, projects_of},
    core::{Access, Answered, Failure, Json, On, Path, Query, Route, State, blocking},
};

const ADMIN: Access = Access::Role(Role::SecurityAdmin, On::Everywhere);

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/whoami", Access::Known, "Who the caller is, and what they may do", whoami)
            .gives::<Me>(),
        Route::get(
            "/api/v1/tokens",
            Access::Known,
            "The caller's tokens; all tokens for security-admins who ask for them",
            tokens,
        )
        .query::<TokensQuery>()
        .gives::<List<TokenBody>>(),
        Route::post(
            "/api/v1/tokens",
            Access::Known,
            "Make a token for the caller, or, as security-admin, for a service account",
            add_token,
        )
        .takes::<NewTokenBody>()
        .gives::<MadeToken>()
        .success(201),
        Route::delete(
            "/api/v1/tokens/{id}",
            Access::Known,
            "End a token: one's own, or as security-admin any",
            end_token,
        )
        .success(204),
        Route::get("/api/v1/users", ADMIN, "Accounts of people and services, by name", accounts)
            .query::<Paging>()
            .gives::<List<AccountBody>>(),
        Route::post("/api/v1/users", ADMIN, "Make an account", add_account)
            .takes::<NewAccount>()
            .gives::<AccountBody>()
            .success(201),
        Route::get("/api/v1/users/{account}", ADMIN, "An account", account).gives::<AccountBody>(),
        Route::put("/api/v1/users/{account}", ADMIN, "Change an account", change_account)
            .takes::<AccountChange>()
            .gives::<AccountBody>(),
        Route::get(
            "/api/v1/audit",
            Access::Role(Role::Auditor, On::Everywhere),
            "Who did and who read what, the newest first",
            audit,
        )
        .query::<AuditQuery>()
        .gives::<List<AuditRecord>>(),
    ]
}

/// The caller.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Me {
    /// The account
    name: String,
    /// `user` or `service`
    kind: String,
    /// `reviewer`, or `acme:reviewer` in one project
    roles: Vec<String>,
}

fn words(roles: &Roles) -> Vec<String> {
    let word = |grant: &Grant| match &grant.project {
        Some(project) => format!("{project}:{}", grant.role),
        None => grant.role.to_string(),
    };
    roles.0.iter().map(word).collect()
}

fn grants(words: &[String]) -> Answered<Roles> {
    if words.len() > 1000 {
        return Err(Failure::invalid("an account has up to 1000 roles"));
    }
    let grants = words.iter().map(|word| word.parse::<Grant>());
    let grants: Vec<Grant> = grants.collect::<Result<_, _>>().map_err(Failure::invalid)?;
    let project = |grant: &Grant| {
        grant
            .project
            .as_deref()
            .is_none_or(|name| !name.is_empty() && name.len() <= 96 && !name.contains('\0'))
    };
    if !grants.iter().all(project) {
        return Err(Failure::invalid("a project has 1 to 96 characters"));
    }
    Ok(Roles(grants))
}

async fn whoami(caller: Caller) -> Json<Me> {
    let kind = if caller.kind == CallerKind::Service { "service" } else { "user" };
    Json(Me { name: caller.name.clone(), kind: kind.to_owned(), roles: words(&caller.roles) })
}

/// A token, without what proves it.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct TokenBody {
    /// Its number
    id: i64,
    /// Whose it is
    account: String,
    /// What its owner calls it
    name: String,
    /// The most that may be done with it
    role: String,
    /// The projects it is for; all when empty
    projects: Vec<String>,
    /// When it was made, in seconds since 1970
    created: u64,
    /// When it ends
    expires: Option<u64>,
    /// When it was last seen, within some minutes
    used: Option<u64>,
}

impl From<Token> for TokenBody {
    fn from(token: Token) -> Self {
        let Token { id, account, name, ceiling, projects, created, expires, used } = token;
        Self { id, account, name, role: ceiling.to_string(), projects, created, expires, used }
    }
}

/// Whose tokens.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct TokensQuery {
    /// Those of everybody
    #[serde(default)]
    all: bool,
    /// What the page before gave as `next`
    after: Option<String>,
    /// Rows, at most 1000
    limit: Option<u32>,
}

async fn tokens(
    Shared(state): Shared<State>,
    caller: Caller,
    Query(query): Query<TokensQuery>,
) -> Answered<Json<List<TokenBody>>> {
    blocking(move || {
        if query.all {
            caller.must(Role::SecurityAdmin, alnage_registry::people::Place::Everywhere)?;
        }
        let before = match query.after.as_deref() {
            None | Some("") => i64::MAX,
            Some(after) => after.parse().map_err(|_| Failure::invalid("`after` is no place in this list"))?,
        };
        let limit = rows(query.limit);
        let account = (!query.all).then_some(&*caller.name);
        let tokens = state.people.tokens(account, before, limit as usize)?;
        let tokens = tokens.into_iter().map(TokenBody::from).collect();
        Ok(Json(List::of(tokens, limit, |token: &TokenBody| token.id.to_string())))
    })
    .await
}

/// A token to make.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct NewTokenBody {
    /// What to call it
    name: String,
    /// The most that may be done with it; what its owner may, when left out
    role: Option<String>,
    /// The projects it is for; all when empty
    #[serde(default)]
    projects: Vec<String>,
    /// How long it lives
    days: Option<u32>,
    /// Whose it is; the caller's when left out
    account: Option<String>,
}

/// A token that was made.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct MadeToken {
    /// Its number
    id: i64,
    /// The token itself, shown once
    token: String,
}

async fn add_token(
    Shared(state): Shared<State>,
    caller: Caller,
    Json(new): Json<NewTokenBody>,
) -> Answered<(StatusCode, Json<MadeToken>)> {
    blocking(move || {
        let account = new.account.unwrap_or_else(|| caller.name.clone());
        if account != caller.name {
            caller.must(Role::SecurityAdmin, alnage_registry::people::Place::Everywhere)?;
        }
        let wished = match new.role.as_deref() {
            Some(role) => role.parse().map_err(Failure::invalid)?,
            None => Role::SecurityAdmin,
        };
        // Nobody makes a token that does more than the one they came with.
        if account == caller.name && !within(&caller, wished, &new.projects, new.role.is_some()) {
            return Err(Failure::forbidden("the new token would do more than you may now"));
        }
        let ceiling = if account == caller.name && new.role.is_none() { highest(&caller) } else { wished };
        let mut projects = new.projects;
        if account == caller.name && projects.is_empty() {
            // A caller who came with a token for some projects cannot make one for all.
            projects = projects_of(&caller)?;
        }
        let expires =
            new.days.map(|days| state.now().saturating_add(u64::from(days).saturating_mul(24 * 3600)));
        let token = NewToken { ceiling, projects, expires, ..NewToken::of(account, new.name) };
        let (id, secret) = state.people.add_token(&token)?;
        Ok((StatusCode::CREATED, Json(MadeToken { id, token: secret.reveal().to_owned() })))
    })
    .await
}

/// The highest role that the caller has anywhere.
fn highest(caller: &Caller) -> Role {
    caller
        .roles
        .0
        .iter()
        .map(|grant| grant.role)
        .max_by_key(|role| (*role == Role::SecurityAdmin, *role))
        .unwrap_or(Role::Viewer)
}

/// Whether a token with this ceiling in these projects does no more than the caller may.
fn within(caller: &Caller, wished: Role, projects: &[String], said: bool) -> bool {
    use alnage_registry::people::Place;
    if !said {
        return true;
    }
    if projects.is_empty() {
        return caller.may(wished, Place::Anywhere);
    }
    projects.iter().all(|project| caller.may(wished, Place::Project(project)))
}

async fn end_token(
    Shared(state): Shared<State>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answered<StatusCode> {
    blocking(move || {
        let id: i64 = id.parse().map_err(|_| Failure::not_found("token of that number"))?;
        let admin = caller.may(Role::SecurityAdmin, alnage_registry::people::Place::Everywhere);
        state.people.end_token(id, (!admin).then_some(&*caller.name))?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// An account.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct AccountBody {
    /// What it is called
    name: String,
    /// `user` or `service`
    kind: String,
    /// A name for people
    display: String,
    /// An address, where it is known
    email: String,
    /// `reviewer`, or `acme:reviewer` in one project
    roles: Vec<String>,
    /// When it was made, in seconds since 1970
    created: u64,
    /// Whether nobody may use it any more
    disabled: bool,
}

impl From<Account> for AccountBody {
    fn from(account: Account) -> Self {
        let roles = words(&account.roles);
        let Account { name, kind, display, email, created, disabled, .. } = account;
        Self { name, kind: kind.as_str().to_owned(), display, email, roles, created, disabled }
    }
}

async fn accounts(
    Shared(state): Shared<State>,
    Query(paging): Query<Paging>,
) -> Answered<Json<List<AccountBody>>> {
    blocking(move || {
        let limit = rows(paging.limit);
        let accounts = state
            .people
            .accounts(paging.after(), limit as usize)?
            .into_iter()
            .map(AccountBody::from)
            .collect();
        Ok(Json(List::of(accounts, limit, |account: &AccountBody| account.name.clone())))
    })
    .await
}

/// An account to make.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct NewAccount {
    /// What to call it
    name: String,
    /// `user` or `service`
    kind: String,
    /// `reviewer`, or `acme:reviewer` in one project
    roles: Vec<String>,
    /// A name for people
    display: Option<String>,
    /// An address
    #[serde(default)]
    email: String,
}

async fn add_account(
    Shared(state): Shared<State>,
    Json(new): Json<NewAccount>,
) -> Answered<(StatusCode, Json<AccountBody>)> {
    blocking(move || {
        let kind: AccountKind = new.kind.parse()?;
        let mut account =
            Account { email: short(new.email)?, ..Account::new(new.name, kind, grants(&new.roles)?) };
        if let Some(display) = new.display {
            account.display = short(display)?;
        }
        Ok((StatusCode::CREATED, Json(state.people.add_account(&account)?.into())))
    })
    .await
}

fn short(text: String) -> Answered<String> {
    if text.len() > 200 || text.contains('\0') {
        Err(Failure::invalid("names and addresses have up to 200 bytes"))
    } else {
        Ok(text)
    }
}

async fn account(Shared(state): Shared<State>, Path(name): Path<String>) -> Answered<Json<AccountBody>> {
    blocking(move || Ok(Json(known(&state, &name)?.into()))).await
}

fn known(state: &State, name: &str) -> Answered<Account> {
    let absent = || Failure::not_found(format_args!("account `{name}`"));
    if name.contains('\0') {
        return Err(absent());
    }
    state.people.account(name)?.ok_or_else(absent)
}

/// What changes of an account; what is left out stays.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct AccountChange {
    /// A name for people
    display: Option<String>,
    /// An address
    email: Option<String>,
    /// All its roles from now on
    roles: Option<Vec<String>>,
    /// Whether nobody may use it any more
    disabled: Option<bool>,
}

async fn change_account(
    Shared(state): Shared<State>,
    Path(name): Path<String>,
    Json(change): Json<AccountChange>,
) -> Answered<Json<AccountBody>> {
    blocking(move || {
        let mut account = known(&state, &name)?;
        if let Some(display) = change.display {
            account.display = short(display)?;
        }
        if let Some(email) = change.email {
            account.email = short(email)?;
        }
        if let Some(roles) = change.roles {
            account.roles = grants(&roles)?;
        }
        account.disabled = change.disabled.unwrap_or(account.disabled);
        state.people.change_account(&account)?;
        Ok(Json(known(&state, &name)?.into()))
    })
    .await
}

/// Which lines.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct AuditQuery {
    /// Of this account
    actor: Option<String>,
    /// What the page before gave as `next`
    after: Option<String>,
    /// Rows, at most 1000
    limit: Option<u32>,
}

async fn audit(
    Shared(state): Shared<State>,
    Query(query): Query<AuditQuery>,
) -> Answered<Json<List<AuditRecord>>> {
    blocking(move || {
        let limit = rows(query.limit);
        let page = Page { after: query.after.as_deref().unwrap_or_default(), limit };
        let lines = state.registry.audit_log(query.actor.as_deref(), page)?;
        Ok(Json(List::of(lines, limit, |line| line.id.to_string())))
    })
    .await
}
