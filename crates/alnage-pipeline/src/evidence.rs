//! What a policy is asked about a model that was vetted: the record and the bill of materials, as plain JSON.

use std::collections::BTreeMap;

use alnage_bom::{Bom, Kind, ModelDetails, RelationKind};
use alnage_scan::ModelRecord;
use alnage_types::{Severity, Verdict};
use serde_json::{Map, Value, json};

/// What is known of a file by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileVerdict {
    /// As the manifest has it.
    pub path: String,
    /// Its own findings and issues decide, and those of what is inside it.
    pub verdict: Verdict,
    /// The format's id.
    pub format: &'static str,
}

/// Path, verdict and format of every file.
pub fn file_verdicts(record: &ModelRecord) -> Vec<FileVerdict> {
    let mut formats: BTreeMap<&str, &'static str> = BTreeMap::new();
    for artifact in &record.artifacts {
        if !artifact.path.as_str().contains("!/") {
            formats.entry(artifact.path.as_str()).or_insert(artifact.format);
        }
    }
    let mut own: Vec<(&str, Verdict)> = Vec::new();
    for issue in &record.issues {
        own.push((issue.artifact.as_str(), Verdict::Unknown));
    }
    for finding in &record.findings {
        // What decided about the whole decided about its file; the rest asks for a person from medium on.
        let verdict = match finding.severity {
            _ if record.decided_by.contains(&finding.code) => record.verdict,
            Severity::Info | Severity::Low => Verdict::Pass,
            _ => Verdict::Review.min(record.verdict),
        };
        own.push((finding.artifact.as_str(), verdict));
    }
    let mut verdicts: BTreeMap<&str, Verdict> = BTreeMap::new();
    for (path, verdict) in own {
        let file = path.split_once("!/").map_or(path, |(file, _)| file);
        let known = verdicts.entry(file).or_insert(Verdict::Pass);
        *known = (*known).max(verdict);
    }
    let files = record.manifest.files.iter();
    files
        .map(|file| FileVerdict {
            path: file.path.clone(),
            verdict: verdicts.get(file.path.as_str()).copied().unwrap_or(Verdict::Pass),
            format: formats.get(file.path.as_str()).copied().unwrap_or_default(),
        })
        .collect()
}

/// The parts of a policy's input that a record and its bill of materials know.
pub fn evidence(record: &ModelRecord, bom: &Bom) -> Value {
    let files: Vec<Value> = (file_verdicts(record).into_iter().zip(&record.manifest.files))
        .map(|(known, file)| {
            json!({
                "path": file.path, "size": file.size, "sha256": file.sha256,
                "format": known.format, "verdict": known.verdict,
            })
        })
        .collect();
    let suppressed = record.suppressed.iter().map(|suppressed| (&suppressed.finding, true));
    let findings: Vec<Value> = (record.findings.iter().map(|finding| (finding, false)).chain(suppressed))
        .map(|(finding, suppressed)| {
            json!({
                "code": finding.code, "name": finding.name, "severity": finding.severity,
                "confidence": finding.confidence, "artifact": finding.artifact.as_str(),
                "message": finding.message, "suppressed": suppressed,
            })
        })
        .collect();
    let issues: Vec<Value> = (record.issues.iter())
        .map(|issue| json!({"artifact": issue.artifact.as_str(), "kind": issue.kind, "message": issue.message}))
        .collect();
    let facts = material_facts(bom);
    let lineage: Vec<Value> = ["base_models", "datasets"]
        .into_iter()
        .zip(["base-model", "dataset"])
        .flat_map(|(key, relation)| {
            let named = facts.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
            named.into_iter().map(move |name| json!({"relation": relation, "purl": name}))
        })
        .collect();
    json!({
        "files": files,
        "verdict": record.verdict,
        "decided_by": record.decided_by,
        "findings": findings,
        "issues": issues,
        "bom": facts,
        "lineage": lineage,
    })
}

/// What the files say about the model, one key a fact.
pub fn material_facts(bom: &Bom) -> Value {
    let mut facts = Map::new();
    if let Some(model) = bom.model() {
        let mut say = |key: &str, value: Option<&str>| {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                facts.insert(key.to_owned(), value.into());
            }
        };
        if let Some(details) = &model.model {
            for (name, text) in &details.parameters {
                say(last_part(name), Some(&text.value));
            }
        }
        for (name, text) in &model.properties {
            say(last_part(name), Some(&text.value));
        }
        say("name", Some(&model.name.value));
        say("purl", model.purl.as_ref().map(|purl| purl.value.as_str()));
        say("version", model.version.as_ref().map(|version| version.value.as_str()));
        say("description", model.description.as_ref().map(|text| text.value.as_str()));
        say("released", model.released.as_ref().map(|text| text.value.as_str()));
        let supplier = model.supplier.as_ref().or(model.manufacturer.as_ref());
        say("supplier", supplier.map(|text| text.value.as_str()));
        let licences: Vec<&str> = model.licences.iter().map(|licence| licence.value.name.as_str()).collect();
        say("license", Some(&licences.join(" AND ")));
        if let Some(details) = &model.model {
            say("task", details.task.as_ref().map(|text| text.value.as_str()));
            say("family", details.family.as_ref().map(|text| text.value.as_str()));
            say("architecture", details.architecture.as_ref().map(|text| text.value.as_str()));
            say("approach", details.approach.as_ref().map(|text| text.value.as_str()));
            say("training", details.training.as_ref().map(|text| text.value.as_str()));
            say("emissions", details.emissions.as_ref().map(|text| text.value.as_str()));
            lists(details, &mut facts);
        }
    }
    facts.insert("datasets".into(), related(bom, RelationKind::TrainedOn).into());
    facts.insert("base_models".into(), related(bom, RelationKind::DescendantOf).into());
    let frameworks = bom.all().into_iter().filter(|component| component.kind == Kind::Framework);
    let frameworks: Vec<Value> = frameworks.map(|component| component.name.value.clone().into()).collect();
    facts.insert("frameworks".into(), frameworks.into());
    Value::Object(facts)
}

/// What a card says in several answers.
fn lists(details: &ModelDetails, facts: &mut Map<String, Value>) {
    let texts = [
        ("inputs", &details.inputs),
        ("outputs", &details.outputs),
        ("intended_uses", &details.uses),
        ("users", &details.users),
        ("limitations", &details.limitations),
        ("ethics", &details.ethics),
    ];
    for (key, texts) in texts {
        let texts: Vec<Value> = texts.iter().map(|text| text.value.clone().into()).collect();
        facts.insert(key.to_owned(), texts.into());
    }
    let metrics =
        details.metrics.iter().map(|metric| format!("{}: {}", metric.value.name, metric.value.value));
    facts.insert("metrics".to_owned(), metrics.map(Value::from).collect::<Vec<_>>().into());
}

/// The names of what the model is related to in this way.
fn related(bom: &Bom, kind: RelationKind) -> Vec<Value> {
    let all = bom.all();
    let related = bom.relations.iter().filter(|relation| relation.kind == kind);
    related
        .filter_map(|relation| all.iter().find(|component| component.id == relation.to))
        .map(|component| component.name.value.clone().into())
        .collect()
}

/// `alnage:model:parameter-count` is `parameter-count` here.
fn last_part(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}
