use alnage_registry::Kind::{Dataset, Model};

use super::path::{Part, Place, Repos, encoded, parse, waited};

fn check(path: &str, kind: alnage_registry::Kind, name: &str, part: Part) {
    assert_eq!(parse(path), Some(Place::Repo { kind, name: name.to_owned(), part }), "{path}");
}

#[test]
fn paths_of_repositories_are_read_by_their_markers() {
    let s = str::to_owned;
    check("/api/models/acme/m1", Model, "acme/m1", Part::Info(None));
    check("/api/models/gpt2", Model, "gpt2", Part::Info(None));
    check("/api/models/gpt2/revision/main", Model, "gpt2", Part::Info(Some(s("main"))));
    check("/api/datasets/acme/d/revision/refs%2Fpr%2F1", Dataset, "acme/d", Part::Info(Some(s("refs/pr/1"))));
    check("/api/models/acme/m1/revision/refs/pr/1", Model, "acme/m1", Part::Info(Some(s("refs/pr/1"))));
    check("/api/models/acme/m1/tree/main", Model, "acme/m1", Part::Tree(s("main"), s("")));
    check("/api/models/acme/m1/tree/main/", Model, "acme/m1", Part::Tree(s("main"), s("")));
    check("/api/models/acme/m1/tree/main/a%20b/c", Model, "acme/m1", Part::Tree(s("main"), s("a b/c")));
    check("/api/models/acme/m1/paths-info/main", Model, "acme/m1", Part::PathsInfo(s("main")));
    check("/api/models/acme/m1/refs", Model, "acme/m1", Part::Refs);
    check("/api/models/gpt2/refs", Model, "gpt2", Part::Refs);
    check("/api/models/acme/m1/commits/main", Model, "acme/m1", Part::Commits(s("main")));
    check("/api/models/acme/m1/auth-check", Model, "acme/m1", Part::MayRead);
    check("/api/models/acme/m1/auth-check/write", Model, "acme/m1", Part::MayWrite);
    check("/api/models/acme/m1/preupload/main", Model, "acme/m1", Part::Preupload(s("main")));
    check("/api/models/acme/m1/commit/main", Model, "acme/m1", Part::Commit(s("main")));
    check("/api/models/acme/m1/branch/a%2Fb", Model, "acme/m1", Part::Branch(s("a/b")));
    check("/api/models/acme/m1/tag/v1", Model, "acme/m1", Part::Tag(s("v1")));
    check("/api/models/acme/m1/xet-write-token/main", Model, "acme/m1", Part::XetWrite(s("main")));
    check("/acme/m1/resolve/main/config.json", Model, "acme/m1", Part::File(s("main"), s("config.json")));
    check("/gpt2/resolve/main/config.json", Model, "gpt2", Part::File(s("main"), s("config.json")));
    check(
        "/acme/m1/resolve/main/sub%20dir/a%2Bb.txt",
        Model,
        "acme/m1",
        Part::File(s("main"), s("sub dir/a+b.txt")),
    );
    check("/datasets/acme/d/resolve/v1/x.csv", Dataset, "acme/d", Part::File(s("v1"), s("x.csv")));
    check("/datasets/squad/resolve/main/x.csv", Dataset, "squad", Part::File(s("main"), s("x.csv")));
    check(
        "/acme/m1/resolve/refs%2Fpr%2F7/resolve/x",
        Model,
        "acme/m1",
        Part::File(s("refs/pr/7"), s("resolve/x")),
    );
    check("/acme/m1.git/info/lfs/objects/batch", Model, "acme/m1", Part::LargeFiles);
    check("/datasets/acme/d.git/info/lfs/objects/batch", Dataset, "acme/d", Part::LargeFiles);
}

#[test]
fn other_places_have_paths_of_their_own() {
    let table = [
        ("/api/models", Place::List(Model)),
        ("/api/datasets", Place::List(Dataset)),
        ("/api/whoami-v2", Place::WhoAmI),
        ("/api/validate-yaml", Place::ValidateYaml),
        ("/api/repos/create", Place::Repos(Repos::Create)),
        ("/api/repos/delete", Place::Repos(Repos::Delete)),
        ("/-/upload/abc", Place::Upload("abc".into())),
        ("/-/upload/abc/done", Place::UploadDone("abc".into())),
    ];
    for (path, place) in table {
        assert_eq!(parse(path), Some(place), "{path}");
    }
}

#[test]
fn what_is_no_path_of_the_protocol_is_nothing() {
    for path in [
        "/",
        "",
        "/acme",
        "/acme/m1",
        "/api/spaces/acme/s",
        "/spaces/acme/s/resolve/main/app.py",
        "/api/agent-harnesses",
        "/api/models/a/b/c",
        "/api/models/a/b/revision",
        "/api/models/a/b/revision/main/more",
        "/api/models/../b/tree/main",
        "/api/models/a%2Fb/c/tree/main",
        "/a/b/resolve/%00/x",
        "/a/b/resolve/%zz/x",
        "/a/b/resolve/../x",
        "/.hidden/b/resolve/main/x",
        "/a/b.git/resolve/main/x",
        "/v2/a/b/resolve/main/x",
    ] {
        assert_eq!(parse(path), None, "{path}");
    }
}

#[test]
fn a_request_tells_how_often_it_was_made() {
    assert_eq!(waited("/-/wait/3/a/b/resolve/main/x"), (3, "/a/b/resolve/main/x"));
    assert_eq!(waited("/a/b/resolve/main/x"), (0, "/a/b/resolve/main/x"));
    assert_eq!(waited("/-/wait/x/a"), (0, "/-/wait/x/a"));
    assert_eq!(encoded("sub dir/a+b.txt"), "sub%20dir/a%2Bb.txt");
}
