//! Models and versions in the words of MLflow.

use alnage_registry::{Answer, Kind, Page, Registry, Stage, Version, numbered};
use serde_json::{Value, json};

use super::shown;
use crate::core::{Answered, Failure};

/// A model with its newest version.
pub(super) fn model(registry: &Registry, name: &str) -> Answered<Option<Value>> {
    let Some(repo) = registry.repo(Kind::Model, name)? else { return Ok(None) };
    let latest = registry.versions(Kind::Model, name, Page::first(1))?;
    let latest =
        latest.iter().map(|newest| version(registry, newest)).collect::<Result<Vec<_>, Failure>>()?;
    Ok(Some(json!({
        "name": shown(name),
        "creation_timestamp": repo.created.saturating_mul(1000),
        "last_updated_timestamp": repo.updated.saturating_mul(1000),
        "description": format!("{name}, from {}", repo.origin),
        "latest_versions": latest,
        "tags": [],
        "aliases": aliases(registry, name)?,
    })))
}

/// A version.
pub(super) fn version(registry: &Registry, version: &Version) -> Answered<Value> {
    let number = numbered::number(registry, version)?;
    let name = shown(&version.name);
    let tag = |key: &str, value: &str| json!({"key": key, "value": value});
    Ok(json!({
        "name": name,
        "version": number.to_string(),
        "creation_timestamp": version.created.saturating_mul(1000),
        "last_updated_timestamp": version.staged.saturating_mul(1000),
        "current_stage": stage(version.stage),
        "description": version.message,
        "source": format!("mlflow-artifacts:/{name}/{number}"),
        "run_id": "",
        "status": status(version),
        "status_message": version.reason,
        "tags": [
            tag("alnage.stage", version.stage.as_str()),
            tag("alnage.commit", &version.commit),
            tag("alnage.manifest", &version.manifest),
        ],
    }))
}

/// The version that an alias leads to: a branch or a tag; `production` and its short form, a stage.
pub(super) fn by_alias(registry: &Registry, name: &str, alias: &str) -> Answered<Option<Version>> {
    if let Answer::Serve(version) = registry.answer(Kind::Model, name, alias)? {
        return Ok(Some(*version));
    }
    if let Some(version) = registry.version(Kind::Model, name, alias)? {
        return Ok(Some(version));
    }
    if !matches!(alias, "prod" | "production") {
        return Ok(None);
    }
    let versions = registry.versions(Kind::Model, name, Page::first(1000))?;
    Ok(versions.into_iter().find(|version| version.stage == Stage::Production))
}

fn aliases(registry: &Registry, name: &str) -> Answered<Vec<Value>> {
    let mut aliases = Vec::new();
    for reference in registry.refs(Kind::Model, name)?.into_iter().take(100) {
        let Some(version) = by_alias(registry, name, &reference.name)? else { continue };
        let number = numbered::number(registry, &version)?;
        aliases.push(json!({"alias": reference.name, "version": number.to_string()}));
    }
    Ok(aliases)
}

/// MLflow knows four stages.
fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Production => "Production",
        Stage::Approved => "Staging",
        Stage::Deprecated | Stage::Revoked => "Archived",
        Stage::Quarantined | Stage::Rejected => "None",
    }
}

fn status(version: &Version) -> &'static str {
    match version.stage {
        Stage::Quarantined if version.scan.is_none() => "PENDING_REGISTRATION",
        Stage::Rejected | Stage::Revoked => "FAILED_REGISTRATION",
        _ => "READY",
    }
}
