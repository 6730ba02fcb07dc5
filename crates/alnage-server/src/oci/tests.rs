//! Paths are read as every client writes them.

use super::path::{Place, parse};

#[test]
fn paths_are_read_whatever_the_name_has() {
    let text = str::to_owned;
    let digest = format!("sha256:{}", "a".repeat(64));
    let check = |path: &str, wanted: Option<Place>| assert_eq!(parse(path), wanted, "{path}");
    let name = || text("acme/tiny");
    check("acme/tiny/manifests/latest", Some(Place::Manifest { name: name(), reference: text("latest") }));
    check("tiny/manifests/v1.0", Some(Place::Manifest { name: text("tiny"), reference: text("v1.0") }));
    check("library/tiny/manifests/q4", Some(Place::Manifest { name: text("tiny"), reference: text("q4") }));
    check(
        &format!("acme/tiny/manifests/{digest}"),
        Some(Place::Manifest { name: name(), reference: digest.clone() }),
    );
    check(&format!("acme/tiny/blobs/{digest}"), Some(Place::Blob { name: name(), digest: digest.clone() }));
    check("acme/tiny/blobs/uploads/", Some(Place::Uploads { name: name() }));
    check("acme/tiny/blobs/uploads", Some(Place::Uploads { name: name() }));
    check("acme/tiny/blobs/uploads/u1", Some(Place::Upload { name: name(), id: text("u1") }));
    check("acme/tiny/tags/list", Some(Place::Tags { name: name() }));
    check("tags/list/tags/list", Some(Place::Tags { name: text("tags/list") }));
    check(&format!("acme/tiny/referrers/{digest}"), Some(Place::Referrers { name: name(), digest }));
    for path in [
        "",
        "shards",
        "manifests/latest",
        "a/b/c/manifests/latest",
        "acme/../manifests/x",
        "a/b/manifests/",
        "a//tags/list",
    ] {
        check(path, None);
    }
}

fn name_of(place: &Place) -> &'static str {
    match place {
        Place::Manifest { .. } => "manifest",
        Place::Blob { .. } => "blob",
        Place::Uploads { .. } => "uploads",
        Place::Upload { .. } => "upload",
        Place::Tags { .. } => "tags",
        Place::Referrers { .. } => "referrers",
    }
}

/// What is done with an artifact has an example in the table, from which every role is tried.
#[test]
fn everything_that_is_done_with_an_artifact_has_an_example() {
    use super::{APPEND, BEGIN, CANCEL, FINISH, PULL};
    let digest = format!("sha256:{}", "a".repeat(64));
    let table = [("GET", PULL), ("POST", BEGIN), ("PATCH", APPEND), ("PUT", FINISH), ("DELETE", CANCEL)];
    let mut places = std::collections::BTreeMap::new();
    let mut known = std::collections::BTreeSet::new();
    for (method, asks) in table {
        for ask in asks {
            let path =
                ask.path.replace("{blob}", &digest).replace("{artifact}", &digest).replace("{upload}", "u1");
            let path = path.split('?').next().unwrap().to_owned();
            let name = name_of(&parse(path.strip_prefix("/v2/").unwrap()).unwrap());
            known.insert((method, name));
            places.insert(name, path);
        }
    }
    assert_eq!(places.len(), 6, "every arm of `name_of` has an example: {:?}", places.keys());
    let server = crate::testing::Server::start(crate::Settings::default());
    let token = server.token("admin", &["security-admin"]);
    for (method, _) in table {
        for (name, path) in &places {
            let status = server.ask(&method.parse().unwrap(), path, &token, None).status;
            let is_known = known.contains(&(method, *name));
            assert!(status == 405 || is_known, "{method} {path}: {status} has no example");
        }
    }
}
