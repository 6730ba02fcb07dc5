//! `alnage kube`: what manifests would load, told without asking anybody.

mod manifests;

use std::{fmt::Write, process::ExitCode};

use alnage_admission::{Decision, Document, Known, Origin, Standing, changes, decide, documents, read};
use anyhow::Context as _;
use serde_json::{Value, json};

use self::manifests::Manifest;
use crate::{
    args::{CheckArgs, CheckFormat, KubeCommand},
    commands::webhook,
    exit, output,
};

/// Runs a command.
pub(super) fn run(command: &KubeCommand) -> anyhow::Result<ExitCode> {
    match command {
        KubeCommand::Check(arguments) => check(arguments),
    }
}

/// Approves whatever has a name: what is left is how it is named.
struct Nobody;

impl Known for Nobody {
    fn ask(&self, origin: &Origin) -> Standing {
        match origin {
            Origin::Claim { .. } | Origin::Host { .. } | Origin::Volume { .. } => Standing::Unknown,
            _ => Standing::Approved { commit: None, digest: None, sealed: None, conditions: Vec::new() },
        }
    }
}

/// What one object would load.
struct Checked {
    file: String,
    line: usize,
    name: String,
    decision: Decision,
    patch: Value,
}

fn check(arguments: &CheckArgs) -> anyhow::Result<ExitCode> {
    let (table, rules) = (webhook::table(&arguments.admission)?, webhook::rules(&arguments.admission)?);
    let mut checked = Vec::new();
    let mut code = 0;
    let mut manifests = Vec::new();
    for path in &arguments.paths {
        if let Err(error) = manifests::named(path, &mut manifests) {
            output::complain(&error);
            code = exit::gravest(code, exit::COULD_NOT_RUN);
        }
    }
    for Manifest { name: file, text } in manifests {
        let understood = text.and_then(|text| documents(&text).with_context(|| format!("`{file}`")));
        let found: Vec<Document> = match understood {
            Ok(found) => found,
            Err(error) => {
                output::complain(&error);
                code = exit::gravest(code, exit::COULD_NOT_RUN);
                continue;
            }
        };
        for document in found {
            let loads = read(&table, &document.value);
            let decision = decide(&loads, &Nobody, &rules);
            let patch = json!(changes(&loads, &decision, &rules));
            if !decision.allowed {
                code = exit::gravest(code, exit::REFUSED);
            }
            let name = name_of(&document.value);
            checked.push(Checked { file: file.clone(), line: document.line, name, decision, patch });
        }
    }
    let text = match arguments.format {
        CheckFormat::Text => told(&checked),
        CheckFormat::Json => {
            serde_json::to_string_pretty(&checked.iter().map(row).collect::<Vec<_>>())? + "\n"
        }
    };
    output::print(&text)?;
    Ok(ExitCode::from(code))
}

/// `Deployment models/llama`.
fn name_of(object: &Value) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let kind = text("/kind").unwrap_or("object");
    let name = text("/metadata/name").or_else(|| text("/metadata/generateName")).unwrap_or("without a name");
    match text("/metadata/namespace") {
        Some(namespace) => format!("{kind} {namespace}/{name}"),
        None => format!("{kind} {name}"),
    }
}

fn told(checked: &[Checked]) -> String {
    let mut text = String::new();
    let mut models = 0;
    for object in checked {
        let decision = &object.decision;
        if decision.models.is_empty() && decision.denials.is_empty() && decision.warnings.is_empty() {
            continue;
        }
        let _ = writeln!(text, "{}:{}: {}", object.file, object.line, object.name);
        for judged in &decision.models {
            if matches!(judged.reference.origin, Origin::Unresolved { .. }) {
                continue;
            }
            models += 1;
            let pinned = if judged.reference.origin.pinned() { ", pinned" } else { "" };
            let certain = if judged.reference.certain { "loads" } else { "may load" };
            let _ = writeln!(text, "    {certain} {}{pinned}", judged.model);
        }
        for denial in &decision.denials {
            let _ = writeln!(text, "    refused: {denial}");
        }
        for warning in &decision.warnings {
            let _ = writeln!(text, "    warning: {warning}");
        }
    }
    let refused = checked.iter().filter(|object| !object.decision.allowed).count();
    let _ = writeln!(text, "{} objects, {models} models, {refused} objects refused", checked.len());
    text
}

fn row(object: &Checked) -> Value {
    json!({
        "file": object.file,
        "line": object.line,
        "object": object.name,
        "allowed": object.decision.allowed,
        "denials": object.decision.denials,
        "warnings": object.decision.warnings,
        "models": object.decision.models,
        "patch": object.patch,
    })
}
