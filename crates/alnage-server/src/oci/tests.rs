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
