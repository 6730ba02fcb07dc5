//! The one table of routes. From it come the router, the authorisation, the OpenAPI document and the test of every role
//! on every route; a route that is not in it does not exist.

use std::{fmt, sync::Arc};

use alnage_registry::people::{Grant, Place, Role};
use axum::{
    Router,
    extract::{FromRequestParts as _, RawPathParams, Request},
    http::{Method, StatusCode, request::Parts},
    response::{IntoResponse as _, Response},
    routing::{MethodFilter, on},
};

use tokio::sync::mpsc;

use super::{
    Access, Answered, Failure, On, State,
    audit::Line,
    handler::{Answer, Handle, Handler},
    layers,
};
use crate::auth::Caller;

/// A body in memory is no larger, unless a route says so.
const BODY: usize = 1 << 20;

/// Where a route belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Door {
    Core,
    Api,
    Hub,
    Xet,
    Oci,
    Mlflow,
    Admission,
    Console,
}

impl Door {
    pub(crate) const ALL: [Self; 8] = [
        Self::Core,
        Self::Api,
        Self::Hub,
        Self::Xet,
        Self::Oci,
        Self::Mlflow,
        Self::Admission,
        Self::Console,
    ];
}

impl Door {
    /// Whether models are given out there.
    pub(crate) fn gives_models(self) -> bool {
        matches!(self, Self::Hub | Self::Xet | Self::Oci | Self::Mlflow)
    }
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Core => "core",
            Self::Api => "api",
            Self::Hub => "hub",
            Self::Xet => "xet",
            Self::Oci => "oci",
            Self::Mlflow => "mlflow",
            Self::Admission => "admission",
            Self::Console => "console",
        })
    }
}

/// Gives the schema of a type, where the document about the API is written.
#[cfg(feature = "schema")]
pub(crate) type SchemaOf = fn(&mut schemars::SchemaGenerator) -> schemars::Schema;
#[cfg(not(feature = "schema"))]
pub(crate) type SchemaOf = ();

/// What a route says it takes or gives.
#[cfg(feature = "schema")]
pub(crate) use schemars::JsonSchema as Described;
#[cfg(not(feature = "schema"))]
pub(crate) trait Described {}
#[cfg(not(feature = "schema"))]
impl<T> Described for T {}

#[cfg(feature = "schema")]
fn schema_of<T: Described>() -> SchemaOf {
    |generator| generator.subschema_for::<T>()
}
#[cfg(not(feature = "schema"))]
fn schema_of<T: Described>() -> SchemaOf {}

/// A row of the table.
#[cfg_attr(not(feature = "schema"), expect(dead_code, reason = "what writes the document reads the rest"))]
pub(crate) struct Route {
    pub(crate) method: Method,
    /// As axum writes it: `/api/v1/models/{namespace}/{name}`.
    pub(crate) path: &'static str,
    pub(crate) door: Door,
    pub(crate) access: Access,
    /// One line for people.
    pub(crate) summary: &'static str,
    /// What stands after `?`, what is sent and what comes back, where that is JSON.
    pub(crate) query: Option<SchemaOf>,
    pub(crate) takes: Option<SchemaOf>,
    pub(crate) gives: Option<SchemaOf>,
    /// The media types of what is sent and what comes back, beside or instead of plain JSON.
    pub(crate) takes_kinds: &'static [&'static str],
    pub(crate) gives_kinds: &'static [&'static str],
    /// What comes back with 400, where that is not a failure like any other.
    pub(crate) refuses: Option<SchemaOf>,
    /// The status when all is well.
    pub(crate) success: u16,
    /// The most that a body in memory may be. Handlers that stream a body set their own limits.
    body: usize,
    handler: Handler,
}

impl Route {
    /// A route; `handler` is an asynchronous function.
    pub(crate) fn new<H: Handle<A>, A>(
        method: Method,
        path: &'static str,
        access: Access,
        summary: &'static str,
        handler: H,
    ) -> Self {
        Self::erased(method, path, access, summary, Handler::of(handler))
    }

    fn erased(
        method: Method,
        path: &'static str,
        access: Access,
        summary: &'static str,
        handler: Handler,
    ) -> Self {
        Self {
            method,
            path,
            door: Door::Core,
            access,
            summary,
            query: None,
            takes: None,
            gives: None,
            takes_kinds: &[],
            gives_kinds: &[],
            refuses: None,
            success: 200,
            body: BODY,
            handler,
        }
    }

    /// What is read; HEAD is answered too, unless it has a row of its own.
    pub(crate) fn get<H: Handle<A>, A>(
        path: &'static str,
        access: Access,
        summary: &'static str,
        handler: H,
    ) -> Self {
        Self::new(Method::GET, path, access, summary, handler)
    }

    pub(crate) fn post<H: Handle<A>, A>(
        path: &'static str,
        access: Access,
        summary: &'static str,
        handler: H,
    ) -> Self {
        Self::new(Method::POST, path, access, summary, handler)
    }

    pub(crate) fn put<H: Handle<A>, A>(
        path: &'static str,
        access: Access,
        summary: &'static str,
        handler: H,
    ) -> Self {
        Self::new(Method::PUT, path, access, summary, handler)
    }

    pub(crate) fn delete<H: Handle<A>, A>(
        path: &'static str,
        access: Access,
        summary: &'static str,
        handler: H,
    ) -> Self {
        Self::new(Method::DELETE, path, access, summary, handler)
    }

    pub(crate) fn query<T: Described>(self) -> Self {
        Self { query: Some(schema_of::<T>()), ..self }
    }

    pub(crate) fn takes<T: Described>(self) -> Self {
        Self { takes: Some(schema_of::<T>()), ..self }
    }

    pub(crate) fn gives<T: Described>(self) -> Self {
        Self { gives: Some(schema_of::<T>()), ..self }
    }

    /// What is sent is, or may be, of these media types.
    pub(crate) fn takes_kinds(self, takes_kinds: &'static [&'static str]) -> Self {
        Self { takes_kinds, ..self }
    }

    /// What comes back is, or may be, of these media types.
    pub(crate) fn gives_kinds(self, gives_kinds: &'static [&'static str]) -> Self {
        Self { gives_kinds, ..self }
    }

    pub(crate) fn refuses<T: Described>(self) -> Self {
        Self { refuses: Some(schema_of::<T>()), ..self }
    }

    /// The status when all is well, where that is not 200.
    pub(crate) fn success(self, success: u16) -> Self {
        Self { success, ..self }
    }

    /// Lets a body in memory be so large.
    pub(crate) fn body(self, body: usize) -> Self {
        Self { body, ..self }
    }
}

/// The table.
pub(crate) fn table() -> Vec<Route> {
    let doors = [
        (Door::Core, super::probes::routes()),
        (Door::Core, crate::auth::routes()),
        (Door::Api, crate::api::routes()),
        (Door::Mlflow, crate::mlflow::routes()),
        (Door::Oci, crate::oci::routes()),
        (Door::Xet, crate::xet::routes()),
        (Door::Console, crate::console::routes()),
        (Door::Hub, crate::hub::routes()),
        (Door::Admission, crate::admission::routes()),
    ];
    let rows = doors
        .into_iter()
        .flat_map(|(door, routes)| routes.into_iter().map(move |route| Route { door, ..route }));
    rows.collect()
}

/// The router of the table's rows.
pub(crate) fn router(state: State) -> Router {
    let mut router = Router::new();
    for route in table() {
        let filter = MethodFilter::try_from(route.method.clone()).unwrap_or(MethodFilter::GET);
        let guarded = Guarded(Arc::new(Row {
            access: route.access,
            door: route.door,
            open: is_open(&state, route.door),
            body: route.body,
            handler: route.handler,
        }));
        router = router.route(route.path, on(filter, guarded));
    }
    let router =
        router.fallback(|| async { Failure::not_found("such page") }).method_not_allowed_fallback(|| async {
            Failure::new(
                axum::http::StatusCode::METHOD_NOT_ALLOWED,
                "method",
                "this page does not take that method",
            )
        });
    layers::around(router, state.clone()).with_state(state)
}

/// What of a row is needed once requests come.
struct Row {
    access: Access,
    door: Door,
    /// Whoever comes may download here.
    open: bool,
    body: usize,
    handler: Handler,
}

/// A row's handler behind its guard: one type for all rows, since what axum and tower build around each type is 5 kB of
/// code.
#[derive(Clone)]
struct Guarded(Arc<Row>);

impl axum::handler::Handler<(), State> for Guarded {
    type Future = Answer;

    fn call(self, request: Request, state: State) -> Answer {
        Box::pin(async move { self.0.answer(request, &state).await })
    }
}

impl Row {
    async fn answer(&self, request: Request, state: &State) -> Response {
        let (mut head, body) = request.into_parts();
        let mut caller = Caller::of_head(&head);
        if self.open {
            caller = opened(caller, true);
            head.extensions.insert(caller.clone());
        }
        let asked = Asked::of(&caller, &head);
        let page = crate::console::Asked::of(self.door, &caller, &head);
        let allowed = match segments(&mut head).await {
            Ok(segments) => allowed(self.access, &caller, &segments).map(|()| segments),
            Err(failure) => Err(failure),
        };
        let response = match allowed {
            Ok(segments) => self.handler.answer(head, segments, body, self.body, state).await,
            Err(failure) => failure.into_response(),
        };
        let mut response = match page {
            Some(page) => page.present(response),
            None => response,
        };
        asked.note(&state.audit, self.door, response.status()).await;
        response.extensions_mut().insert(self.door);
        response
    }
}

/// What stands in the path's segments, by their names in the route.
async fn segments(head: &mut Parts) -> Answered<Vec<(String, String)>> {
    match RawPathParams::from_request_parts(head, &()).await {
        Ok(found) => Ok(found.iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()),
        Err(rejection) if rejection.status().is_server_error() => Err(Failure::internal(rejection)),
        Err(_) => Err(Failure::invalid("the path is not UTF-8")),
    }
}

/// Whether whoever comes may download there.
pub(crate) fn is_open(state: &State, door: Door) -> bool {
    state.settings.anonymous_read && door.gives_models()
}

/// Whoever comes may download what is allowed where it is `open`, whatever else they may.
pub(crate) fn opened(mut caller: Caller, open: bool) -> Caller {
    if open && !caller.may(Role::Consumer, Place::Everywhere) {
        caller.roles.0.push(Grant::everywhere(Role::Consumer));
    }
    caller
}

/// Whether `access` lets somebody in at this path.
fn allowed(access: Access, caller: &Caller, segments: &[(String, String)]) -> Answered<()> {
    match access {
        Access::Public | Access::Asked(_) => Ok(()),
        Access::Known if caller.is_anonymous() => Err(Failure::unauthorized()),
        Access::Known => Ok(()),
        Access::Role(role, On::Anywhere) => caller.must(role, Place::Anywhere),
        Access::Role(role, On::Everywhere) => caller.must(role, Place::Everywhere),
        Access::Role(role, On::Segment(segment)) => match segments.iter().find(|(name, _)| name == segment) {
            Some((_, project)) => caller.must(role, Place::Project(project)),
            None => Err(Failure::internal("a route names a segment that its path does not have")),
        },
    }
}

/// What the audit tells of a request.
struct Asked {
    caller: Caller,
    method: Method,
    path: String,
    id: String,
}

impl Asked {
    fn of(caller: &Caller, head: &Parts) -> Self {
        let id = head.extensions.get::<layers::RequestId>().map(|id| id.0.clone());
        Self {
            caller: caller.clone(),
            method: head.method.clone(),
            path: head.uri.path().to_owned(),
            id: id.unwrap_or_default(),
        }
    }

    async fn note(self, lines: &mpsc::Sender<Line>, door: Door, status: StatusCode) {
        if let Some(line) = Line::of(self.caller, door, &self.method, &self.path, status, self.id) {
            // Nobody writes any more when the server ends, or in a test.
            let _ = lines.send(line).await;
        }
    }
}
