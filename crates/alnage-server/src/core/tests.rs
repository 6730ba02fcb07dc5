use std::sync::Arc;

use alnage_registry::people::{Place, Role, Roles};
use axum::{body::to_bytes, http::Method};

use super::{Access, Door, On, bytes, routes};
use crate::{Settings, testing::Server};

/// Roles of those who ask: everywhere, in the project that is asked for, in another one.
fn callers() -> Vec<Vec<String>> {
    let mut callers = vec![Vec::new()];
    for role in Role::ALL {
        callers.push(vec![role.to_string()]);
        callers.push(vec![format!("acme:{role}")]);
        callers.push(vec![format!("other:{role}")]);
    }
    callers
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
    for (number, words) in callers().into_iter().enumerate() {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let roles = Roles(words.iter().map(|word| word.parse().unwrap()).collect());
        let anonymous = words.is_empty();
        for route in &table {
            // Ends what the other routes are asked with, or is about nobody's rights.
            if matches!(route.access, Access::Asked(_)) {
                continue;
            }
            let token = if anonymous {
                String::new()
            } else {
                server.token(&format!("somebody-{number}-{tried}"), &words)
            };
            let answer = server.ask(&route.method, &path_of(route.path), &token, None);
            tried += 1;
            let expected = allowed(route.access, !anonymous, &roles);
            let location = answer.headers.get("location").and_then(|place| place.to_str().ok());
            let refused = match answer.status.as_u16() {
                // Pages say it to people, in their own words.
                401 | 403 if route.door == Door::Console => true,
                303 if route.door == Door::Console => location.is_some_and(|place| place.contains("sign-in")),
                401 => answer.json()["code"] == "unauthorized",
                403 => answer.json()["error"].as_str().is_some_and(|error| error.contains("lacks the role")),
                _ => false,
            };
            // A login without a token is refused for another reason.
            let public = matches!(route.access, Access::Public);
            if (expected == refused && !public) || answer.status.is_server_error() && answer.status != 503 {
                wrong.push(format!("{} {} as {words:?}: {}", route.method, route.path, answer.status));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(tried > 500, "{tried} pairs");
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
