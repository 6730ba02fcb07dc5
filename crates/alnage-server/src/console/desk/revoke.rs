//! What depends on a version, and its revocation.

use std::collections::BTreeSet;

use alnage_registry::{Downstream, Stage, Version, people::Role};

use super::{actor, lineage, may, rows, version::Change};
use crate::{
    auth::Caller,
    console::{
        address,
        pages::{DownstreamRow, Figure, Revoke},
        parts::{Count, Link, Place},
        respond,
    },
    core::{Answered, Failure, State},
};

/// Rows that the page shows.
const ROWS: usize = 500;

pub(super) fn load(state: &State, caller: &Caller, version: &Version) -> Answered<Revoke> {
    let all = state.registry.blast_radius(&lineage::subject(version))?;
    let (own, downstream): (Vec<_>, Vec<_>) = all.iter().partition(|found| found.version.id == version.id);
    let owners: BTreeSet<&str> =
        downstream.iter().map(|found| &*found.owner).filter(|owner| !owner.is_empty()).collect();
    let running: usize = downstream.iter().map(|found| found.deployments.len()).sum();
    let figure = |label, count: usize| Figure { label, count: Count(count as u64), href: String::new() };
    let mut deployments = Vec::new();
    for deployment in own.iter().flat_map(|found| &found.deployments).take(ROWS) {
        deployments.push(rows::deployment(state, deployment)?);
    }
    let mut shown = Vec::new();
    for found in downstream.iter().take(ROWS) {
        shown.push(row(state, caller, found)?);
    }
    let revoked = version.stage == Stage::Revoked;
    let reviewer = may(caller, Role::Reviewer, &version.name);
    Ok(Revoke {
        frame: respond::frame(state, caller, "Revoke", Place::Models, "")?,
        crumbs: vec![Link::new("Models", "/console/models"), address::link(version)],
        heading: match (revoked, reviewer) {
            (true, _) => format!("What depends on {}, which is revoked", version.name),
            (false, true) => format!("Before you revoke {}", version.name),
            (false, false) => format!("What depends on {}", version.name),
        },
        effect: "Revoking refuses this version to every client. What was made from it stays as it is, and its owners are told."
            .to_owned(),
        figures: vec![
            figure("versions made from it", downstream.len()),
            figure("owners", owners.len()),
            figure("deployments of those", running),
            figure("deployments of itself", deployments.len()),
        ],
        rows: shown,
        deployments,
        may_revoke: reviewer && !revoked,
        action: address::part(version, "revoke"),
        back: address::link(version).href,
    })
}

fn row(state: &State, caller: &Caller, found: &Downstream) -> Answered<DownstreamRow> {
    let places: BTreeSet<&str> =
        found.deployments.iter().map(|deployment| &*deployment.environment).collect();
    let deployments = match found.deployments.len() {
        0 => "nowhere".to_owned(),
        count => format!("{}: {count}", Vec::from_iter(places).join(", ")),
    };
    let seen = may(caller, Role::Viewer, &found.version.name);
    let by: Vec<&str> = found.path.iter().skip(1).rev().skip(1).rev().map(|step| name_of(step)).collect();
    let relation = lineage::relation_of(state, found)?;
    Ok(DownstreamRow {
        model: if seen {
            address::link(&found.version)
        } else {
            Link::new("in a project that you cannot see", "")
        },
        version: address::short(&found.version),
        path: if by.is_empty() { relation } else { format!("{relation}, by way of {}", by.join(", ")) },
        stage: rows::stage(&found.version),
        owner: found.owner.clone(),
        deployments,
    })
}

fn name_of(subject: &str) -> &str {
    let name = subject.split_once('/').map_or(subject, |(_, name)| name);
    name.split_once('@').map_or(name, |(name, _)| name)
}

pub(super) fn revoke(state: &State, caller: &Caller, version: &Version, form: &Change) -> Answered<()> {
    if form.sure != "yes" {
        return Err(Failure::invalid("say that you have read what depends on it"));
    }
    state.registry.revoke(&lineage::subject(version), &form.reason, &actor(caller))?;
    Ok(())
}
