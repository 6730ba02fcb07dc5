//! The pages on which people decide, look things up and sign in for programs.

use sha2::{Digest as _, Sha256};

use super::*;

pub(super) fn reviews() -> Reviews {
    let row = |name: &str, verdict: &str, who: &str, votes: &str, reason: &str, since| ReviewRow {
        model: model(name),
        version: commit(name),
        verdict: Mark::of_verdict(verdict),
        who: who.to_owned(),
        votes: votes.to_owned(),
        reason: reason.to_owned(),
        since: Span(since),
        href: "/console/review/311".to_owned(),
    };
    Reviews {
        frame: frame("Reviews", Place::Reviews),
        rows: vec![
            row(
                "vision-lab/yolo-parts-v9",
                "review",
                "vision-engineer",
                "1 approved",
                "assembly line 4, camera upgrade",
                2 * DAY,
            ),
            row("Qwen/Qwen2.5-7B-Instruct", "unknown", "build-agent", "", "nightly evaluation", 5 * HOUR),
            row(
                "free-llm-weights/llama-3-8b-uncensored",
                "block",
                "insurance-lead",
                "1 denied",
                "comparison for a blog post",
                2 * HOUR,
            ),
        ],
        pages: Pages::default(),
    }
}

pub(super) fn review(refusal: Option<&str>) -> Review {
    Review {
        frame: frame("Review", Place::Reviews),
        number: "311".to_owned(),
        model: model("vision-lab/yolo-parts-v9"),
        version: commit("vision-lab/yolo-parts-v9"),
        who: "vision-engineer".to_owned(),
        when: ago(2 * DAY),
        verdict: Mark::of_verdict("review"),
        answer: "A person must look".to_owned(),
        because: "One finding is not known to be harmless. The policy keeps this version in quarantine until somebody decides.".to_owned(),
        reasons: reasons().into_iter().skip(1).collect(),
        reason: "assembly line 4, camera upgrade".to_owned(),
        findings: findings().into_iter().skip(1).collect(),
        findings_total: Count(1),
        evidence: Link::new("All evidence", "/console/model/vision-lab/yolo-parts-v9"),
        votes: vec![VoteRow { who: "risk-officer".to_owned(), mark: Mark::new("Approved", Tone::Good), reason: "read modeling_x.py: a thin wrapper".to_owned(), conditions: String::new(), until: Until(None), when: ago(DAY) }],
        refusal: refusal.map(str::to_owned),
        action: "/console/review/311".to_owned(),
        earliest: "2026-11-23".to_owned(),
        until: "2027-02-20".to_owned(),
        four_eyes: "Two people other than the requester have to approve it. One has.".to_owned(),
    }
}

pub(super) fn exceptions() -> Exceptions {
    let row = |name: &str, rule: &str, reason: &str, until, mark, end: &str| ExceptionRow {
        model: model(name),
        version: commit(name),
        rule: rule.to_owned(),
        reason: reason.to_owned(),
        who: "security-lead".to_owned(),
        until: Until(Some(until)),
        mark,
        end: end.to_owned(),
    };
    Exceptions {
        frame: frame("Exceptions", Place::Exceptions),
        rows: vec![
            row(
                "acme/fraud-gbm",
                "PKL007",
                "LightGBM booster written by our own trainer; converted in the first quarter",
                NOW + 12 * DAY,
                Mark::new("In force", Tone::Look),
                "/console/exceptions/93/end",
            ),
            row(
                "openai-community/gpt2",
                "default/licence-missing",
                "the licence is MIT, stated on the publisher's page",
                NOW - 3 * DAY,
                Mark::new("Ended", Tone::Quiet),
                "",
            ),
        ],
        pages: Pages::default(),
        may_grant: true,
        version: String::new(),
        earliest: "2026-11-23".to_owned(),
    }
}

pub(super) fn revoke() -> Revoke {
    let row = |name: &str, path: &str, stage: &str, owner: &str, deployments: &str| DownstreamRow {
        model: model(name),
        version: commit(name),
        path: path.to_owned(),
        stage: Mark::of_stage(stage),
        owner: owner.to_owned(),
        deployments: deployments.to_owned(),
    };
    Revoke {
        frame: frame("Revoke", Place::Models),
        crumbs: vec![Link::new("Models", "/console/models"), model("acme/contract-summariser")],
        heading: "Before you revoke acme/contract-summariser".to_owned(),
        effect: "Every client is refused from then on. What was made from this version stays as it is, and its owners are told.".to_owned(),
        figures: vec![figure("versions made from it", 3), figure("owners", 2), figure("deployments of those", 4), figure("deployments of itself", 1)],
        rows: vec![
            row("acme/contract-summariser-gguf", "quantised", "approved", "legal", "staging, 1"),
            row("acme/contract-summariser-de", "fine-tuned", "quarantined", "legal", "nowhere"),
            row("legal/clause-finder", "fine-tuned, then fine-tuned", "production", "legal operations", "production, 3"),
        ],
        deployments: running().into_iter().skip(3).take(1).collect(),
        may_revoke: true,
        action: "/console/revoke/x".to_owned(),
        back: "/console/model/acme/contract-summariser".to_owned(),
    }
}

pub(super) fn policy() -> Policy {
    let pack = |name: &str, about: &str, mark| Pack {
        name: Link::new(name, format!("/console/policy?pack={name}")),
        about: about.to_owned(),
        digest: Short(digest(name)),
        mark,
    };
    let rule = |name: &str, effect: &str, about: &str| Rule {
        name: name.to_owned(),
        effect: Mark::of_effect(effect),
        about: about.to_owned(),
    };
    Policy {
        frame: frame("Policy", Place::Policy),
        standing: "The pack default decides about every version here. Each decision is kept with the digest of the pack that made it.".to_owned(),
        packs: vec![
            pack("default", "Blocks what would execute, keeps what is not understood for a person", Mark::new("In force", Tone::Good)),
            pack("strict", "Safetensors alone, sealed, licences of a list, known publishers, no code of a repository", Mark::new("Shipped", Tone::Quiet)),
            pack("eu-ai-act-high-risk", "What articles 10 to 15 ask of a high-risk system, as far as a registry can see it", Mark::new("Shipped", Tone::Quiet)),
        ],
        chosen: "default".to_owned(),
        rules: vec![
            rule("verdict-block", "deny", "The verdict is block, and no exception lifts each finding that decided it"),
            rule("verdict-open", "quarantine", "The verdict is unknown or review"),
            rule("pickle-beside-safetensors", "deny", "Pickled weights stand beside safetensors; the file is withheld, not the repository"),
        ],
        sources: vec![Source { name: "default.rego".to_owned(), text: "package alnage\n\ndeny contains {\"rule\": \"verdict-block\", \"message\": message} if {\n\tinput.verdict == \"block\"\n}\n".to_owned() }],
        of: "free-llm-weights/llama-3-8b-uncensored@main".to_owned(),
        input: "{\n  \"model\": {\"kind\": \"model\", \"name\": \"free-llm-weights/llama-3-8b-uncensored\"},\n  \"verdict\": \"block\",\n  \"findings\": [{\"code\": \"PKL004\", \"severity\": \"critical\"}]\n}".to_owned(),
        answer: Some(Answer { effect: Mark::of_effect("deny"), reasons: reasons(), problem: String::new() }),
    }
}

fn above(left: &[u8], right: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// A tree of five: the proof of leaf 2 has three steps, one on the left and two on the right.
pub(in crate::console::tests) fn proof_of(entry: &str) -> Proof {
    let leaf =
        |text: &str| -> [u8; 32] { Sha256::new().chain_update([0]).chain_update(text).finalize().into() };
    let siblings = [leaf("three"), above(&leaf("nought"), &leaf("one")), leaf("four")];
    let root = above(&above(&siblings[1], &above(&leaf(entry), &siblings[0])), &siblings[2]);
    Proof::compute(entry.as_bytes(), 2, 5, &siblings, &root)
}

const ENTRY: &str = "{\"payloadType\":\"application/vnd.in-toto+json\",\"payload\":\"eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9TdGF0ZW1lbnQvdjEifQ==\",\"signatures\":[{\"keyid\":\"3f9ac2d1\",\"sig\":\"MEUCIQDx\"}]}";

pub(super) fn log() -> Log {
    let row = |number: u64, what: &str, subject: &str, seconds| EntryRow {
        number: Link::new(Count(number).to_string(), format!("/console/log/{number}")),
        what: what.to_owned(),
        subject: model(subject),
        when: ago(seconds),
    };
    Log {
        frame: frame("Transparency log", Place::Log),
        checkpoint: Some(Checkpoint {
            origin: "alnage.example/registry".to_owned(),
            size: Count(4128),
            root: digest("root"),
            mark: Mark::new("Holds", Tone::Good),
            checked: "verified while this page was made".to_owned(),
            text: "alnage.example/registry\n4128\nT3wv2O2dV7n1c0m4qv3hQ0aJk2m1Xo8rY9bZ7uE5a1s=\n\n— alnage.example/registry Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n".to_owned(),
        }),
        entries: vec![
            row(4127, "Revoked", "claims/triage-classifier", 1200),
            row(4126, "Approved", "acme/contract-summariser", 2 * HOUR),
            row(4125, "Rejected by the policy", "free-llm-weights/llama-3-8b-uncensored", 3 * HOUR),
            row(4124, "Quarantined", "free-llm-weights/llama-3-8b-uncensored", 3 * HOUR + 400),
        ],
        pages: Pages { first: String::new(), next: "/console/log?before=4124".to_owned() },
    }
}

pub(super) fn entry() -> Entry {
    Entry {
        frame: frame("Entry 2", Place::Log),
        number: Count(2),
        what: "Approved: acme/contract-summariser, 22 Nov 2026, 14:00".to_owned(),
        mark: Mark::new("In the log", Tone::Good),
        server_says: "The server computed the leaf and three steps and reached the root of its signed checkpoint.".to_owned(),
        bytes: Size(ENTRY.len() as u64),
        text: ENTRY.to_owned(),
        statement: "{\n  \"_type\": \"https://in-toto.io/Statement/v1\",\n  \"predicate\": {\"stage\": \"approved\", \"by\": [\"risk-officer\", \"security-lead\"]}\n}".to_owned(),
        size: Count(5),
        proof: proof_of(ENTRY),
    }
}

pub(super) fn choices(all: &[(&str, &str)]) -> Vec<Choice> {
    all.iter()
        .enumerate()
        .map(|(at, (value, label))| Choice {
            value: (*value).to_owned(),
            label: (*label).to_owned(),
            chosen: at == 0,
        })
        .collect()
}

pub(super) fn deployments() -> Deployments {
    Deployments {
        frame: frame("Deployments", Place::Deployments),
        standing: "138 are reported. One runs a version that is refused now.".to_owned(),
        environments: choices(&[
            ("", "All environments"),
            ("production", "production"),
            ("staging", "staging"),
        ]),
        only: choices(&[("", "Everything"), ("refused", "What is refused now")]),
        rows: running(),
        pages: Pages::default(),
    }
}

pub(super) fn people() -> People {
    let token = |name: &str, of: &str, scopes: &str, days: u64, used| TokenRow {
        name: name.to_owned(),
        of: of.to_owned(),
        scopes: scopes.to_owned(),
        until: Until(Some(NOW + days * DAY)),
        used,
        action: "/console/people/tokens/4/withdraw".to_owned(),
    };
    let person = |name: &str, kind: &str, roles: &str, by: &str, seen| PersonRow {
        name: name.to_owned(),
        kind: kind.to_owned(),
        roles: roles.to_owned(),
        by: by.to_owned(),
        seen: ago(seen),
    };
    People {
        frame: frame("People and tokens", Place::People),
        fresh: "hf_9KcX2mQvT7rLw4ZpYb8Nd1FhJs6GaEuVo3Ri".to_owned(),
        tokens: vec![
            token("laptop", "security-lead", "read, approve", 61, ago(300)),
            token("build server", "build-agent", "read, write", 12, ago(40)),
            token("old notebook", "security-lead", "read", 2, Moment(0)),
        ],
        scopes: choices(&[("read", "Read"), ("write", "Read and write"), ("approve", "Everything I may")]),
        sees_people: true,
        people: vec![
            person("security-lead", "person", "security administrator", "Keycloak", 30),
            person("risk-officer", "person", "reviewer of legal, search", "Keycloak", 3 * HOUR),
            person("vision-engineer", "person", "consumer of manufacturing", "Keycloak", 2 * DAY),
            person("build-agent", "service", "publisher of acme", "GitLab, project acme/*", 40),
        ],
    }
}

pub(super) fn audit() -> Audit {
    let row = |seconds, who: &str, did: &str, subject: &str, answer| AuditRow {
        when: ago(seconds),
        who: who.to_owned(),
        did: did.to_owned(),
        subject: model(subject),
        address: "10.12.4.31".to_owned(),
        answer,
    };
    Audit {
        frame: frame("Audit", Place::Audit),
        who: String::new(),
        rows: vec![
            row(40, "build-agent", "asked for a file", "BAAI/bge-m3", Mark::new("Waits", Tone::Wait)),
            row(1200, "security-lead", "revoked", "claims/triage-classifier", Mark::new("Done", Tone::Good)),
            row(
                1300,
                "insurance-lead",
                "tried to revoke",
                "claims/triage-classifier",
                Mark::new("Refused", Tone::Bad),
            ),
        ],
        pages: Pages { first: String::new(), next: "/console/audit?before=9".to_owned() },
    }
}

pub(super) fn search() -> Search {
    Search {
        frame: frame("Search", Place::Elsewhere),
        q: "summar".to_owned(),
        groups: vec![
            Group {
                name: "Models",
                rows: vec![
                    Hit {
                        what: model("acme/contract-summariser"),
                        detail: "legal".to_owned(),
                        mark: Mark::of_stage("approved"),
                    },
                    Hit {
                        what: model("acme/contract-summariser-gguf"),
                        detail: "legal".to_owned(),
                        mark: Mark::of_stage("approved"),
                    },
                ],
                more: false,
            },
            Group {
                name: "Findings",
                rows: vec![Hit {
                    what: model("facebook/bart-large-cnn"),
                    detail: "CFG002: the summarisation pipeline names code of the repository".to_owned(),
                    mark: Mark::of_severity("medium"),
                }],
                more: true,
            },
        ],
    }
}

pub(super) fn failure() -> Failure {
    Failure {
        frame: frame("Not here", Place::Elsewhere),
        what: "There is no such page",
        why: "Nothing is at this address, or it is in a project that you cannot see.".to_owned(),
        way_out: vec![Link::new("Overview", "/console"), Link::new("All models", "/console/models")],
        request: String::new(),
    }
}

pub(super) fn device() -> Device {
    Device { frame: frame("Sign in a terminal", Place::Elsewhere), code: String::new() }
}
