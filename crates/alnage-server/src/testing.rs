//! What the tests of this crate stand on: a registry of its own, and requests to its router without a network.

use std::sync::OnceLock;

use alnage_policy::Pack;
use alnage_registry::{
    Registry, Settings as RegistrySettings,
    people::{Account, AccountKind, NewToken, Roles},
};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode},
};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;

use crate::{
    Settings,
    core::{State, routes},
};

/// The time in tests.
pub(crate) const NOW: u64 = 1_800_000_000;

/// A server in a directory that vanishes.
pub(crate) struct Server {
    _folder: tempfile::TempDir,
    pub(crate) state: State,
    router: Router,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| crate::core::listen::runtime().unwrap())
}

impl Server {
    pub(crate) fn start(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let opened = RegistrySettings::below(folder.path(), Pack::shipped("default").unwrap());
        let registry = Registry::open(opened, || NOW).unwrap();
        let (_, stop) = tokio::sync::watch::channel(false);
        let state = State::new(settings, registry, stop, crate::core::audit::channel().0, || NOW);
        let router = routes::router(state.clone());
        Self { _folder: folder, state, router }
    }

    /// A token of a new account with these roles.
    pub(crate) fn token(&self, name: &str, roles: &[&str]) -> String {
        self.limited_token(name, roles, Vec::new())
    }

    /// A token, for these projects alone, of an account with these roles, which is made when there is none.
    pub(crate) fn limited_token(&self, name: &str, roles: &[&str], projects: Vec<String>) -> String {
        if self.state.people.account(name).unwrap().is_none() {
            let roles = Roles(roles.iter().map(|role| role.parse().unwrap()).collect());
            self.state.people.add_account(&Account::new(name, AccountKind::User, roles)).unwrap();
        }
        let token = NewToken { projects, ..NewToken::of(name, "test") };
        self.state.people.add_token(&token).unwrap().1.reveal().to_owned()
    }

    /// Asks as who has `token`, with a body in JSON.
    pub(crate) fn ask(&self, method: &Method, path: &str, token: &str, body: Option<Value>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).unwrap())
    }

    pub(crate) fn send(&self, request: Request<Body>) -> Answer {
        let service = TowerToHyperService::new(self.router.clone());
        runtime().block_on(async {
            let response = match crate::hub::shortcut(&self.state, &request) {
                Some(response) => response,
                None => service.call(request).await.unwrap(),
            };
            let (parts, body) = response.into_parts();
            let body = to_bytes(body, 64 << 20).await.unwrap().to_vec();
            Answer { status: parts.status, headers: parts.headers, body }
        })
    }
}
