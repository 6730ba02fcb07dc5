//! The layer that finds out who asks: a token, a session's cookie, or a workload's signed identity.

use std::net::IpAddr;

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State as Shared},
    http::{HeaderMap, Method, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use base64ct::{Base64, Encoding as _};

use super::{Caller, CallerKind, trust};
use crate::core::{Answered, Failure, State, blocking, layers};

/// What a form of a page may be at most.
const FORM: usize = 1 << 20;
/// A workload's identity is no longer.
const LONGEST: usize = 16 << 10;

/// Puts the [`Caller`] into the request.
pub(crate) async fn recognise(Shared(state): Shared<State>, mut request: Request, next: Next) -> Response {
    let address = layers::address(&request);
    let caller = match who(&state, request.headers(), address).await {
        Ok(caller) => caller,
        Err(failure) => return failure.into_response(),
    };
    if let Some(csrf) = &caller.csrf {
        request = match unforged(request, csrf).await {
            Ok(request) => request,
            Err(failure) => return failure.into_response(),
        };
    }
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// Who asks. Whoever shows what we do not know is nobody in particular: clients send the token of another hub along
/// without asking, and what needs a known caller refuses them all the same.
async fn who(state: &State, headers: &HeaderMap, address: IpAddr) -> Answered<Caller> {
    if let Some(shown) = shown(headers) {
        if let Some(who) = state.people.recalled(&shown) {
            return Ok(Caller::of(who, address));
        }
        let (state, unknown) = (state.clone(), Caller::unknown(address));
        return blocking(move || {
            if shown.starts_with("hf_") {
                let who = state.people.by_token(&shown)?;
                return Ok(who.map_or(unknown, |who| Caller::of(who, address)));
            }
            Ok(trust::vouched(&state, &shown, address)?.unwrap_or(unknown))
        })
        .await;
    }
    let Some(cookie) = cookie(headers) else { return Ok(Caller::anonymous(address)) };
    let state = state.clone();
    blocking(move || {
        Ok(match state.people.by_session(&cookie)? {
            Some(session) => Caller { csrf: Some(session.csrf), ..Caller::of(session.who, address) },
            None => Caller::anonymous(address),
        })
    })
    .await
}

/// The token in a request: after `Bearer`, or as the password, which is how git and container clients send it.
pub(crate) fn shown(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    let rest = rest.trim();
    if rest.is_empty() || rest.len() > LONGEST {
        return None;
    }
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(Base64::decode_vec(rest).ok()?).ok()?;
    let (user, password) = pair.split_once(':')?;
    let token = if password.is_empty() { user } else { password };
    Some(token.to_owned()).filter(|token| !token.is_empty())
}

/// The session's name in the cookies.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<String> {
    named_cookie(headers, super::login::SESSION)
}

pub(super) fn named_cookie(headers: &HeaderMap, wanted: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == wanted).map(|(_, value)| value.to_owned())
}

/// The request, if a page of ours made it: browsers send cookies along with what any page makes them send.
async fn unforged(request: Request, csrf: &str) -> Answered<Request> {
    if [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method()) {
        return Ok(request);
    }
    let refused = || Failure::forbidden("the form is not from this session: load the page again");
    let headers = request.headers();
    let site = headers.get("sec-fetch-site").and_then(|site| site.to_str().ok());
    if site.is_some_and(|site| site != "same-origin" && site != "none") {
        return Err(refused());
    }
    if let Some(sent) = headers.get("x-csrf-token") {
        return if same(sent.as_bytes(), csrf.as_bytes()) { Ok(request) } else { Err(refused()) };
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return Err(refused());
    }
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, FORM).await else {
        return Err(Failure::new(
            axum::http::StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            "the form is too large",
        ));
    };
    let text = std::str::from_utf8(&bytes).map_err(|_| refused())?;
    // The token has letters and digits alone, so that nothing in it is escaped.
    let sent = text.split('&').filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == "csrf");
    if !sent.is_some_and(|(_, sent)| same(sent.as_bytes(), csrf.as_bytes())) {
        return Err(refused());
    }
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

/// Compares in the same time wherever they differ.
pub(super) fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

impl Caller {
    /// Somebody who proved who they are.
    pub(crate) fn of(who: alnage_registry::people::Who, address: IpAddr) -> Self {
        let kind = match who.kind {
            alnage_registry::people::AccountKind::User => CallerKind::User,
            alnage_registry::people::AccountKind::Service => CallerKind::Service,
        };
        Self { name: who.name, kind, roles: who.roles, address, csrf: None, unknown: false }
    }

    /// Somebody who showed what is not known here.
    pub(crate) fn unknown(address: IpAddr) -> Self {
        Self { unknown: true, ..Self::anonymous(address) }
    }
}
