//! The one table of routes. From it come the router, the authorisation, the OpenAPI document and the test of every role
//! on every route; a route that is not in it does not exist.

use std::{fmt, pin::Pin, sync::Arc};

use alnage_registry::people::{Grant, Place, Role};
use axum::{
    Router,
    extract::{DefaultBodyLimit, RawPathParams, Request},
    handler::Handler,
    http::{Method, StatusCode},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::{MethodFilter, MethodRouter, on},
};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use tokio::sync::mpsc;

use super::{Access, Failure, On, State, audit::Line, layers};
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

/// Gives the schema of a type.
pub(crate) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// What axum makes of an asynchronous function.
type Answer = Pin<Box<dyn Future<Output = Response> + Send>>;

/// A handler of one type for all, since what axum and tower build around each type of handler is 5 kB of code.
#[derive(Clone)]
struct Erased(Arc<dyn Fn(Request, State) -> Answer + Send + Sync>);

impl Handler<(), State> for Erased {
    type Future = Answer;

    fn call(self, request: Request, state: State) -> Answer {
        (self.0)(request, state)
    }
}

/// A row of the table.
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
    handler: MethodRouter<State>,
}

impl Route {
    /// A route; `handler` is one of axum's.
    pub(crate) fn new<H, T>(
        method: Method,
        path: &'static str,
        access: Access,
        summary: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<T, State, Future = Answer> + Sync,
    {
        let handler = Erased(Arc::new(move |request, state| handler.clone().call(request, state)));
        Self::erased(method, path, access, summary, handler)
    }

    fn erased(
        method: Method,
        path: &'static str,
        access: Access,
        summary: &'static str,
        handler: Erased,
    ) -> Self {
        let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
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
            handler: on(filter, handler),
        }
    }

    /// What is read; HEAD is answered too, unless it has a row of its own.
    pub(crate) fn get<H: Handler<T, State, Future = Answer> + Sync, T>(
        path: &'static str,
        access: Access,
        summary: &'static str,
        handler: H,
    ) -> Self {
        Self::new(Method::GET, path, access, summary, handler)
    }

    pub(crate) fn post<H: Handler<T, State, Future = Answer> + Sync, T>(
        path: &'static str,
        access: Access,
        summary: &'static str,
        handler: H,
    ) -> Self {
        Self::new(Method::POST, path, access, summary, handler)
    }

    pub(crate) fn put<H: Handler<T, State, Future = Answer> + Sync, T>(
        path: &'static str,
        access: Access,
        summary: &'static str,
        handler: H,
    ) -> Self {
        Self::new(Method::PUT, path, access, summary, handler)
    }

    pub(crate) fn delete<H: Handler<T, State, Future = Answer> + Sync, T>(
        path: &'static str,
        access: Access,
        summary: &'static str,
        handler: H,
    ) -> Self {
        Self::new(Method::DELETE, path, access, summary, handler)
    }

    pub(crate) fn query<T: JsonSchema>(self) -> Self {
        Self { query: Some(|generator| generator.subschema_for::<T>()), ..self }
    }

    pub(crate) fn takes<T: JsonSchema>(self) -> Self {
        Self { takes: Some(|generator| generator.subschema_for::<T>()), ..self }
    }

    pub(crate) fn gives<T: JsonSchema>(self) -> Self {
        Self { gives: Some(|generator| generator.subschema_for::<T>()), ..self }
    }

    /// What is sent is, or may be, of these media types.
    pub(crate) fn takes_kinds(self, takes_kinds: &'static [&'static str]) -> Self {
        Self { takes_kinds, ..self }
    }

    /// What comes back is, or may be, of these media types.
    pub(crate) fn gives_kinds(self, gives_kinds: &'static [&'static str]) -> Self {
        Self { gives_kinds, ..self }
    }

    pub(crate) fn refuses<T: JsonSchema>(self) -> Self {
        Self { refuses: Some(|generator| generator.subschema_for::<T>()), ..self }
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
        let (access, door) = (route.access, route.door);
        let open = is_open(&state, door);
        let lines = state.audit.clone();
        let guarded = route.handler.layer(DefaultBodyLimit::max(route.body)).layer(from_fn(
            move |caller: Caller, parameters: RawPathParams, request: Request, next: Next| {
                let lines = lines.clone();
                async move {
                    let asked = Asked::of(&caller, &request);
                    let mut response = guard(access, door, open, caller, parameters, request, next).await;
                    asked.note(&lines, door, response.status()).await;
                    response.extensions_mut().insert(door);
                    response
                }
            },
        ));
        router = router.route(route.path, guarded);
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

async fn guard(
    access: Access,
    door: Door,
    open: bool,
    mut caller: Caller,
    parameters: RawPathParams,
    mut request: Request,
    next: Next,
) -> Response {
    if open {
        caller = opened(caller, open);
        request.extensions_mut().insert(caller.clone());
    }
    let allowed = match access {
        Access::Public | Access::Asked(_) => Ok(()),
        Access::Known if caller.is_anonymous() => Err(Failure::unauthorized()),
        Access::Known => Ok(()),
        Access::Role(role, On::Anywhere) => caller.must(role, Place::Anywhere),
        Access::Role(role, On::Everywhere) => caller.must(role, Place::Everywhere),
        Access::Role(role, On::Segment(segment)) => {
            match parameters.iter().find(|(name, _)| *name == segment) {
                Some((_, project)) => caller.must(role, Place::Project(project)),
                None => Err(Failure::internal("a route names a segment that its path does not have")),
            }
        }
    };
    let page = crate::console::Asked::of(door, &caller, &request);
    let response = match allowed {
        Ok(()) => next.run(request).await,
        Err(failure) => failure.into_response(),
    };
    match page {
        Some(page) => page.present(response),
        None => response,
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
    fn of(caller: &Caller, request: &Request) -> Self {
        let id = request.extensions().get::<layers::RequestId>().map(|id| id.0.clone());
        Self {
            caller: caller.clone(),
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
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
