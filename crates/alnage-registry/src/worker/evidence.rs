//! What the policy is asked, out of what a scan found.

use std::{collections::BTreeMap, path::Path};

use alnage_pipeline::materials::{Bom, Component, Kind as MaterialKind, RelationKind};
use alnage_scan::ModelRecord;
use alnage_sign::CONVERSION_PREDICATE;
use alnage_types::Verdict;
use base64ct::{Base64, Encoding as _};
use serde_json::{Value as Json, json};

use crate::{
    Registry, Result,
    records::{Edge, Kind, Version, lineage_subject},
};

/// The longest attestation that is read for where a model comes from.
const LONGEST: u64 = 64 << 20;

/// The input of the policy, without what people decided, which is put in when it is asked.
pub(super) fn input(
    registry: &Registry,
    version: &Version,
    record: &ModelRecord,
    files: &[(String, Verdict, String)],
    facts: &Json,
    seals: &[Json],
) -> Result<Json> {
    let repo = registry.repo(version.kind, &version.name)?;
    let project = crate::records::project_of(&version.name);
    let by_path: BTreeMap<&str, (&Verdict, &str)> =
        files.iter().map(|(path, verdict, format)| (path.as_str(), (verdict, format.as_str()))).collect();
    let listed: Vec<Json> = record
        .manifest
        .files
        .iter()
        .map(|file| {
            let (verdict, format) = by_path.get(file.path.as_str()).copied().unwrap_or((&Verdict::Pass, ""));
            json!({"path": file.path, "size": file.size, "sha256": file.sha256, "format": format, "verdict": verdict})
        })
        .collect();
    let mut findings = Vec::new();
    let suppressed = record.suppressed.iter().map(|suppressed| (&suppressed.finding, true));
    for (finding, suppressed) in record.findings.iter().map(|finding| (finding, false)).chain(suppressed) {
        findings.push(json!({
            "code": finding.code, "name": finding.name, "severity": finding.severity,
            "confidence": finding.confidence, "artifact": finding.artifact.as_str(), "message": finding.message,
            "suppressed": suppressed,
        }));
    }
    let issues: Vec<Json> = record
        .issues
        .iter()
        .map(|issue| {
            let kind = serde_json::to_value(issue.kind).unwrap_or_default();
            json!({"artifact": issue.artifact.as_str(), "kind": kind, "message": issue.message})
        })
        .collect();
    Ok(json!({
        "model": {
            "kind": version.kind,
            "name": version.name,
            "project": project,
            "commit": version.commit,
            "manifest": version.manifest,
            "origin": repo.as_ref().map_or("", |repo| repo.origin.as_str()),
            "publisher": if project == "_" { "" } else { project },
            "license": facts.get("license").and_then(Json::as_str).unwrap_or_default(),
            "tags": facts.get("tags").cloned().unwrap_or_else(|| json!([])),
            "created": repo.as_ref().map(|repo| repo.created),
            "published": version.created,
        },
        "files": listed,
        "verdict": record.verdict,
        "decided_by": record.decided_by,
        "findings": findings,
        "issues": issues,
        "bom": facts,
        "signatures": seals.iter().map(|seal| json!({
            "method": seal.get("method"), "identity": seal.get("identity"), "issuer": seal.get("issuer"),
            "verified": seal.get("verified"), "covers_all": seal.get("covers_all"),
        })).collect::<Vec<_>>(),
    }))
}

/// Path, verdict and format of every file: its own findings and issues decide, and those of what is inside it.
pub(super) fn files(record: &ModelRecord) -> Vec<(String, Verdict, String)> {
    let mut formats: BTreeMap<&str, &str> = BTreeMap::new();
    for artifact in &record.artifacts {
        let path = artifact.path.as_str();
        if !path.contains("!/") {
            formats.entry(path).or_insert(artifact.format);
        }
    }
    let mut verdicts: BTreeMap<&str, Verdict> = BTreeMap::new();
    let outer = |path: &str| path.split("!/").next().unwrap_or(path).len();
    for issue in &record.issues {
        let path = issue.artifact.as_str();
        let path = path.get(..outer(path)).unwrap_or(path);
        let verdict = verdicts.entry(path).or_insert(Verdict::Pass);
        *verdict = (*verdict).max(Verdict::Unknown);
    }
    for finding in &record.findings {
        let path = finding.artifact.as_str();
        let path = path.get(..outer(path)).unwrap_or(path);
        let decided = record.decided_by.contains(&finding.code);
        // What decided about the whole decided about its file; the rest asks for a person from medium on.
        let own = match finding.severity {
            _ if decided => record.verdict,
            alnage_types::Severity::Info | alnage_types::Severity::Low => Verdict::Pass,
            _ => Verdict::Review.min(record.verdict),
        };
        let verdict = verdicts.entry(path).or_insert(Verdict::Pass);
        *verdict = (*verdict).max(own);
    }
    record
        .manifest
        .files
        .iter()
        .map(|file| {
            let verdict = verdicts.get(file.path.as_str()).copied().unwrap_or(Verdict::Pass);
            let format = formats.get(file.path.as_str()).copied().unwrap_or_default();
            (file.path.clone(), verdict, format.to_owned())
        })
        .collect()
}

/// What the files say about the model, one key a fact.
pub(super) fn facts(bom: &Bom) -> Json {
    let mut facts = serde_json::Map::new();
    let mut say = |key: &str, value: Option<&str>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            facts.insert(key.to_owned(), value.into());
        }
    };
    if let Some(model) = bom.model() {
        say("name", Some(&model.name.value));
        say("purl", model.purl.as_ref().map(|purl| purl.value.as_str()));
        say("version", model.version.as_ref().map(|version| version.value.as_str()));
        say("description", model.description.as_ref().map(|text| text.value.as_str()));
        say("supplier", model.supplier.as_ref().map(|text| text.value.as_str()));
        let licences: Vec<&str> = model.licences.iter().map(|licence| licence.value.name.as_str()).collect();
        say("license", Some(&licences.join(" AND ")));
        if let Some(details) = &model.model {
            say("task", details.task.as_ref().map(|text| text.value.as_str()));
            say("family", details.family.as_ref().map(|text| text.value.as_str()));
            say("architecture", details.architecture.as_ref().map(|text| text.value.as_str()));
            say("training", details.training.as_ref().map(|text| text.value.as_str()));
            for (name, text) in &details.parameters {
                say(&short(name), Some(&text.value));
            }
        }
        for (name, text) in &model.properties {
            say(&short(name), Some(&text.value));
        }
    }
    let named = |kind: RelationKind| -> Vec<Json> {
        let related = bom.relations.iter().filter(|relation| relation.kind == kind);
        let all = bom.all();
        related
            .filter_map(|relation| all.iter().find(|component| component.id == relation.to))
            .map(|component| component.name.value.clone().into())
            .collect()
    };
    facts.insert("datasets".into(), named(RelationKind::TrainedOn).into());
    facts.insert("base_models".into(), named(RelationKind::DescendantOf).into());
    Json::Object(facts)
}

/// `alnage:model:parameter-count` is `parameter-count` here.
fn short(name: &str) -> String {
    name.rsplit(':').next().unwrap_or(name).to_owned()
}

/// What the version was made from: as its bill of materials says, and as attestations of conversions say.
pub(super) fn edges(bom: &Bom, model: &Path) -> Vec<Edge> {
    let mut edges = Vec::new();
    let all = bom.all();
    for relation in &bom.relations {
        let name = match relation.kind {
            RelationKind::DescendantOf => "base-model",
            RelationKind::TrainedOn => "dataset",
            RelationKind::TestedOn | RelationKind::DependsOn => continue,
        };
        let Some(component) = all.iter().find(|component| component.id == relation.to) else { continue };
        let Some(subject) = subject_of(component) else { continue };
        let source = component.name.sources.first().map(ToString::to_string).unwrap_or_default();
        edges.push(Edge { relation: name.to_owned(), subject, source });
    }
    let names = std::fs::read_dir(model).into_iter().flatten().flatten().map(|entry| entry.path());
    let attestations = names.filter(|path| path.to_string_lossy().ends_with(".intoto.json"));
    for path in attestations.take(100) {
        let Some(digest) = converted_from(&path) else { continue };
        let source = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        edges.push(Edge { relation: "converted-from".into(), subject: format!("sha256:{digest}"), source });
    }
    edges.sort();
    edges.dedup_by(|one, other| one.relation == other.relation && one.subject == other.subject);
    edges
}

fn subject_of(component: &Component) -> Option<String> {
    let kind = if component.kind == MaterialKind::Dataset { Kind::Dataset } else { Kind::Model };
    let purl = component.purl.as_ref().and_then(|purl| purl.value.strip_prefix("pkg:huggingface/"));
    let name = purl.unwrap_or(&component.name.value);
    let name = name.strip_prefix("datasets/").unwrap_or(name);
    let name = name.split(['?', '#']).next().unwrap_or(name);
    let (name, commit) = name.split_once('@').map_or((name, None), |(name, commit)| (name, Some(commit)));
    lineage_subject(kind, name, commit)
}

/// The source that an attestation of a conversion names. Nobody's word is taken for more than that: it tells whom to warn.
fn converted_from(path: &Path) -> Option<String> {
    let size = std::fs::metadata(path).ok()?.len();
    if size > LONGEST {
        return None;
    }
    let envelope: Json = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    let payload = match envelope.get("payload").and_then(Json::as_str) {
        Some(payload) => serde_json::from_slice(&Base64::decode_vec(payload).ok()?).ok()?,
        None => envelope,
    };
    let kind = payload.get("predicateType").and_then(Json::as_str)?;
    let digest = payload.pointer("/predicate/source/digest/sha256").and_then(Json::as_str)?;
    let digest: alnage_types::Digest = digest.parse().ok()?;
    (kind == CONVERSION_PREDICATE).then(|| digest.to_string())
}
