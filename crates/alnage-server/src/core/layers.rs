//! What every request goes through before its route: a name, who asks, a clock, headers for browsers.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher as _, Hasher as _},
    net::{IpAddr, Ipv4Addr},
    sync::atomic::Ordering::Relaxed,
    time::Instant,
};

use axum::{
    Router,
    extract::{Request, State as Shared},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse as _, Response},
};

use super::{Door, Failure, State, linger, listen::Peer, unwound::Unwound};
use crate::auth;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Pages load what we serve, and nothing else: no script of anybody's, ours inline included.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The name of a request, which its answer carries too.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

/// Puts the layers around `router`.
pub(super) fn around(router: Router<State>, state: State) -> Router<State> {
    router
        .layer(from_fn_with_state(state.clone(), auth::recognise))
        .layer(from_fn_with_state(state, outermost))
}

async fn outermost(Shared(state): Shared<State>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = request_id(request.headers());
    request.extensions_mut().insert(RequestId(id.clone()));
    state.metrics.open.fetch_add(1, Relaxed);
    let rest = linger::lend(&mut request);
    let answered = Unwound(Box::pin(next.run(request))).await;
    state.metrics.open.fetch_sub(1, Relaxed);
    let mut response = answered.unwrap_or_else(|| Failure::internal("a handler panicked").into_response());
    if let Some(rest) = rest
        && !rest.drop_all().await
    {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    complete(&mut response, &id);
    let door = response.extensions().get::<Door>().copied().unwrap_or(Door::Core);
    state.metrics.count(door, response.status().as_u16(), begun.elapsed());
    response
}

/// The name of a request: what it came with, or a new one.
pub(crate) fn request_id(headers: &HeaderMap) -> String {
    let id = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(|id| fits(id));
    id.map_or_else(new_id, str::to_owned)
}

/// Puts the headers on that every answer has.
pub(crate) fn complete(response: &mut Response, id: &str) {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(CONTENT_POLICY));
}

/// Whether a name from outside can stand in our answers and records.
fn fits(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Names need to differ, not to be secret.
fn new_id() -> String {
    let half = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", half(), half())
}

/// Where a request comes from.
pub(crate) fn address<B>(request: &axum::http::Request<B>) -> IpAddr {
    request.extensions().get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip())
}
