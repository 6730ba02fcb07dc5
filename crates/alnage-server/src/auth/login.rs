//! Signing in: with a token, or at an identity provider (OpenID Connect, code with PKCE), and signing out.

use std::net::IpAddr;

use alnage_registry::people::{Account, AccountKind, Grant, Opened, ProviderRoles, Roles, Who};
use alnage_types::Digest;
use axum::{
    extract::State as Shared,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Caller, jwt, recognise};
use crate::core::{Access, Answered, Failure, Json, Query, Route, State, blocking};

/// The cookie that holds the session's name.
pub(crate) const SESSION: &str = "alnage_session";
/// The cookie that binds a login to the browser that began it.
const LOGIN: &str = "alnage_login";
/// A login at a provider takes no longer, in seconds.
const LOGIN_TIME: i64 = 600;

/// The identity provider that people sign in at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Oidc {
    /// Its address: `https://id.example.org`.
    pub issuer: String,
    /// What this server is called there.
    pub client_id: String,
    /// What it proves that with, where the provider asks.
    pub client_secret: Option<String>,
    /// The claim that names groups: `groups`.
    pub groups: String,
    /// What the members of a group may do.
    pub roles: Vec<(String, Grant)>,
    /// What everybody may do who signs in.
    pub everybody: Vec<Grant>,
}

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::post("/auth/session", Access::Public, "Open a session with a token", open)
            .takes::<Token>()
            .gives::<SessionBody>(),
        Route::delete("/auth/session", Access::Known, "End the session", close).success(204),
        Route::get("/auth/oidc/start", Access::Public, "Sign in at the identity provider", start)
            .query::<Next>()
            .success(303),
        Route::get(
            "/auth/oidc/callback",
            Access::Public,
            "Where the identity provider sends people back to",
            callback,
        )
        .query::<Callback>()
        .gives_kinds(&["text/html"]),
    ]
}

/// A token to sign in with.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Token {
    /// `hf_…`
    token: String,
}

/// A session.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct SessionBody {
    /// Who signed in
    name: String,
    /// To be sent as `x-csrf-token` with everything that changes something
    csrf: String,
}

/// Signs in with a token.
pub(crate) fn with_token(state: &State, address: IpAddr, token: &str) -> Answered<(Who, Opened)> {
    let subject = format!("login {address}");
    if let Some(seconds) = state.people.wait(&subject)? {
        return Err(Failure::too_many(seconds));
    }
    let Some(who) = state.people.by_token(token.trim())? else {
        state.people.attempt_failed(&subject)?;
        return Err(Failure::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "the token is not known here, or has ended",
        ));
    };
    let opened = state.people.open_session(&who)?;
    Ok((who, opened))
}

/// The header that gives a browser its session.
pub(crate) fn session_cookie(state: &State, opened: &Opened) -> (HeaderName, String) {
    set_cookie(state, SESSION, opened.cookie.reveal(), "Strict", 12 * 3600)
}

/// The header that takes it away.
pub(crate) fn no_session_cookie(state: &State) -> (HeaderName, String) {
    set_cookie(state, SESSION, "", "Strict", 0)
}

fn set_cookie(state: &State, name: &str, value: &str, same_site: &str, seconds: i64) -> (HeaderName, String) {
    let secure = if state.settings.public_url.starts_with("https://") { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite={same_site}; Max-Age={seconds}{secure}");
    (header::SET_COOKIE, cookie)
}

async fn open(Shared(state): Shared<State>, caller: Caller, Json(body): Json<Token>) -> Answered<Response> {
    let at = state.clone();
    let (who, opened) = blocking(move || with_token(&at, caller.address, &body.token)).await?;
    let body = SessionBody { name: who.name, csrf: opened.csrf.clone() };
    Ok(([session_cookie(&state, &opened)], Json(body)).into_response())
}

async fn close(Shared(state): Shared<State>, headers: HeaderMap) -> Answered<Response> {
    let at = state.clone();
    blocking(move || end(&at, &headers)).await?;
    Ok((StatusCode::NO_CONTENT, [no_session_cookie(&state)]).into_response())
}

/// Ends the session that a request came with.
pub(crate) fn end(state: &State, headers: &HeaderMap) -> Answered<()> {
    if let Some(cookie) = recognise::cookie(headers) {
        state.people.close_session(&cookie)?;
    }
    Ok(())
}

/// Where to go afterwards.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Next {
    /// A page of this server
    #[serde(default)]
    next: String,
}

/// What is kept until somebody comes back from the provider.
#[derive(Serialize, Deserialize)]
struct Pending {
    verifier: String,
    nonce: String,
    next: String,
}

/// A page of ours to go to; never somebody else's.
pub(crate) fn local(next: &str) -> &str {
    let inside = next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\r', '\n', '\t']);
    if inside { next } else { "/" }
}

async fn start(Shared(state): Shared<State>, Query(next): Query<Next>) -> Answered<Response> {
    blocking(move || {
        let oidc = provider(&state)?;
        let discovered = state.issuers.discover(&oidc.issuer)?;
        let secret = || alnage_registry::people::Secret::plain().map(|secret| secret.reveal().to_owned());
        let pending = Pending { verifier: secret()?, nonce: secret()?, next: local(&next.next).to_owned() };
        let content = serde_json::to_string(&pending).map_err(Failure::internal)?;
        let kept = state.people.keep("oidc", &content, LOGIN_TIME)?;
        let challenge = Base64UrlUnpadded::encode_string(Digest::of(pending.verifier.as_bytes()).as_bytes());
        let url = alnage_registry::people::with_query(
            &discovered.authorization,
            &[
                ("response_type", "code"),
                ("scope", "openid profile email"),
                ("client_id", &oidc.client_id),
                ("redirect_uri", &redirect(&state)),
                ("state", kept.reveal()),
                ("nonce", &pending.nonce),
                ("code_challenge", &challenge),
                ("code_challenge_method", "S256"),
            ],
        )?;
        let cookie = set_cookie(&state, LOGIN, kept.reveal(), "Lax", LOGIN_TIME);
        Ok((StatusCode::SEE_OTHER, [cookie, (header::LOCATION, url)]).into_response())
    })
    .await
}

fn provider(state: &State) -> Answered<Oidc> {
    state.settings.oidc.clone().ok_or_else(|| Failure::not_found("identity provider: sign in with a token"))
}

fn redirect(state: &State) -> String {
    format!("{}/auth/oidc/callback", state.settings.public_url.trim_end_matches('/'))
}

/// What the provider sends along.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Callback {
    /// What the login began with
    #[serde(default)]
    state: String,
    /// What the identity is asked for with
    #[serde(default)]
    code: String,
    /// Why it failed
    #[serde(default)]
    error: String,
}

async fn callback(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    Query(back): Query<Callback>,
) -> Answered<Response> {
    let at = state.clone();
    let (opened, next) = blocking(move || come_back(&at, &headers, &back)).await?;
    // A browser sends the new cookie along only with what a page of ours makes it load, so there is a page in between.
    let page = format!(
        "<!doctype html><html lang=\"en\"><title>Signed in</title><meta http-equiv=\"refresh\" content=\"0;url={next}\">\
         <p><a href=\"{next}\">Signed in: go on</a></p></html>",
        next = next.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('\'', "&#39;"),
    );
    let kind = (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned());
    let mut response = ([session_cookie(&state, &opened), kind], page).into_response();
    if let Ok(gone) = set_cookie(&state, LOGIN, "", "Lax", 0).1.parse() {
        response.headers_mut().append(header::SET_COOKIE, gone);
    }
    Ok(response)
}

fn come_back(state: &State, headers: &HeaderMap, back: &Callback) -> Answered<(Opened, String)> {
    let refused = |why: &str| {
        Failure::new(StatusCode::UNAUTHORIZED, "unauthorized", format!("the login failed: {why}"))
    };
    let oidc = provider(state)?;
    let begun = recognise::named_cookie(headers, LOGIN).unwrap_or_default();
    if begun.is_empty() || !recognise::same(begun.as_bytes(), back.state.as_bytes()) {
        return Err(refused("it was not begun in this browser"));
    }
    let kept = state.people.take("oidc", &back.state)?.ok_or_else(|| refused("it took too long"))?;
    let pending: Pending = serde_json::from_str(&kept).map_err(Failure::internal)?;
    if !back.error.is_empty() || back.code.is_empty() {
        return Err(refused("the identity provider says no"));
    }
    let discovered = state.issuers.discover(&oidc.issuer)?;
    let redirect = redirect(state);
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", &back.code),
        ("redirect_uri", &redirect),
        ("client_id", &oidc.client_id),
        ("code_verifier", &pending.verifier),
    ];
    if let Some(secret) = &oidc.client_secret {
        form.push(("client_secret", secret));
    }
    let answer = state.issuers.post(&oidc.issuer, &discovered.token, &form)?;
    let token = answer
        .get("id_token")
        .and_then(Value::as_str)
        .ok_or_else(|| refused("the provider gave no identity"))?;
    let unverified = jwt::read(token).map_err(refused)?;
    if unverified.issuer() != oidc.issuer {
        return Err(refused("somebody else issued the identity"));
    }
    let set = state.issuers.keys(&oidc.issuer, None, unverified.key_id.as_deref())?;
    let claims = unverified.verify(&jwt::keys(&set), &[&oidc.client_id], state.now()).map_err(refused)?;
    let claim = |name: &str| claims.get(name).and_then(Value::as_str);
    if claim("nonce") != Some(&pending.nonce) {
        return Err(refused("the identity belongs to another login"));
    }
    if claims.get("azp").and_then(Value::as_str).is_some_and(|party| party != oidc.client_id) {
        return Err(refused("the identity was issued for somebody else"));
    }
    let account = state.people.vouched(
        &account(&oidc, &claims, claim("sub").ok_or_else(|| refused("it names nobody"))?),
        if oidc.roles.is_empty() { ProviderRoles::Keep } else { ProviderRoles::Replace },
    )?;
    if account.disabled {
        return Err(refused("the account is closed"));
    }
    let who = Who { name: account.name, kind: account.kind, roles: account.roles, token: None };
    Ok((state.people.open_session(&who)?, pending.next))
}

/// The account that the provider's claims describe.
fn account(oidc: &Oidc, claims: &Value, subject: &str) -> Account {
    let claim = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let verified = claims.get("email_verified").and_then(Value::as_bool).unwrap_or(false);
    let email = if verified { claim("email") } else { "" };
    let wished = [claim("preferred_username"), email, subject].into_iter().find(|name| !name.is_empty());
    let fits = |c: &char| c.is_ascii_alphanumeric() || "-_.@".contains(*c);
    let name: String = wished.unwrap_or_default().chars().filter(fits).take(80).collect();
    let groups: Vec<&str> = match claims.get(&oidc.groups) {
        Some(Value::Array(groups)) => groups.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(group)) => vec![group],
        _ => Vec::new(),
    };
    let by_group = oidc.roles.iter().filter(|(group, _)| groups.contains(&group.as_str()));
    let grants = oidc.everybody.iter().chain(by_group.map(|(_, grant)| grant)).cloned().collect();
    Account {
        subject: Some(format!("{}|{subject}", oidc.issuer)),
        display: claim("name").chars().take(200).collect(),
        email: email.chars().take(200).collect(),
        ..Account::new(
            if name.is_empty() { "person".to_owned() } else { name },
            AccountKind::User,
            Roles(grants),
        )
    }
}
