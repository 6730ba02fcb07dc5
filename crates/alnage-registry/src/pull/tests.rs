use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use alnage_policy::Pack;
use sha1::{Digest as _, Sha1};

use super::{State, ask, files};
use crate::{Answer, Kind, Registry, Settings, upstream, worker};

const COMMIT: &str = "0123456789012345678901234567890123456789";

/// What the hub of a test does.
#[derive(Default)]
struct Hub {
    files: BTreeMap<String, Vec<u8>>,
    /// What it lists for a file in place of what it gives.
    listed: BTreeMap<String, String>,
    /// How many bodies break off before the end.
    breaks: Mutex<usize>,
    requests: Mutex<Vec<String>>,
}

impl Hub {
    fn with(files: &[(&str, &[u8])]) -> Self {
        let files = files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect();
        Self { files, ..Self::default() }
    }

    fn start(self) -> (Arc<Self>, String) {
        let hub = Arc::new(self);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Arc::clone(&hub);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let server = Arc::clone(&server);
                thread::spawn(move || server.answer(stream.unwrap()));
            }
        });
        (hub, url)
    }

    fn answer(&self, mut stream: TcpStream) {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
        let Some(request) = lines.next() else { return };
        let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        let range = headers
            .iter()
            .find_map(|line| line.to_lowercase().strip_prefix("range: bytes=").map(str::to_owned));
        let from: usize = range.as_ref().map_or(0, |range| range.trim_end_matches('-').parse().unwrap());
        self.requests.lock().unwrap().push(format!("{} {from}", request.trim_end_matches(" HTTP/1.1")));
        let path = request.split(' ').nth(1).unwrap();
        let (status, body) = if path.contains("/revision/nothing") {
            ("404 Not Found\r\nx-error-code: RevisionNotFound", Vec::new())
        } else if path.contains("/revision/") {
            ("200 OK", format!(r#"{{"id":"acme/m1","sha":"{COMMIT}"}}"#).into_bytes())
        } else if path.contains("/tree/") {
            ("200 OK", self.tree().into_bytes())
        } else {
            let name = path.rsplit_once(&format!("{COMMIT}/")).unwrap().1;
            ("206 Partial Content", self.files.get(name).unwrap()[from..].to_vec())
        };
        let is_file = status.starts_with("206");
        let part = if is_file { format!("content-range: bytes {from}-9/9\r\n") } else { String::new() };
        let head =
            format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{part}\r\n", body.len());
        stream.write_all(head.as_bytes()).unwrap();
        let mut breaks = self.breaks.lock().unwrap();
        let sent = if is_file && *breaks > 0 { body.len() / 2 } else { body.len() };
        *breaks = breaks.saturating_sub(usize::from(is_file));
        drop(breaks);
        stream.write_all(&body[..sent]).unwrap();
    }

    fn tree(&self) -> String {
        let entries = self.files.iter().map(|(path, bytes)| {
            let mut git = Sha1::new();
            git.update(format!("blob {}\0", bytes.len()));
            git.update(bytes);
            let git: String = git.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            let oid = self.listed.get(path).unwrap_or(&git);
            serde_json::json!({ "type": "file", "path": path, "size": bytes.len(), "oid": oid })
        });
        serde_json::to_string(&entries.collect::<Vec<_>>()).unwrap()
    }

    fn count(&self, part: &str) -> usize {
        self.requests.lock().unwrap().iter().filter(|request| request.contains(part)).count()
    }
}

fn open(folder: &std::path::Path, url: &str) -> Registry {
    let mut settings = Settings::below(folder, Pack::shipped("default").unwrap());
    settings.upstream = Some(upstream::Settings { url: url.to_owned(), ..upstream::Settings::default() });
    Registry::open(settings, || 1_795_320_306).unwrap()
}

fn work(registry: &Registry) {
    while worker::run_one(registry, &["pull"]).unwrap() {}
}

#[test]
fn many_who_ask_cause_one_pull_and_nothing_is_given_before_the_verdict() {
    let (hub, url) = Hub::with(&[("config.json", b"{}"), ("dir/text", b"some text"), ("empty", b"")]).start();
    *hub.breaks.lock().unwrap() = 2;
    let folder = tempfile::tempdir().unwrap();
    let registry = open(folder.path(), &url);
    let name = "acme/m1";
    assert_eq!(registry.answer(Kind::Model, name, "main").unwrap(), Answer::Unknown);
    for _ in 0..10 {
        let pull = ask(&registry, Kind::Model, name, "main").unwrap().unwrap();
        assert_eq!(pull.state, State::Asked);
    }
    work(&registry);
    assert_eq!(hub.count("/revision/main"), 1);
    assert_eq!(hub.count(&format!("/resolve/{COMMIT}/empty")), 1);
    assert!(hub.count("/dir/text 4") + hub.count("/config.json 1") >= 1, "{:?}", hub.requests);
    let Answer::Wait { version, .. } = registry.answer(Kind::Model, name, "main").unwrap() else {
        panic!("it is given out, or gone")
    };
    assert_eq!(version.commit, COMMIT);
    let record = registry.file(version.id, "dir/text").unwrap().unwrap();
    assert_eq!((record.size, record.lfs), (9, false));
    assert_eq!(registry.blobs().read(record.sha256, 100).unwrap().unwrap(), b"some text");
    assert_eq!(registry.repo(Kind::Model, name).unwrap().unwrap().origin, url);
    let pull = ask(&registry, Kind::Model, name, "main").unwrap().unwrap();
    assert_eq!((pull.state, pull.revision.as_str()), (State::Done, COMMIT));
    assert!(files(&registry, &pull).unwrap().is_empty());
    assert_eq!(std::fs::read_dir(registry.scratch().join("pulls")).unwrap().count(), 0);
}

#[test]
fn what_a_dead_process_brought_is_not_brought_again() {
    let (hub, url) = Hub::with(&[("a", b"0123456789"), ("b", b"bbbb")]).start();
    let folder = tempfile::tempdir().unwrap();
    let registry = open(folder.path(), &url);
    ask(&registry, Kind::Model, "acme/m1", COMMIT).unwrap();
    let scratch = registry.scratch().join("pulls");
    let place =
        scratch.join(alnage_types::Digest::of(format!("model/acme/m1@{COMMIT}").as_bytes()).to_string());
    std::fs::create_dir_all(&place).unwrap();
    let part = |path: &str| place.join(format!("{}.part", alnage_types::Digest::of(path.as_bytes())));
    std::fs::write(part("a"), b"01234").unwrap();
    // What is there may be anything: it is found out at the end, and brought anew.
    std::fs::write(part("b"), b"xx").unwrap();
    work(&registry);
    assert_eq!((hub.count("/a 5"), hub.count("/a 0")), (1, 0));
    assert_eq!((hub.count("/b 2"), hub.count("/b 0")), (1, 1));
    let version = registry.version(Kind::Model, "acme/m1", COMMIT).unwrap().unwrap();
    let record = registry.file(version.id, "a").unwrap().unwrap();
    assert_eq!(registry.blobs().read(record.sha256, 100).unwrap().unwrap(), b"0123456789");
}

#[test]
fn bytes_that_are_not_those_that_are_listed_are_refused() {
    for listed in ["1".repeat(40), "2".repeat(64)] {
        let mut hub = Hub::with(&[("a", b"0123456789")]);
        hub.listed.insert("a".into(), listed);
        let (_, url) = hub.start();
        let folder = tempfile::tempdir().unwrap();
        let registry = open(folder.path(), &url);
        ask(&registry, Kind::Dataset, "acme/m1", "main").unwrap();
        work(&registry);
        let pull = ask(&registry, Kind::Dataset, "acme/m1", "main").unwrap().unwrap();
        assert_eq!(pull.state, State::Refused, "{}", pull.message);
        assert_eq!(registry.answer(Kind::Dataset, "acme/m1", "main").unwrap(), Answer::Unknown);
    }
}

#[test]
fn what_the_upstream_does_not_have_is_remembered_a_while() {
    let (hub, url) = Hub::default().start();
    let folder = tempfile::tempdir().unwrap();
    let registry = open(folder.path(), &url);
    for _ in 0..3 {
        ask(&registry, Kind::Model, "acme/m1", "nothing").unwrap();
        work(&registry);
    }
    let pull = ask(&registry, Kind::Model, "acme/m1", "nothing").unwrap().unwrap();
    assert_eq!((pull.state, hub.count("/revision/nothing")), (State::NoRevision, 1));
}
