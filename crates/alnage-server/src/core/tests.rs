use std::sync::Arc;

use alnage_registry::people::{Place, Role, Roles};
use axum::{body::to_bytes, http::Method};

use super::{Access, Door, On, bytes, routes};
use crate::{
    Settings,
    testing::{Answer, Server},
};

mod asked;

/// Somebody who asks.
#[derive(Debug, Clone)]
struct Asking {
    number: usize,
    /// What the account may; nobody in particular when empty.
    role: String,
    /// The project that the token is for; all when empty.
    only: &'static str,
}

impl Asking {
    fn is_anonymous(&self) -> bool {
        self.role.is_empty()
    }

    /// What they may with what they show.
    fn effective(&self) -> Roles {
        let word = match (&*self.role, self.only) {
            ("", _) => return Roles::default(),
            (role, "") => role.to_owned(),
            (role, only) => format!("{only}:{role}"),
        };
        Roles(vec![word.parse().unwrap()])
    }

    /// Their token: of an account that is made when there is none yet.
    fn token(&self, server: &Server) -> String {
        if self.is_anonymous() {
            return String::new();
        }
        let name = format!("somebody-{}", self.number);
        let projects = if self.only.is_empty() { Vec::new() } else { vec![self.only.to_owned()] };
        server.limited_token(&name, &[&self.role], projects)
    }
}

/// Those who ask: nobody, and for each role somebody who has it everywhere, in the project that is asked for, and in
/// another one, by the account or by the token.
fn callers() -> Vec<Asking> {
    let mut callers = vec![(String::new(), "")];
    for role in Role::ALL {
        for place in ["", "acme:", "other:"] {
            callers.push((format!("{place}{role}"), ""));
        }
        callers.push((role.to_string(), "acme"));
        callers.push((role.to_string(), "other"));
    }
    let numbered = callers.into_iter().enumerate();
    numbered.map(|(number, (role, only))| Asking { number, role, only }).collect()
}

/// Whether a door turned somebody away.
fn refused(door: Door, answer: &Answer) -> bool {
    let header = |name| answer.headers.get(name).and_then(|value| value.to_str().ok());
    let location = header("location");
    let says = |text: &str| text.contains("lacks the role");
    match answer.status.as_u16() {
        401 => true,
        403 if door == Door::Console => true,
        // What answers HEAD says it in a header alone.
        403 => says(&String::from_utf8_lossy(&answer.body)) || header("x-error-message").is_some_and(says),
        // Pages say it to people in their own words, and not that there is something that they cannot see.
        303 if door == Door::Console => location.is_some_and(|place| place.contains("sign-in")),
        404 => door == Door::Console,
        _ => false,
    }
}

/// A path of the route, in the project `acme`.
fn path_of(route: &str) -> String {
    let segment = |segment: &str| match segment {
        "{project}" => "acme".to_owned(),
        segment if segment.starts_with('{') => "1".to_owned(),
        segment => segment.to_owned(),
    };
    route.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// What a route's row in the table says about somebody with these roles.
fn allowed(access: Access, known: bool, roles: &Roles) -> bool {
    match access {
        Access::Public | Access::Asked(_) => true,
        Access::Known => known,
        Access::Role(role, On::Anywhere) => roles.contain(role, Place::Anywhere),
        Access::Role(role, On::Everywhere) => roles.contain(role, Place::Everywhere),
        Access::Role(role, On::Segment(_)) => roles.contain(role, Place::Project("acme")),
    }
}

#[test]
fn every_role_meets_every_route() {
    let server = Server::start(Settings::default());
    let table = routes::table();
    let mut tried = 0;
    let mut wrong = Vec::new();
    for asking in callers() {
        for route in &table {
            // What they decide about themselves is asked for below.
            if matches!(route.access, Access::Asked(_)) {
                continue;
            }
            // Some routes end what the others are asked with.
            let token = asking.token(&server);
            let answer = server.ask(&route.method, &path_of(route.path), &token, None);
            tried += 1;
            let expected = allowed(route.access, !asking.is_anonymous(), &asking.effective());
            // No page of this path has anything to show: what is not there is no refusal here.
            let refused = answer.status != 404 && refused(route.door, &answer);
            // A login without a token is refused for another reason.
            let public = matches!(route.access, Access::Public);
            if (expected == refused && !public) || answer.status.is_server_error() && answer.status != 503 {
                wrong.push(format!("{} {} as {asking:?}: {}", route.method, route.path, answer.status));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(tried > 2000, "{tried} pairs");
}

#[test]
fn segments_that_routes_ask_roles_in_are_there() {
    for route in routes::table() {
        if let Access::Role(_, On::Segment(segment)) = route.access {
            assert!(route.path.contains(&format!("{{{segment}}}")), "{} {}", route.method, route.path);
        }
    }
}

#[test]
fn answers_carry_a_name_and_no_way_for_scripts() {
    let server = Server::start(Settings::default());
    for path in ["/healthz", "/api/v1/", "/no/such/page", "/api/v1/models"] {
        let answer = server.ask(&Method::GET, path, "", None);
        let header =
            |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        assert_eq!(header("x-request-id").len(), 32, "{path}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert!(header("content-security-policy").contains("script-src 'self'"), "{path}");
        assert!(!String::from_utf8_lossy(&answer.body).contains("<script"), "{path}");
    }
}

#[test]
fn a_stretch_of_a_blob_is_sent_as_it_is() {
    let blob: Arc<Vec<u8>> = Arc::new((0..3_000_001_u32).map(|number| (number % 251) as u8).collect());
    let runtime = super::listen::runtime().unwrap();
    for range in [0..3_000_001, 0..0, 1..2, 524_287..524_289, 2_999_999..3_000_001, 7..2_500_000] {
        let source = Arc::clone(&blob);
        let read: bytes::ReadAt = Arc::new(move |buffer, offset| {
            let start = usize::try_from(offset).unwrap();
            buffer.copy_from_slice(&source[start..start + buffer.len()]);
            Ok(())
        });
        let body = bytes::stretch(read, range.clone());
        let sent = runtime.block_on(to_bytes(body, usize::MAX)).unwrap();
        let expected = &blob[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()];
        assert!(sent == expected, "{range:?}");
    }
}

#[test]
fn a_stretch_that_cannot_be_read_breaks_off() {
    let runtime = super::listen::runtime().unwrap();
    let read: bytes::ReadAt =
        Arc::new(|_, offset| if offset == 0 { Ok(()) } else { Err(std::io::Error::other("gone")) });
    assert!(runtime.block_on(to_bytes(bytes::stretch(read, 0..2_000_000), usize::MAX)).is_err());
}
