//! Every role asks for everything that routes decide about themselves, inside and outside of its project.

use std::collections::BTreeMap;

use alnage_registry::{
    Kind, NewException, NewFile, NewRequest, NewVersion, Stage,
    people::{Grant, Place, Role, Roles},
    worker,
};
use axum::{
    body::Body,
    http::{Method, Request, header},
};

use super::{Asking, callers, refused};
use crate::{
    Settings,
    core::{Access, Ask, Door, Needs, Route, routes},
    testing::{Answer, NOW, Server},
};

/// A server with one of everything that the examples in the table name.
struct Stocked {
    server: Server,
    /// Whoever may everything.
    admin: String,
    /// What stands for `{commit}` and its like.
    values: BTreeMap<&'static str, String>,
}

fn somebody(name: &str) -> alnage_registry::Actor {
    alnage_registry::Actor { kind: alnage_registry::ActorKind::User, ..alnage_registry::Actor::system(name) }
}

impl Stocked {
    fn new(settings: Settings) -> Self {
        let server = Server::start(settings);
        let admin = server.token("admin", &["security-admin"]);
        let mut stocked = Self { server, admin, values: BTreeMap::new() };
        let tiny = stocked.bring(Kind::Model, "acme/tiny", &harmless("tiny"));
        let data = stocked.bring(Kind::Dataset, "acme/data", &harmless("data"));
        stocked.bring(Kind::Dataset, "acme/old", &harmless("old"));
        stocked.bring(Kind::Model, "acme/gone", &harmless("gone"));
        let call = testkit::pickle::call("ourtrainer.core", "load", "x");
        let held = ["acme/idle", "acme/waits", "acme/waits-too"]
            .map(|name| stocked.bring(Kind::Model, name, &[("model.pkl", call.clone())]));
        for served in [&tiny, &data] {
            assert!(served.stage.is_served(), "{}: {}", served.name, served.reason);
        }
        for held in &held {
            assert_eq!(held.stage, Stage::Quarantined, "{}: {}", held.name, held.reason);
        }
        let registry = &stocked.server.state.registry;
        let scan = tiny.scan.unwrap().to_string();
        registry.create_repo(Kind::Model, "acme/inbox", &somebody("ada")).unwrap();
        let blob = registry.files(tiny.id, "config.json", "", 1).unwrap()[0].sha256;
        stocked.values = BTreeMap::from([
            ("commit", tiny.commit),
            ("dataset", data.commit),
            ("scan", scan),
            ("blob", format!("sha256:{blob}")),
            ("nothing", format!("sha256:{}", alnage_types::Digest::of(b""))),
            ("hash", "0".repeat(64)),
        ]);
        let pulled = stocked.send(&Method::GET, "/v2/acme/tiny/manifests/main", &stocked.admin, "");
        let digest = pulled.headers["docker-content-digest"].to_str().unwrap();
        stocked.values.insert("artifact", digest.to_owned());
        stocked
    }

    /// Files come in and are scanned.
    fn bring(&self, kind: Kind, name: &str, files: &[(&str, Vec<u8>)]) -> alnage_registry::Version {
        let registry = &self.server.state.registry;
        let files = files.iter().map(|(path, bytes)| {
            let stored = registry.blobs().put(bytes.as_slice(), None).unwrap();
            NewFile {
                path: (*path).to_owned(),
                size: stored.size,
                sha256: stored.digest,
                git_oid: stored.git_oid,
            }
        });
        let new = NewVersion { refname: "main".into(), files: files.collect(), ..NewVersion::default() };
        let version = registry.add_version(kind, name, new, &somebody("ada")).unwrap();
        while worker::run_one(registry, &["scan"]).unwrap() {}
        registry.version_by_id(version.id).unwrap().unwrap()
    }

    /// Makes anew what the ones before have used up.
    fn restock(&mut self) {
        let registry = self.server.state.registry.clone();
        for (name, files) in [
            ("acme/spare", vec![("model.pkl", testkit::pickle::call("ourtrainer.spare", "load", "x"))]),
            ("acme/lent", harmless("lent")),
        ] {
            if registry.repo(Kind::Model, name).unwrap().is_none() {
                self.bring(Kind::Model, name, &files);
            }
        }
        for (value, name) in [("approval", "acme/waits"), ("request", "acme/waits-too")] {
            let waits = registry.version(Kind::Model, name, "main").unwrap().unwrap();
            let asked = NewRequest {
                version: waits.id,
                stage: Stage::Approved,
                reason: "a pilot",
                expires: None,
                conditions: "",
            };
            let id = match registry.requests_of(waits.id).unwrap().first() {
                Some(request) => request.id,
                None => registry.request_approval(&asked, &somebody("grace")).unwrap().id,
            };
            self.values.insert(value, id.to_string());
        }
        let idle = registry.version(Kind::Model, "acme/idle", "main").unwrap().unwrap();
        let new = NewException {
            version: idle.id,
            rule: "some-rule",
            file: None,
            reason: "known",
            expires: NOW + 1000,
        };
        let exception = registry.exception(&new, &somebody("ada")).unwrap().id;
        self.values.insert("exception", exception.to_string());
    }

    /// The example with what the records hold.
    fn filled(&self, text: &str) -> String {
        let mut text = text.to_owned();
        if text.contains("{upload}") {
            let begun = self.send(&Method::POST, "/v2/acme/pushed/blobs/uploads/", &self.admin, "");
            let id = begun.headers["docker-upload-uuid"].to_str().unwrap();
            text = text.replace("{upload}", id);
        }
        for (name, value) in &self.values {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text
    }

    fn send(&self, method: &Method, path: &str, token: &str, body: &str) -> Answer {
        let kind =
            if body.starts_with('{') { "application/json" } else { "application/x-www-form-urlencoded" };
        let mut request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, kind);
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        self.server.send(request.body(Body::from(body.to_owned())).unwrap())
    }

    /// Makes the request of an example as who has `token`.
    fn ask(&self, route: &Route, ask: &Ask, token: &str) -> Answer {
        let mut token = token.to_owned();
        if route.door == Door::Xet {
            // Chunks are sent with a token that is given out at another door.
            let path = "/api/models/acme/tiny/xet-write-token/main";
            let given = self.send(&Method::GET, path, &token, "").json();
            if let Some(given) = given["accessToken"].as_str() {
                token = given.to_owned();
            }
        }
        self.send(&route.method, &self.filled(ask.path), &token, ask.body)
    }
}

fn harmless(of: &str) -> Vec<(&'static str, Vec<u8>)> {
    let header = r#"{"weight":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}"#;
    vec![
        ("README.md", format!("---\nlicense: apache-2.0\n---\n# {of}\n").into_bytes()),
        ("config.json", br#"{"model_type": "bert", "architectures": ["BertModel"]}"#.to_vec()),
        ("model.safetensors", testkit::tensor::safetensors(header, &[0; 16])),
    ]
}

/// Whether somebody may, and sees the rows if that is what they ask for.
fn expected(ask: &Ask, asking: &Asking, open: bool) -> bool {
    let mut roles = asking.effective();
    if open {
        roles.0.push(Grant::everywhere(Role::Consumer));
    }
    match ask.needs {
        Needs::Nothing => true,
        Needs::Known => !asking.is_anonymous(),
        Needs::KnownUnlessOpen => open || !asking.is_anonymous(),
        Needs::Role(role) | Needs::Rows(role) => roles.contain(role, Place::Project(ask.project)),
    }
}

fn check(settings: Settings) {
    let mut stocked = Stocked::new(settings);
    let open = stocked.server.state.settings.anonymous_read;
    let table = routes::table();
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for asking in callers() {
        stocked.restock();
        let token = asking.token(&stocked.server);
        for route in &table {
            let Access::Asked(asks) = route.access else { continue };
            for ask in asks {
                let answer = stocked.ask(route, ask, &token);
                tried += 1;
                let expected = expected(ask, &asking, open && route.door.gives_models());
                let was_refused = refused(route.door, &answer);
                let text = String::from_utf8_lossy(&answer.body);
                let right = match ask.needs {
                    // Lists are short, not refused, for who may see none of it; HEAD has no body to look at.
                    Needs::Rows(_) if route.method == Method::HEAD => !expected || !was_refused,
                    Needs::Rows(_) => expected == (text.contains("tiny") || text.contains("acme/data")),
                    _ => expected != was_refused,
                };
                if !right || answer.status.is_server_error() && answer.status != 503 {
                    wrong.push(format!(
                        "{} {} {} as {asking:?}: {} {text:.200}",
                        route.method, ask.path, ask.body, answer.status
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {tried}\n{}", wrong.len(), wrong.join("\n"));
    assert!(tried > 2000, "{tried} requests");
}

#[test]
fn every_role_asks_for_everything_that_routes_decide_about() {
    check(Settings::default());
}

#[test]
fn every_role_asks_for_everything_where_downloads_are_open() {
    check(Settings { anonymous_read: true, ..Settings::default() });
}

/// A route that decides itself has examples, they lead to it, and who may everything gets what they ask for.
#[test]
fn every_route_that_decides_itself_has_examples_that_work() {
    let mut stocked = Stocked::new(Settings::default());
    stocked.restock();
    let mut wrong = Vec::new();
    let table = routes::table();
    for route in &table {
        let Access::Asked(asks) = route.access else { continue };
        if asks.is_empty() {
            wrong.push(format!("{} {} has no example", route.method, route.path));
        }
        for ask in asks {
            let path = ask.path.split('?').next().unwrap();
            if !leads(route.path, path) {
                wrong.push(format!("{} {path} does not lead to {}", route.method, route.path));
            }
            let answer = stocked.ask(route, ask, &stocked.admin);
            let status = answer.status.as_u16();
            let works = if ask.is_empty { [400, 404].contains(&status) } else { status < 400 };
            if !works || refused(Door::Api, &answer) {
                let text = String::from_utf8_lossy(&answer.body);
                wrong.push(format!("{} {}: {} {text:.300}", route.method, ask.path, answer.status));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Whether a path is one of a route's.
fn leads(route: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (route.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(segment), Some(_)) if segment.starts_with("{*") => return true,
            (Some(segment), Some(value)) if segment.starts_with('{') || segment == value => {}
            _ => return false,
        }
    }
}

#[test]
fn roles_of_tokens_are_those_that_the_test_expects() {
    for asking in callers() {
        let server = Server::start(Settings::default());
        let token = asking.token(&server);
        let told = server.ask(&Method::GET, "/api/v1/whoami", &token, None).json();
        let told = told["roles"].as_array().cloned().unwrap_or_default();
        let told = Roles(told.iter().map(|role| role.as_str().unwrap().parse().unwrap()).collect());
        assert_eq!(told, asking.effective(), "{asking:?}");
    }
}
