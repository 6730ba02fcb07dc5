//! The record as SARIF 2.1.0 (OASIS, errata 01), for code-scanning services and viewers.
//!
//! A result points to the file on disk, which every viewer can open; where the finding is nested in an archive, the
//! member is named as a logical location and, with its bytes, as a related location whose artifact has the file as
//! its parent.

use std::{
    collections::HashMap,
    io::{self, Write},
    path::Path,
};

use alnage_types::{ArtifactPath, Confidence, Digest, Finding, Issue, Level, Severity};
use serde_json::{Value, json};

use crate::{ModelRecord, Record, Rule, Suppressed, rules};

const HOME: &str = "https://github.com/alnage/alnage";

/// Writes the record as SARIF; `exit_code` is the one the run ends with.
pub fn sarif(record: &Record, exit_code: u8, mut output: impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut output, &log(record, exit_code))?;
    output.write_all(b"\n")
}

fn log(record: &Record, exit_code: u8) -> Value {
    let mut rules: Vec<&'static Rule> = rules::rules().collect();
    rules.sort_by_key(|rule| rule.code);
    let mut artifacts = Artifacts::default();
    let mut results = Vec::new();
    let mut notifications = Vec::new();
    for model in &record.models {
        for finding in &model.findings {
            results.push(result(model, finding, &rules, &mut artifacts));
        }
        for entry in &model.suppressed {
            let mut result = result(model, &entry.finding, &rules, &mut artifacts);
            result["suppressions"] = json!([suppression(entry)]);
            results.push(result);
        }
        for issue in &model.issues {
            notifications.push(notification(model, issue, &mut artifacts));
        }
    }
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "Alnage",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": HOME,
                "rules": rules.iter().map(|rule| descriptor(rule)).collect::<Vec<_>>(),
            }},
            "invocations": [{
                "executionSuccessful": exit_code != 2,
                "exitCode": exit_code,
                "toolExecutionNotifications": notifications,
            }],
            "artifacts": artifacts.rows,
            "results": results,
            "columnKind": "unicodeCodePoints",
        }],
    })
}

fn descriptor(rule: &Rule) -> Value {
    let references = rule.references.join(", ");
    let mut markdown = format!("{}\n\n**What to do:** {}\n", rule.why, rule.remediation);
    if !rule.example.is_empty() {
        markdown.push_str(&format!("\n**Set off by:**\n\n```\n{}\n```\n", rule.example));
    }
    if !references.is_empty() {
        markdown.push_str(&format!("\n**References:** {references}\n"));
    }
    let tags: Vec<&str> = ["security"].into_iter().chain(rule.references.iter().copied()).collect();
    json!({
        "id": rule.code,
        "name": rule.name,
        "shortDescription": { "text": rule.summary },
        "fullDescription": { "text": rule.why },
        "help": { "text": format!("{} What to do: {}", rule.why, rule.remediation), "markdown": markdown },
        "helpUri": format!("{HOME}/blob/main/docs/rules/{}.md", rule.code),
        "defaultConfiguration": { "level": level(rule.severity), "enabled": rule.level == Level::Default },
        "properties": {
            "tags": tags,
            "precision": precision(rule.confidence),
            "security-severity": security_severity(rule.severity),
        },
    })
}

fn result(
    model: &ModelRecord,
    finding: &Finding,
    rules: &[&'static Rule],
    artifacts: &mut Artifacts,
) -> Value {
    let mut text = finding.message.clone();
    if let Some(evidence) = &finding.evidence {
        text.push_str(": ");
        text.push_str(evidence);
    }
    let region =
        finding.span.map(|span| json!({"byteOffset": span.start, "byteLength": span.end - span.start}));
    let mut result = json!({
        "ruleId": finding.code,
        "level": level(finding.severity),
        "message": { "text": text },
        "partialFingerprints": { "alnageFinding/v1": fingerprint(finding) },
        "properties": { "model": model.path, "confidence": finding.confidence, "remediation": finding.remediation },
    });
    if let Ok(index) = rules.binary_search_by_key(&finding.code.as_ref(), |rule| rule.code) {
        result["ruleIndex"] = json!(index);
    }
    if let Some(evidence) = &finding.evidence {
        result["properties"]["evidence"] = json!(evidence);
    }
    let nested = finding.artifact.is_member();
    result["locations"] =
        json!([location(model, &finding.artifact, region.clone().filter(|_| !nested), artifacts)]);
    if nested {
        let index = artifacts.index(model, &finding.artifact);
        let mut physical = json!({ "artifactLocation": artifacts.location(index) });
        if let Some(region) = region {
            physical["region"] = region;
        }
        let message = format!("inside `{}`", finding.artifact.outer_file());
        result["relatedLocations"] =
            json!([{ "id": 1, "physicalLocation": physical, "message": { "text": message } }]);
    }
    result
}

/// The file on disk, and the artifact inside it by its full name.
fn location(
    model: &ModelRecord,
    artifact: &ArtifactPath,
    region: Option<Value>,
    artifacts: &mut Artifacts,
) -> Value {
    let file = artifacts.index(model, &ArtifactPath::file(artifact.outer_file()));
    let mut physical = json!({ "artifactLocation": artifacts.location(file) });
    if let Some(region) = region {
        physical["region"] = region;
    }
    let kind = if artifact.is_member() { "member" } else { "resource" };
    json!({
        "physicalLocation": physical,
        "logicalLocations": [{
            "name": artifact.name(),
            "fullyQualifiedName": artifact.as_str(),
            "kind": kind,
        }],
    })
}

fn suppression(entry: &Suppressed) -> Value {
    json!({
        "kind": "external",
        "status": "accepted",
        "justification": format!("{} (until {})", entry.reason, entry.expires),
    })
}

fn notification(model: &ModelRecord, issue: &Issue, artifacts: &mut Artifacts) -> Value {
    let nested = issue.artifact.is_member();
    let region =
        issue.offset.filter(|_| !nested).map(|offset| json!({ "byteOffset": offset, "byteLength": 0 }));
    json!({
        "level": "error",
        "message": { "text": issue.message },
        "descriptor": { "id": format!("not-understood/{}", kind(issue)) },
        "locations": [location(model, &issue.artifact, region, artifacts)],
    })
}

fn kind(issue: &Issue) -> String {
    format!("{:?}", issue.kind).to_ascii_lowercase()
}

/// The same for the same finding in a file whose other bytes have moved: no offsets are in it.
fn fingerprint(finding: &Finding) -> String {
    let what = finding.evidence.as_deref().unwrap_or(&finding.message);
    Digest::of(format!("{}\0{}\0{what}", finding.code, finding.artifact).as_bytes()).to_string()
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

fn precision(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "very-high",
        Confidence::Medium => "high",
        Confidence::Low => "medium",
    }
}

/// The scale of CVSS, by which services sort.
fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.5",
        Severity::Info => "0.5",
    }
}

/// The artifacts that results speak of, each once.
#[derive(Default)]
struct Artifacts {
    rows: Vec<Value>,
    indices: HashMap<(String, ArtifactPath), usize>,
}

impl Artifacts {
    /// The row of `path`; rows of its containers come before it.
    fn index(&mut self, model: &ModelRecord, path: &ArtifactPath) -> usize {
        let mut missing = Vec::new();
        let mut next = Some(path.clone());
        let mut parent = None;
        while let Some(path) = next {
            if let Some(&index) = self.indices.get(&(model.path.clone(), path.clone())) {
                parent = Some(index);
                break;
            }
            next = path.container();
            missing.push(path);
        }
        for path in missing.into_iter().rev() {
            let row = artifact(model, &path, parent);
            let index = self.rows.len();
            self.rows.push(row);
            self.indices.insert((model.path.clone(), path), index);
            parent = Some(index);
        }
        parent.unwrap_or(0)
    }

    fn location(&self, index: usize) -> Value {
        json!({ "uri": self.rows[index]["location"]["uri"], "index": index })
    }
}

fn artifact(model: &ModelRecord, path: &ArtifactPath, parent: Option<usize>) -> Value {
    let uri = match path.container() {
        // In a container, paths begin at its root.
        Some(container) => {
            let name = path.as_str().get(container.as_str().len() + 2..).unwrap_or_default();
            format!("/{}", percent_encoded(name.trim_start_matches('/')))
        }
        None => file_uri(model, path.as_str()),
    };
    let mut row = json!({ "location": { "uri": uri } });
    if let Some(parent) = parent {
        row["parentIndex"] = json!(parent);
    }
    if let Some(known) = model.artifacts.iter().find(|artifact| artifact.path == *path) {
        row["length"] = json!(known.size);
    }
    let file = parent.is_none().then(|| model.manifest.files.iter().find(|file| file.path == path.as_str()));
    if let Some(digest) = file.flatten().and_then(|file| file.sha256) {
        row["hashes"] = json!({ "sha-256": digest });
    }
    row
}

/// The file as a URI: relative when the user named the model by a relative path.
fn file_uri(model: &ModelRecord, file: &str) -> String {
    let root = Path::new(&model.path);
    let is_the_model = root.file_name().is_some_and(|name| name.to_string_lossy() == file);
    let whole = if is_the_model || model.path == "-" { root.to_owned() } else { root.join(file) };
    let path = percent_encoded(&whole.to_string_lossy());
    let path = path.strip_prefix("./").unwrap_or(&path);
    if path.starts_with('/') { format!("file://{path}") } else { path.to_owned() }
}

fn percent_encoded(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for &byte in path.as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b'!' => {
                encoded.push(char::from(byte))
            }
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}
