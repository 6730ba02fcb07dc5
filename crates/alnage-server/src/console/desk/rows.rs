//! Records as rows of pages.

use alnage_registry::{Deployment, Event, FileRecord, FindingRecord, Transition, Version};
use serde_json::Value as Json;

use crate::{
    console::{
        address,
        pages::{self, DeploymentRow, FileRow, FindingRow, Reason},
        parts::{Link, Mark, Moment, Short, Size, Tone},
    },
    core::{Answered, State},
};

/// What a version's verdict is.
pub(super) fn verdict(version: &Version) -> Mark {
    Mark::of_verdict(version.verdict.map_or("", |verdict| verdict.as_str()))
}

/// Where a version is on its way.
pub(super) fn stage(version: &Version) -> Mark {
    Mark::of_stage(version.stage.as_str())
}

/// A place that runs a model. Which stage its version is in is asked now.
pub(super) fn deployment(state: &State, found: &Deployment) -> Answered<DeploymentRow> {
    let named = address::subject(&found.model);
    let version = match named {
        Some((kind, name, _)) => state.registry.version(kind, name, &found.commit)?,
        None => None,
    };
    let gone = if found.state == "stopped" { Some(Mark::new("Stopped", Tone::Quiet)) } else { None };
    let stage = gone.or_else(|| version.as_ref().map(stage)).unwrap_or(Mark::new("Not here", Tone::Unclear));
    let model = match &version {
        Some(version) => address::link(version),
        None => address::subject_link(&found.model),
    };
    Ok(DeploymentRow {
        model,
        version: Short(found.commit.clone()),
        stage,
        environment: if found.environment.is_empty() {
            "not said".to_owned()
        } else {
            found.environment.clone()
        },
        place: found.place.clone(),
        by: if found.kind.is_empty() {
            found.reporter.clone()
        } else {
            format!("{}, {}", found.kind, found.reporter)
        },
        seen: Moment(found.last_seen),
    })
}

/// A file of a version that is given out or not.
pub(super) fn file(found: &FileRecord, given_out: bool) -> FileRow {
    let served = match (given_out, found.served) {
        (true, true) => Mark::new("Served", Tone::Good),
        (false, true) => Mark::new("Held", Tone::Wait),
        (_, false) => Mark::new("Withheld", Tone::Bad),
    };
    FileRow {
        path: found.path.clone(),
        format: found.format.clone().unwrap_or_else(|| "not yet known".to_owned()),
        size: Size(found.size),
        digest: Short(found.sha256.to_string().trim_start_matches("sha256:").to_owned()),
        served,
        why: found.reason.clone().unwrap_or_default(),
    }
}

/// A finding, with the place in the documentation that explains its rule.
pub(super) fn finding(found: &FindingRecord) -> FindingRow {
    let severity = if found.suppressed {
        Mark::new("Let pass", Tone::Quiet)
    } else {
        Mark::of_severity(&found.severity)
    };
    FindingRow {
        severity,
        code: found.code.clone(),
        name: found.name.clone(),
        artifact: found.artifact.clone(),
        span: String::new(),
        message: found.message.clone(),
        evidence: found.evidence.clone().unwrap_or_default(),
        way_out: found.remediation.clone(),
        confidence: found.confidence.clone(),
        references: Vec::new(),
    }
}

/// Why the policy decided so, as the decision was stored.
pub(super) fn reasons(decision: &Json) -> Vec<Reason> {
    let all = decision.get("reasons").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    all.iter()
        .take(50)
        .map(|reason| {
            let text = |key: &str| reason.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
            Reason { effect: Mark::of_effect(&text("effect")), rule: text("rule"), message: text("message") }
        })
        .collect()
}

/// A step of a version.
pub(super) fn step(found: &Transition) -> pages::Event {
    let mark = Mark::of_stage(found.after.as_str());
    let what = if found.before.is_empty() { "Came in" } else { mark.word };
    pages::Event {
        when: Moment(found.at),
        tone: mark.tone,
        what: what.to_owned(),
        subject: Link::default(),
        who: found.actor.clone(),
        entry: Link::new(format!("log entry {}", found.entry), format!("/console/log/{}", found.entry)),
        reason: found.reason.clone(),
    }
}

/// What happened, in words, for the list of what happened lately.
pub(super) fn event(found: &Event) -> pages::Event {
    let said = |key: &str| found.payload.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
    let (tone, what) = match &*found.kind {
        "version.added" => (Tone::Wait, "Came in"),
        "version.quarantined" => (Tone::Wait, "Quarantined"),
        "version.approved" => (Tone::Good, "Approved"),
        "version.production" => (Tone::Good, "Moved to production"),
        "version.deprecated" => (Tone::Look, "Deprecated"),
        "version.rejected" => (Tone::Bad, "Rejected"),
        "version.revoked" | "model.revoked" => (Tone::Bad, "Revoked"),
        "approval.requested" => (Tone::Look, "Approval asked for"),
        "approval.voted" => (Tone::Quiet, "Vote about"),
        "deployment.reported" => (Tone::Quiet, "Runs now"),
        "exception.made" => (Tone::Look, "A rule is excepted for"),
        "model.unrevoked" => (Tone::Look, "Revocation taken back"),
        "repo.deleted" => (Tone::Quiet, "Forgotten"),
        "scan.all" => (Tone::Quiet, "Everything is scanned again"),
        other => (Tone::Quiet, other),
    };
    let reason =
        [said("reason"), said("place")].into_iter().find(|text| !text.is_empty()).unwrap_or_default();
    pages::Event {
        when: Moment(found.at),
        tone,
        what: what.to_owned(),
        subject: address::subject_link(&found.subject),
        who: found.actor.clone(),
        entry: Link::default(),
        reason,
    }
}
