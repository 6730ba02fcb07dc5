use std::{sync::Arc, time::Instant};

use alnage_registry::{FileRecord, Kind, Stage, Version};
use alnage_types::{Digest, Verdict};
use axum::{
    body::Bytes,
    http::{HeaderMap, Method, StatusCode},
    response::IntoResponse as _,
};
use http_body::Body as _;
use serde_json::Value;

use super::{
    Cache, info, query,
    range::{self, OutOfRange},
    reply::Refusal,
};

#[test]
fn parts_of_files_are_read() {
    let table = [
        (None, Ok(None)),
        (Some("bytes=0-0"), Ok(Some(0..1))),
        (Some("bytes=0-"), Ok(Some(0..10))),
        (Some("bytes=3-5"), Ok(Some(3..6))),
        (Some("bytes=3-500"), Ok(Some(3..10))),
        (Some("bytes=-4"), Ok(Some(6..10))),
        (Some("bytes=-40"), Ok(Some(0..10))),
        (Some("bytes=10-"), Err(OutOfRange)),
        (Some("bytes=-0"), Err(OutOfRange)),
        (Some("bytes=5-3"), Ok(None)),
        (Some("bytes=1-2,4-5"), Ok(None)),
        (Some("lines=1-2"), Ok(None)),
        (Some("bytes=18446744073709551615-"), Err(OutOfRange)),
    ];
    for (text, expected) in table {
        assert_eq!(range::parse(text, 10), expected, "{text:?}");
    }
}

#[test]
fn each_refusal_has_the_code_its_clients_look_at() {
    let text = "why\nnot: ä".to_owned();
    let table = [
        (Refusal::NoRepo(text.clone()), 404, "RepoNotFound", false),
        (Refusal::NotOffered(text.clone()), 404, "", false),
        (Refusal::NoRevision(text.clone()), 404, "RevisionNotFound", true),
        (Refusal::NoEntry(text.clone()), 404, "EntryNotFound", false),
        (Refusal::Withheld(text.clone()), 404, "EntryNotFound", true),
        (Refusal::Gated(text.clone()), 403, "GatedRepo", true),
        (Refusal::WhoAsks(text.clone()), 401, "", false),
        (Refusal::Later(text, 7), 503, "", true),
    ];
    for (refusal, status, code, warns) in table {
        let shown = format!("{refusal:?}");
        let response = refusal.into_response();
        let header = |name: &str| response.headers().get(name).map_or("", |value| value.to_str().unwrap());
        assert_eq!(response.status(), StatusCode::from_u16(status).unwrap(), "{shown}");
        assert_eq!(header("x-error-code"), code, "{shown}");
        assert_eq!(header("x-error-message"), "why not: ?", "{shown}");
        let warning = if warns { "alnage; why not: ?" } else { "" };
        assert_eq!(header("x-hf-warning"), warning, "{shown}");
        assert_eq!(header("retry-after"), if status == 503 { "7" } else { "" }, "{shown}");
    }
}

fn file(path: &str, verdict: Verdict) -> FileRecord {
    FileRecord {
        path: path.to_owned(),
        size: 3,
        sha256: Digest::of(path.as_bytes()),
        git_oid: "0".repeat(40),
        lfs: path.ends_with(".safetensors"),
        verdict: Some(verdict),
        format: None,
        served: verdict != Verdict::Block,
        reason: None,
    }
}

fn version() -> Version {
    Version {
        id: 1,
        repo: 1,
        kind: Kind::Model,
        name: "acme/m1".into(),
        commit: "1".repeat(40),
        refname: "main".into(),
        manifest: String::new(),
        message: "title\n\nbody".into(),
        author: "ann".into(),
        parent: None,
        created: 1_795_320_306,
        size: 9,
        files: 3,
        stage: Stage::Approved,
        staged: 0,
        staged_by: "ann".into(),
        expires: None,
        conditions: String::new(),
        verdict: Some(Verdict::Pass),
        effect: None,
        reason: String::new(),
        scan: Some(1),
        released: Default::default(),
    }
}

fn paths(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["path"].as_str().unwrap()).collect()
}

#[test]
fn trees_list_what_is_given_out_and_say_how_it_was_judged() {
    let files = [
        file("a/b/model.safetensors", Verdict::Pass),
        file("a/c", Verdict::Review),
        file("bad.bin", Verdict::Block),
        file("z", Verdict::Pass),
    ];
    let version = version();
    let tree = info::tree(&version, &files, "", true, true);
    assert_eq!(paths(&tree), ["a", "a/b", "a/b/model.safetensors", "a/c", "z"]);
    assert_eq!(tree[2]["lfs"]["oid"], files[0].sha256.to_string());
    assert_eq!(tree[2]["securityFileStatus"]["status"], "safe");
    assert_eq!(tree[3]["securityFileStatus"]["status"], "suspicious");
    assert_eq!(tree[4]["lastCommit"]["title"], "title");
    assert_eq!(paths(&info::tree(&version, &files, "", false, false)), ["a", "z"]);
    assert_eq!(paths(&info::tree(&version, &files, "a", false, false)), ["a/b", "a/c"]);
    let asked = ["a".to_owned(), "bad.bin".to_owned(), "z".to_owned(), "nothing".to_owned()];
    assert_eq!(paths(&info::paths(&version, &files, &asked, false)), ["a", "z"]);
    assert!(!serde_json::to_string(&tree).unwrap().to_lowercase().contains("xet"));
}

#[test]
fn queries_and_forms_are_read() {
    let pairs = query::pairs("paths=a%2Fb&paths=c+d&expand=True&x");
    assert_eq!(pairs[0], ("paths".into(), "a/b".into()));
    assert_eq!(pairs[1], ("paths".into(), "c d".into()));
    assert!(query::is_set(&pairs, "expand"));
    assert_eq!(query::value(&pairs, "x"), Some(""));
}

#[test]
fn what_is_kept_is_given_again_until_anything_changes() {
    let cache = Cache::default();
    let version = Arc::new(Version { expires: Some(100), ..version() });
    let keep = |generation: i64, body: &'static [u8]| {
        cache.keep_answer(
            generation,
            "question".into(),
            &version,
            HeaderMap::new(),
            Bytes::from_static(body),
        );
    };
    let length = |method: &Method, now: u64, may: bool| {
        let answer = cache.answer("question", method, now, |_| may);
        answer.map(|answer| answer.into_body().size_hint().exact().unwrap())
    };
    assert!(!cache.is_fresh(0) && !cache.is_known_fresh(0));
    let asked = Instant::now();
    cache.check(7, asked, 3);
    assert!(cache.is_known_fresh(3), "the records were asked just now");
    assert!(!cache.is_known_fresh(4) && !cache.is_fresh(4), "this process has written since");
    keep(6, b"old");
    assert_eq!(length(&Method::GET, 99, true), None, "it was found before the generation changed");
    keep(7, b"answer");
    assert_eq!(length(&Method::GET, 99, true), Some(6));
    assert_eq!(length(&Method::HEAD, 99, true), Some(0));
    assert_eq!(length(&Method::GET, 99, false), None, "who asks may not have it");
    assert_eq!(length(&Method::GET, 100, true), None, "the approval has expired");
    cache.check(7, Instant::now(), 4);
    assert_eq!(length(&Method::GET, 99, true), Some(6), "what was written changed no answer");
    cache.check(8, Instant::now(), 4);
    assert_eq!(length(&Method::GET, 99, true), None, "something has changed");
}

fn name_of(place: &super::path::Place) -> &'static str {
    use super::path::{Part, Place, Repos};
    match place {
        Place::List(_) => "list",
        Place::WhoAmI => "who-am-i",
        Place::ValidateYaml => "validate-yaml",
        Place::Repos(Repos::Create) => "create",
        Place::Repos(Repos::Delete) => "delete",
        Place::Upload(_) => "upload",
        Place::UploadDone(_) => "upload-done",
        Place::Repo { part, .. } => match part {
            Part::Info(_) => "info",
            Part::Tree(..) => "tree",
            Part::PathsInfo(_) => "paths-info",
            Part::Refs => "refs",
            Part::Commits(_) => "commits",
            Part::Discussions => "discussions",
            Part::MayRead => "may-read",
            Part::MayWrite => "may-write",
            Part::File(..) => "file",
            Part::Preupload(_) => "preupload",
            Part::Commit(_) => "commit",
            Part::Branch(_) => "branch",
            Part::Tag(_) => "tag",
            Part::Settings => "settings",
            Part::XetWrite(_) => "xet-write",
            Part::XetRead(_) => "xet-read",
            Part::LargeFiles => "large-files",
        },
    }
}

/// What is done with a part of a repository has an example in the table, from which every role is tried.
#[test]
fn everything_that_is_done_with_a_repository_has_an_example() {
    use super::{asks, path};
    let table = [
        ("GET", asks::GET),
        ("HEAD", asks::HEAD),
        ("POST", asks::POST),
        ("PUT", asks::PUT),
        ("DELETE", asks::DELETE),
    ];
    let mut places = std::collections::BTreeMap::new();
    let mut known = std::collections::BTreeSet::new();
    for (method, asks) in table {
        for ask in asks {
            let path = ask.path.replace("{commit}", "main").replace("{dataset}", "main");
            let name = name_of(&path::parse(&path).unwrap());
            known.insert((method, name));
            places.insert(name, path);
        }
    }
    assert_eq!(places.len(), 24, "every arm of `name_of` has an example: {:?}", places.keys());
    let server = crate::testing::Server::start(crate::Settings::default());
    let token = server.token("admin", &["security-admin"]);
    for (method, _) in table {
        for (name, path) in &places {
            let answer = server.ask(&method.parse().unwrap(), path, &token, None);
            let says = answer.headers.get("x-error-message").and_then(|value| value.to_str().ok());
            let is_done = !says.is_some_and(|text| text.contains("cannot be done"));
            let is_known = known.contains(&(method, *name));
            assert!(!is_done || is_known, "{method} {path}: {} has no example", answer.status);
        }
    }
}
