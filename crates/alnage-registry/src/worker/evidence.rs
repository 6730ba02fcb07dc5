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
    let known = alnage_pipeline::file_verdicts(record).into_iter();
    known.map(|file| (file.path, file.verdict, file.format.to_owned())).collect()
}

/// What the files say about the model, one key a fact.
pub(super) fn facts(bom: &Bom) -> Json {
    alnage_pipeline::material_facts(bom)
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
