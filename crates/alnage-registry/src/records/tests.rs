use alnage_policy::Pack;
use alnage_types::{Digest, Severity, Verdict};

use super::*;
use crate::{
    Error, Registry, Settings, StorePlace,
    blobs::blob_oid,
    testing::{each_registry, now},
};

fn actor(name: &str) -> Actor {
    Actor { name: name.into(), kind: ActorKind::User, address: "127.0.0.1".into() }
}

fn file(registry: &Registry, path: &str, content: &[u8]) -> NewFile {
    let stored = registry.blobs().put(content, None).unwrap();
    NewFile { path: path.into(), size: stored.size, sha256: stored.digest, git_oid: stored.git_oid }
}

fn add(registry: &Registry, name: &str, content: &str) -> Version {
    let files = vec![file(registry, "config.json", content.as_bytes())];
    let new = NewVersion { refname: "main".into(), files, message: content.into(), ..NewVersion::default() };
    registry.add_version(Kind::Model, name, new, &actor("ann")).unwrap()
}

/// What a scan with this verdict found.
fn scan(verdict: Verdict) -> Scan {
    Scan {
        started: now(),
        verdict,
        rules: "rules".into(),
        input: serde_json::json!({"verdict": verdict, "model": {"name": "acme/tiny"}}),
        record: "{}".into(),
        bom: "{}".into(),
        seals: serde_json::json!([]),
        facts: serde_json::json!({}),
        findings: vec![NewFinding {
            code: "PKL004".into(),
            name: "pickle-dangerous-call".into(),
            severity: Severity::High,
            confidence: "high".into(),
            artifact: "config.json".into(),
            message: "a \0 call".into(),
            evidence: None,
            remediation: String::new(),
            suppressed: false,
        }],
        files: vec![("config.json".into(), verdict, "json".into())],
        edges: vec![],
    }
}

fn served(registry: &Registry, name: &str, revision: &str) -> Option<String> {
    match registry.answer(Kind::Model, name, revision).unwrap() {
        Answer::Serve(version) => Some(version.commit),
        _ => None,
    }
}

#[test]
fn nothing_is_given_out_before_it_is_judged_and_the_newest_allowed_is() {
    each_registry(|registry| {
        assert_eq!(registry.answer(Kind::Model, "acme/tiny", "main").unwrap(), Answer::Unknown);
        let first = add(registry, "acme/tiny", "{}");
        assert_eq!(first.stage, Stage::Quarantined);
        assert!(matches!(registry.answer(Kind::Model, "acme/tiny", "main").unwrap(), Answer::Wait { .. }));
        let before = registry.generation().unwrap();
        registry.finish_scan(first.id, &scan(Verdict::Pass)).unwrap();
        assert!(registry.generation().unwrap() > before);
        assert_eq!(served(registry, "acme/tiny", "main").as_ref(), Some(&first.commit));
        let second = add(registry, "acme/tiny", "[]");
        assert_eq!(served(registry, "acme/tiny", "main").as_ref(), Some(&first.commit), "the last allowed");
        assert_eq!(served(registry, "acme/tiny", &second.commit), None);
        registry.finish_scan(second.id, &scan(Verdict::Block)).unwrap();
        let Answer::Ask { reason, .. } = registry.answer(Kind::Model, "acme/tiny", &second.commit).unwrap()
        else {
            panic!("a blocked version is not asked for")
        };
        assert!(!reason.is_empty());
        assert_eq!(served(registry, "acme/tiny", "main").as_ref(), Some(&first.commit));
        let third = add(registry, "acme/tiny", "1");
        registry.finish_scan(third.id, &scan(Verdict::Pass)).unwrap();
        assert_eq!(served(registry, "acme/tiny", "main").as_ref(), Some(&third.commit));
        let repo = registry.repo(Kind::Model, "acme/tiny").unwrap().unwrap();
        assert_eq!((repo.served, repo.head.unwrap().id), (Some(third.id), third.id));
        let listed = registry
            .repos(RepoQuery { search: Some("TINY"), ..RepoQuery::default() }, Page::first(10))
            .unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!(registry.findings(FindingQuery::default(), Page::first(10)).unwrap().len(), 3);
    });
}

#[test]
fn four_eyes_approve_and_time_takes_it_back() {
    each_registry(|registry| {
        let version = add(registry, "acme/odd", "{}");
        let ask = NewRequest {
            version: version.id,
            stage: Stage::Approved,
            reason: "needed",
            expires: Some(now() + 1000),
            conditions: "internal use",
        };
        assert!(
            matches!(registry.request_approval(&ask, &actor("bob")), Err(Error::Conflict(_))),
            "not scanned"
        );
        registry.finish_scan(version.id, &scan(Verdict::Unknown)).unwrap();
        assert!(matches!(registry.answer(Kind::Model, "acme/odd", "main").unwrap(), Answer::Ask { .. }));
        let by_force = registry.transition(version.id, Stage::Approved, "I say so", &actor("eve"));
        assert!(matches!(by_force, Err(Error::Forbidden(_))));
        let request = registry.request_approval(&ask, &actor("bob")).unwrap();
        for own in ["bob", "ann"] {
            let vote = registry.vote(request.id, VoteKind::Approve, "good", None, "", &actor(own));
            assert!(matches!(vote, Err(Error::Forbidden(_))), "{own} must not approve");
        }
        let done = registry.vote(request.id, VoteKind::Approve, "good", None, "", &actor("carol")).unwrap();
        assert_eq!((done.state, done.votes.len()), (RequestState::Approved, 1));
        let version = registry.version(Kind::Model, "acme/odd", "main").unwrap().unwrap();
        assert_eq!((version.stage, version.conditions.as_str()), (Stage::Approved, "internal use"));
        assert!(registry.is_given_out(&version));
        let late = Version { expires: Some(now()), ..version.clone() };
        assert!(!registry.is_given_out(&late), "an approval ends by the clock");
        registry.finish_scan(version.id, &scan(Verdict::Unknown)).unwrap();
        assert!(served(registry, "acme/odd", "main").is_some(), "a person let it pass knowing this");
        let steps = registry.transitions(version.id).unwrap();
        assert_eq!(steps.last().unwrap().after, Stage::Approved);

        let refused = add(registry, "acme/refused", "{}");
        registry.finish_scan(refused.id, &scan(Verdict::Unknown)).unwrap();
        let request = registry
            .request_approval(&NewRequest { version: refused.id, ..ask.clone() }, &actor("bob"))
            .unwrap();
        registry.vote(request.id, VoteKind::Deny, "no", None, "", &actor("carol")).unwrap();
        registry.finish_scan(refused.id, &scan(Verdict::Unknown)).unwrap();
        assert_eq!(
            registry.version_by_id(refused.id).unwrap().unwrap().stage,
            Stage::Rejected,
            "a person's no stays"
        );

        let taken = add(registry, "acme/taken", "{}");
        registry.finish_scan(taken.id, &scan(Verdict::Pass)).unwrap();
        registry.transition(taken.id, Stage::Quarantined, "odd", &actor("carol")).unwrap();
        registry.finish_scan(taken.id, &scan(Verdict::Pass)).unwrap();
        assert_eq!(
            registry.version_by_id(taken.id).unwrap().unwrap().stage,
            Stage::Quarantined,
            "and so does a doubt"
        );
        let open = registry
            .request_approval(&NewRequest { version: taken.id, ..ask.clone() }, &actor("bob"))
            .unwrap();
        registry.revoke("model/acme/taken", "bad", &actor("sec")).unwrap();
        assert_eq!(registry.request(open.id).unwrap().unwrap().state, RequestState::Closed);
    });
}

#[test]
fn exceptions_lift_what_votes_cannot() {
    each_registry(|registry| {
        let version = add(registry, "acme/bad", "{}");
        registry.finish_scan(version.id, &scan(Verdict::Block)).unwrap();
        let version = registry.version_by_id(version.id).unwrap().unwrap();
        assert_eq!(version.stage, Stage::Rejected);
        let ask = NewRequest {
            version: version.id,
            stage: Stage::Approved,
            reason: "x",
            expires: None,
            conditions: "",
        };
        assert!(matches!(registry.request_approval(&ask, &actor("bob")), Err(Error::Forbidden(_))));
        let decision: alnage_policy::Decision =
            serde_json::from_value(registry.scans(version.id).unwrap().remove(0).decision).unwrap();
        let mut made = Vec::new();
        for reason in &decision.reasons {
            let new = NewException {
                version: version.id,
                rule: &reason.rule,
                file: None,
                reason: "looked at by hand",
                expires: now() + 500,
            };
            made.push(registry.exception(&new, &actor("sec")).unwrap().id);
        }
        let lifted = registry.version_by_id(version.id).unwrap().unwrap();
        assert_eq!((lifted.stage, lifted.expires), (Stage::Approved, Some(now() + 500)));
        for id in made {
            registry.end_exception(id, &actor("sec")).unwrap();
        }
        let answer = registry.answer(Kind::Model, "acme/bad", &version.commit).unwrap();
        assert!(matches!(answer, Answer::Recalled { .. }), "it was given out: who has it is stopped");
    });
}

#[test]
fn a_revocation_reaches_everything_made_from_it() {
    each_registry(|registry| {
        let base = add(registry, "acme/base", "{}");
        registry.finish_scan(base.id, &scan(Verdict::Pass)).unwrap();
        let mut last = "model/acme/base".to_owned();
        for name in ["acme/tuned", "other/merged"] {
            let version = add(registry, name, name);
            let edge = Edge { relation: "base-model".into(), subject: last, source: "README.md".into() };
            registry.finish_scan(version.id, &Scan { edges: vec![edge], ..scan(Verdict::Pass) }).unwrap();
            last = format!("model/{name}@{}", version.commit);
        }
        let report = NewDeployment {
            place: "cluster/a/Deployment/x",
            kind: "kubernetes",
            model: "model/other/merged",
            commit: "",
            manifest: "",
            environment: "production",
            owner: "team",
            state: "running",
            details: serde_json::json!({}),
        };
        registry.report_deployment(&report, &actor("agent")).unwrap();
        registry.report_deployment(&report, &actor("agent")).unwrap();
        let radius = registry.blast_radius("model/acme/base").unwrap();
        let names: Vec<&str> = radius.iter().map(|found| found.version.name.as_str()).collect();
        assert_eq!(names, ["acme/base", "acme/tuned", "other/merged"]);
        assert_eq!((radius[2].path.len(), radius[2].deployments.len()), (3, 1));
        let sha256 = format!("sha256:{}", Digest::of(b"{}"));
        assert_eq!(registry.blast_radius(&sha256).unwrap().len(), 3, "by a file of it, too");
        assert!(registry.blast_radius("whatever").is_err());
        let revoked = registry.revoke("model/acme/base", "poisoned", &actor("sec")).unwrap();
        assert_eq!((revoked.revoked.len(), revoked.downstream.len()), (1, 2));
        let answer = registry.answer(Kind::Model, "acme/base", &base.commit).unwrap();
        assert!(matches!(answer, Answer::Recalled { reason, .. } if reason == "poisoned"));
        let again = add(registry, "acme/base", "changed");
        registry.finish_scan(again.id, &scan(Verdict::Pass)).unwrap();
        let again = registry.version_by_id(again.id).unwrap().unwrap();
        assert_eq!(again.stage, Stage::Revoked, "a new version of what is revoked is, too");
        let event = registry
            .events(0, 1000)
            .unwrap()
            .into_iter()
            .find(|event| event.kind == "model.revoked")
            .unwrap();
        assert_eq!(event.payload["downstream"][1]["deployments"][0], "cluster/a/Deployment/x");
    });
}

#[test]
fn what_would_leave_the_tree_is_refused() {
    each_registry(|registry| {
        for path in ["../x", "/x", "a//b", "a/./b", "", "a\\b", "a\nb", ".git/config", "a/../b"] {
            let files = vec![file(registry, path, b"x")];
            let new = NewVersion { files, ..NewVersion::default() };
            let refused = registry.add_version(Kind::Model, "acme/x", new, &actor("ann"));
            assert!(matches!(refused, Err(Error::Invalid(_))), "{path:?}");
        }
        for paths in [["a", "a"], ["a", "a/b"]] {
            let files = paths.map(|path| file(registry, path, b"x")).to_vec();
            let new = NewVersion { files, ..NewVersion::default() };
            assert!(registry.add_version(Kind::Model, "acme/x", new, &actor("ann")).is_err(), "{paths:?}");
        }
        for name in ["", "a/b/c", "../a", "a/", "-a", "a--b", "a b", "é"] {
            assert!(registry.create_repo(Kind::Model, name, &actor("ann")).is_err(), "{name:?}");
        }
        assert!(registry.repos(RepoQuery::default(), Page::first(10)).unwrap().is_empty());
    });
}

#[test]
fn pages_of_repositories_leave_none_out_and_give_none_twice() {
    each_registry(|registry| {
        let mut all = Vec::new();
        for name in ["acme/one", "acme/two", "bravo/three"] {
            for kind in [Kind::Dataset, Kind::Model] {
                all.push(registry.create_repo(kind, name, &actor("ann")).unwrap().place());
            }
        }
        for limit in 1..=7 {
            let (mut seen, mut after) = (Vec::new(), String::new());
            loop {
                let page = registry.repos(RepoQuery::default(), Page { after: &after, limit }).unwrap();
                let Some(last) = page.last() else { break };
                after = last.place();
                seen.extend(page.iter().map(Repo::place));
            }
            assert_eq!(seen, all, "{limit} a page");
        }
        let after = registry.repos(RepoQuery::default(), Page { after: "acme/one", limit: 1 }).unwrap();
        assert_eq!(after[0].place(), "acme/two dataset", "after a name come other names");
    });
}

#[test]
fn every_step_is_in_a_log_that_a_stranger_verifies() {
    each_registry(|registry| {
        for number in 0..3 {
            let version = add(registry, "acme/logged", &number.to_string());
            registry.finish_scan(version.id, &scan(Verdict::Pass)).unwrap();
        }
        let mut lines = Vec::new();
        registry
            .log_export(&mut |line| {
                lines.push(line.to_owned());
                Ok(())
            })
            .unwrap();
        assert_eq!(lines.len(), 7, "a head, and two steps of each version");
        let checkpoint = registry.log_checkpoint().unwrap().unwrap();
        assert_eq!(checkpoint.size, 6);
        let receipt = registry.log_receipt(4).unwrap();
        let logged = alnage_log::Receipt::parse(&receipt).unwrap().verify(registry.log_verifier()).unwrap();
        let statement = registry.log_statement(4).unwrap().unwrap();
        assert_eq!(logged.entry.statement.to_string(), statement.digest);
        let key = alnage_sign::VerifyingKey::from_pem(&registry.statement_key()).unwrap();
        let said = alnage_sign::verify_attestation(statement.envelope.as_bytes(), &key).unwrap();
        assert_eq!(said.statement().predicate["after"], "quarantined");
        assert_eq!(registry.log_statements(None, None, 100).unwrap().len(), 6);
        assert!(registry.log_object("tile/0/000.p/6").unwrap().is_some());
        assert!(registry.log_object("tile/0/000.p/5").unwrap().is_some());
    });
}

#[test]
fn the_same_commit_twice_is_one_version_and_deleting_leaves_nothing() {
    each_registry(|registry| {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        for _ in 0..2 {
            let new = NewVersion {
                commit: Some(commit.into()),
                refname: "main".into(),
                files: vec![
                    file(registry, "a/b.txt", b"x"),
                    file(registry, "c.txt", b"y"),
                    file(registry, "Z", b"z"),
                ],
                ..NewVersion::default()
            };
            let version = registry.add_version(Kind::Dataset, "texts", new, &actor("ann")).unwrap();
            assert_eq!(version.commit, commit);
        }
        let versions = registry.versions(Kind::Dataset, "texts", Page::first(10)).unwrap();
        assert_eq!(versions.len(), 1);
        let id = versions[0].id;
        let paths = |prefix: &str, after: &str| -> Vec<String> {
            registry.files(id, prefix, after, 10).unwrap().into_iter().map(|file| file.path).collect()
        };
        assert_eq!(paths("", ""), ["Z", "a/b.txt", "c.txt"], "in the order of bytes");
        assert_eq!(paths("", "a/b.txt"), ["c.txt"]);
        assert_eq!(paths("a/", ""), ["a/b.txt"]);
        assert_eq!(paths("a", "Z"), ["a/b.txt"]);
        let one = registry.file(id, "c.txt").unwrap().unwrap();
        assert_eq!(one.git_oid, blob_oid(1, &b"y"[..]).unwrap());
        assert!(!one.lfs && one.served);
        registry.add_ref(Kind::Dataset, "texts", "v1", RefKind::Tag, commit).unwrap();
        assert_eq!(registry.refs(Kind::Dataset, "texts").unwrap().len(), 2);
        assert!(registry.set_ref(Kind::Dataset, "texts", "x..y", commit).is_err());
        registry.delete_repo(Kind::Dataset, "texts", &actor("ann")).unwrap();
        assert!(registry.version_by_id(id).unwrap().is_none());
        assert_eq!(registry.answer(Kind::Dataset, "texts", commit).unwrap(), Answer::Unknown);
        assert_eq!(registry.stats().unwrap().repos, 0);
    });
}

#[test]
fn reads_are_audited_in_order() {
    each_registry(|registry| {
        let ann = actor("ann");
        let line = |target| AuditEntry { actor: &ann, action: "download", target, outcome: "ok", detail: "" };
        registry.audit(&[line("one"), line("two")]).unwrap();
        registry.audit(&[line("three")]).unwrap();
        let targets: Vec<String> = registry
            .audit_log(Some("ann"), Page::first(10))
            .unwrap()
            .into_iter()
            .map(|line| line.target)
            .collect();
        assert_eq!(targets, ["three", "two", "one"]);
        assert!(registry.audit_log(Some("eve"), Page::first(10)).unwrap().is_empty());
    });
}

#[test]
fn a_registry_is_opened_again_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings::below(folder.path(), Pack::shipped("default").unwrap());
    assert!(matches!(settings.store, StorePlace::Directory(_)));
    let registry = Registry::open(settings.clone(), now).unwrap();
    let version = add(&registry, "acme/tiny", "{}");
    let key = registry.log_verifier().to_string();
    drop(registry);
    let registry = Registry::open(settings, now).unwrap();
    assert_eq!(registry.version_by_id(version.id).unwrap(), Some(version));
    assert_eq!(registry.log_verifier().to_string(), key);
}
