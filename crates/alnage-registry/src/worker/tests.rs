use std::{
    io::{Read, Write},
    net::TcpListener,
};

use super::*;
use crate::{
    Actor, Answer, FindingQuery, Kind, NewFile, NewVersion, Page, Stage, Version,
    testing::{each_registry, now},
};

fn add(registry: &Registry, name: &str, files: &[(&str, &[u8])]) -> Version {
    let files = files
        .iter()
        .map(|(path, content)| {
            let stored = registry.blobs().put(*content, None).unwrap();
            NewFile {
                path: (*path).into(),
                size: stored.size,
                sha256: stored.digest,
                git_oid: stored.git_oid,
            }
        })
        .collect();
    let new = NewVersion { refname: "main".into(), files, ..NewVersion::default() };
    registry.add_version(Kind::Model, name, new, &Actor::system("test")).unwrap()
}

/// `os.system("id")` when loaded.
pub(super) const WEAPON: &[u8] = b"cos\nsystem\n(S'id'\ntR.";

#[test]
fn a_scan_judges_what_is_stored_and_says_why() {
    each_registry(|registry| {
        let card = b"---\nlicense: mit\nbase_model: acme/base\n---\n# Tiny\n";
        let header = br#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
        let mut weights = (header.len() as u64).to_le_bytes().to_vec();
        weights.extend_from_slice(header);
        weights.extend_from_slice(&[0; 4]);
        let good = add(
            registry,
            "acme/tiny",
            &[
                ("README.md", card),
                ("model.safetensors", &weights),
                (".gitattributes", b"*.bin filter=lfs\n"),
            ],
        );
        let bad = add(registry, "acme/evil", &[("pytorch_model.bin", WEAPON)]);
        while run_one(registry, &["scan"]).unwrap() {}
        let good = registry.version_by_id(good.id).unwrap().unwrap();
        let bad = registry.version_by_id(bad.id).unwrap().unwrap();
        assert_eq!(bad.stage, Stage::Rejected, "{}", bad.reason);
        assert_eq!(registry.jobs(None, Page::first(5)).unwrap(), [], "{}", good.reason);
        let scan = registry.scans(good.id).unwrap().remove(0);
        assert_eq!(good.stage, Stage::Approved, "{}", scan.decision);
        assert_eq!(scan.facts["license"], "MIT");
        assert!(registry.scan_bom(scan.id).unwrap().unwrap().contains("CycloneDX"));
        assert_eq!(registry.edges(good.id).unwrap()[0].subject, "model/acme/base");
        let found = registry
            .findings(FindingQuery { version: Some(bad.id), ..FindingQuery::default() }, Page::first(10))
            .unwrap();
        assert!(found.iter().any(|finding| finding.severity == "critical" || finding.severity == "high"));
        let file = registry.file(bad.id, "pytorch_model.bin").unwrap().unwrap();
        assert_eq!(file.verdict, Some(alnage_types::Verdict::Block));
        assert!(matches!(registry.answer(Kind::Model, "acme/evil", "main").unwrap(), Answer::Ask { .. }));
        assert_eq!(
            std::fs::read_dir(registry.scratch().join("scans")).unwrap().count(),
            0,
            "scratch is swept"
        );
    });
}

#[test]
fn what_is_missing_is_tried_again_and_never_given_out() {
    each_registry(|registry| {
        let version = add(registry, "acme/gone", &[("a.txt", b"only here")]);
        let file = registry.file(version.id, "a.txt").unwrap().unwrap();
        registry.blobs().delete(file.sha256).unwrap();
        assert!(run_one(registry, &["scan"]).unwrap());
        assert!(matches!(registry.answer(Kind::Model, "acme/gone", "main").unwrap(), Answer::Wait { .. }));
    });
}

#[test]
fn receivers_are_told_and_know_by_whom() {
    each_registry(|registry| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let system = Actor::system("test");
        registry.add_webhook(&url, "a secret of its own", "model.*", &system).unwrap();
        assert!(registry.add_webhook("ftp://x", "a secret of its own", "*", &system).is_err());
        registry.revoke("model/acme/base", "poisoned", &system).unwrap();
        std::thread::scope(|scope| {
            let heard = scope.spawn(|| {
                // The first time it does not listen.
                let mut all = Vec::new();
                for status in ["500 No", "204 Yes"] {
                    let (mut stream, _) = listener.accept().unwrap();
                    let mut text = String::new();
                    let mut buffer = [0; 4096];
                    while !text.contains("poisoned") {
                        let count = stream.read(&mut buffer).unwrap();
                        text.push_str(&String::from_utf8_lossy(&buffer[..count]));
                    }
                    write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                        .unwrap();
                    all.push(text);
                }
                all
            });
            assert!(run_one(registry, &["notify"]).unwrap());
            let waiting = registry.jobs(Some("ready"), Page::first(5)).unwrap();
            assert!(waiting.iter().any(|job| job.kind == "notify" && job.message.contains("500")));
            registry
                .write(|transaction| transaction.execute("UPDATE jobs SET due = 0", &[]).map(|_| ()))
                .unwrap();
            assert!(run_one(registry, &["notify"]).unwrap());
            let heard = heard.join().unwrap();
            let (head, body) = heard[1].split_once("\r\n\r\n").unwrap();
            let signature = format!("t={},v1={}", now(), sign("a secret of its own", now(), body));
            assert!(head.contains(&signature), "{head}");
        });
        assert_eq!(registry.webhooks().unwrap()[0].last_status, "204 No Content");
    });
}

#[test]
fn nobody_inside_a_network_is_told_unless_that_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let system = Actor::system("test");
    let [named, other] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
    let mut settings =
        crate::Settings::below(folder.path(), alnage_policy::Pack::shipped("default").unwrap());
    settings.receivers.hosts.push(format!("http://127.0.0.1:{}", port(&named)));
    let registry = Registry::open(settings, now).unwrap();
    let add = |url: &str| registry.add_webhook(url, "a secret of its own", "model.*", &system);
    for url in [
        "http://127.0.0.1:1/x",
        "http://localhost:1/x",
        "http://hooks.example.org/x",
        "https://10.0.0.1/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/x",
        "https://user:secret@hooks.example.org/x",
        &format!("http://127.0.0.1:{}/x", port(&other)),
    ] {
        assert!(matches!(add(url), Err(Error::Invalid(_))), "{url}");
    }
    // A name that leads to this machine shows only when it is asked for.
    let hidden = add(&format!("https://localhost:{}/x", port(&other))).unwrap();
    let told = |hook: i64| {
        registry.revoke(&format!("model/acme/m{hook}"), "poisoned", &system).unwrap();
        while run_one(&registry, &["notify"]).unwrap() {}
        registry.webhooks().unwrap().into_iter().find(|known| known.id == hook).unwrap().last_status
    };
    assert!(told(hidden).contains("inside a network"), "{}", told(hidden));
    registry.delete_webhook(hidden).unwrap();
    // Somebody who may be told leads to somebody who may not.
    let leading = add(&format!("http://127.0.0.1:{}/x", port(&named))).unwrap();
    let elsewhere = port(&other);
    let led = std::thread::spawn(move || {
        let (mut stream, _) = named.accept().unwrap();
        let mut text = String::new();
        while !text.contains("poisoned") {
            let mut buffer = [0; 4096];
            let count = stream.read(&mut buffer).unwrap();
            text.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
        let to = format!("http://127.0.0.1:{elsewhere}/secrets");
        write!(
            stream,
            "HTTP/1.1 307 There\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
    });
    assert!(told(leading).starts_with("307"), "{}", told(leading));
    led.join().unwrap();
    other.set_nonblocking(true).unwrap();
    assert!(other.accept().is_err(), "somebody came");
}

#[test]
fn signatures_are_those_that_others_compute() {
    // Python: hmac.new(b"key", b"1.body", "sha256").hexdigest()
    assert_eq!(sign("key", 1, "body"), "91b5374b153842ad05b2c4eab9349b8321b14703165bd3fb8b034dfb8be98ae5");
}
