//! `alnage registry`: asks a registry over its API.

use std::{fmt::Write as _, process::ExitCode};

use serde_json::{Value, json};
use ureq::http::Method;

use super::{backup, login};
use crate::{
    args::{AnswerFormat, Of, RegistryArgs, RegistryCommand},
    exit, output,
    remote::{Remote, escaped},
};

/// A request, and which fields of the answer's rows a person is shown.
struct Ask {
    method: Method,
    path: String,
    body: Option<Value>,
    columns: &'static [&'static str],
}

impl Ask {
    fn get(path: impl Into<String>, columns: &'static [&'static str]) -> Self {
        Self { method: Method::GET, path: path.into(), body: None, columns }
    }

    fn post(path: impl Into<String>, body: Value, columns: &'static [&'static str]) -> Self {
        Self { method: Method::POST, path: path.into(), body: Some(body), columns }
    }
}

const VERSION: &[&str] = &["name", "commit", "stage", "verdict", "effect", "reason"];
const REACHED: &[&str] = &["version.name", "version.commit", "version.stage", "owner", "path"];
const APPROVAL: &[&str] = &["id", "model.name", "model.commit", "stage", "state", "requester", "reason"];

/// Asks, and prints the answer.
pub(super) fn run(arguments: &RegistryArgs) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        RegistryCommand::Login { url } => {
            login::log_in(url, arguments.token_file.as_deref())?;
            return Ok(ExitCode::SUCCESS);
        }
        RegistryCommand::Logout => {
            login::log_out()?;
            return Ok(ExitCode::SUCCESS);
        }
        _ => {}
    }
    let Some(ask) = request(&arguments.command) else { return backup::run(&arguments.command) };
    let remote = Remote::chosen(arguments.registry.as_deref(), arguments.token_file.as_deref())?;
    let send = |ask: &Ask| remote.ask(&ask.method, &ask.path, ask.body.as_ref());
    let Some(answer) = send(&ask)? else { return Ok(ExitCode::SUCCESS) };
    if arguments.format == AnswerFormat::Json || ask.columns.is_empty() {
        output::print(&format!("{}\n", serde_json::to_string_pretty(&answer)?))?;
    } else {
        output::print(&table(&answer, ask.columns))?;
    }
    if let RegistryCommand::Show(of) = &arguments.command
        && arguments.format == AnswerFormat::Text
    {
        let findings = Ask::get(
            format!("{}/findings{}", place(of), kind(of)),
            &["code", "severity", "artifact", "message"],
        );
        if let Some(answer) = send(&findings)? {
            output::print(&table(&answer, findings.columns))?;
        }
    }
    Ok(ExitCode::from(if refused(&answer) { exit::REFUSED } else { 0 }))
}

/// Whether a version that was asked about is one that must not be used.
fn refused(answer: &Value) -> bool {
    matches!(answer["stage"].as_str(), Some("revoked" | "rejected"))
}

/// What is asked over the API; `None` for what is done here, or where the registry is.
fn request(command: &RegistryCommand) -> Option<Ask> {
    Some(match command {
        RegistryCommand::Login { .. }
        | RegistryCommand::Logout
        | RegistryCommand::Backup { .. }
        | RegistryCommand::Restore { .. } => return None,
        RegistryCommand::Whoami => Ask::get("/api/v1/whoami", &["name", "kind", "roles"]),
        RegistryCommand::Models { search, stage } => {
            let mut path = "/api/v1/models?limit=1000".to_owned();
            for (name, value) in [("search", search), ("stage", stage)] {
                if let Some(value) = value {
                    let _ = write!(path, "&{name}={}", escaped(value));
                }
            }
            Ask::get(path, &["kind", "name", "owner", "head.commit", "head.stage", "head.verdict"])
        }
        RegistryCommand::Show(of) => Ask::get(format!("{}{}", place(of), kind(of)), VERSION),
        RegistryCommand::Versions(of) => Ask::get(format!("{}/versions{}", model(of), kind(of)), VERSION),
        RegistryCommand::Files(of) => Ask::get(
            format!("{}/files{}", place(of), kind(of)),
            &["path", "size", "sha256", "format", "verdict", "served"],
        ),
        RegistryCommand::Bom(of) => Ask::get(format!("{}/bom{}", place(of), kind(of)), &[]),
        RegistryCommand::Request { of, reason } => Ask::post(
            format!("{}/approvals{}", place(of), kind(of)),
            json!({ "reason": reason }),
            &["id", "stage", "state", "needed"],
        ),
        RegistryCommand::Approvals => Ask::get("/api/v1/approvals?state=open&limit=1000", APPROVAL),
        RegistryCommand::Approve(vote) => Ask::post(
            format!("/api/v1/approvals/{}/votes", vote.approval),
            json!({ "vote": "approve", "reason": vote.reason, "conditions": vote.conditions }),
            APPROVAL,
        ),
        RegistryCommand::Deny(vote) => Ask::post(
            format!("/api/v1/approvals/{}/votes", vote.approval),
            json!({ "vote": "deny", "reason": vote.reason, "conditions": vote.conditions }),
            APPROVAL,
        ),
        RegistryCommand::Move { of, stage, reason } => Ask::post(
            format!("{}/transitions{}", place(of), kind(of)),
            json!({ "stage": stage, "reason": reason }),
            VERSION,
        ),
        RegistryCommand::Revoke { subject, reason } => {
            Ask::post("/api/v1/revocations", json!({ "subject": subject_of(subject), "reason": reason }), &[])
        }
        RegistryCommand::BlastRadius { subject } => {
            Ask::get(format!("/api/v1/blast-radius?subject={}", escaped(&subject_of(subject))), REACHED)
        }
        RegistryCommand::Deployments => Ask::get(
            "/api/v1/deployments?limit=1000",
            &["place", "kind", "model", "commit", "environment", "owner", "state"],
        ),
        RegistryCommand::Scan(of) => Ask::post(format!("{}/scans{}", place(of), kind(of)), Value::Null, &[]),
        RegistryCommand::Tokens => {
            Ask::get("/api/v1/tokens?limit=1000", &["id", "name", "role", "projects", "expires", "used"])
        }
        RegistryCommand::AddToken { name, role, project, days, account } => Ask::post(
            "/api/v1/tokens",
            json!({ "name": name, "role": role, "projects": project, "days": days, "account": account }),
            &["token"],
        ),
        RegistryCommand::EndToken { id } => {
            Ask { method: Method::DELETE, path: format!("/api/v1/tokens/{id}"), body: None, columns: &[] }
        }
        RegistryCommand::Users => {
            Ask::get("/api/v1/users?limit=1000", &["name", "kind", "roles", "disabled"])
        }
        RegistryCommand::AddUser { name, role, service } => Ask::post(
            "/api/v1/users",
            json!({ "name": name, "kind": if *service { "service" } else { "user" }, "roles": role }),
            &["name", "kind", "roles"],
        ),
        RegistryCommand::Audit => {
            Ask::get("/api/v1/audit?limit=1000", &["at", "actor", "address", "action", "target", "outcome"])
        }
    })
}

/// The path of a model.
fn model(of: &Of) -> String {
    let name = of.model.split('@').next().unwrap_or_default();
    let (project, name) = name.split_once('/').unwrap_or(("_", name));
    format!("/api/v1/models/{}/{}", escaped(project), escaped(name))
}

/// The path of a version.
fn place(of: &Of) -> String {
    let revision = of.model.split_once('@').map_or("main", |(_, revision)| revision);
    format!("{}/versions/{}", model(of), escaped(revision))
}

fn kind(of: &Of) -> &'static str {
    if of.dataset { "?kind=dataset" } else { "" }
}

/// What is named without saying its kind is a model, as everywhere else.
fn subject_of(named: &str) -> String {
    let says_its_kind = ["model/", "dataset/", "sha256:"].iter().any(|kind| named.starts_with(kind));
    if says_its_kind { named.to_owned() } else { format!("model/{named}") }
}

/// The rows of an answer, a line each.
fn table(answer: &Value, columns: &[&str]) -> String {
    let rows: Vec<&Value> = match answer["items"].as_array() {
        Some(items) => items.iter().collect(),
        None => vec![answer],
    };
    if rows.is_empty() {
        return "nothing\n".to_owned();
    }
    if columns.len() == 1 {
        return rows.iter().map(|row| format!("{}\n", cell(row, columns[0]))).collect();
    }
    let mut lines: Vec<Vec<String>> =
        vec![columns.iter().map(|name| name.replace("version.", "").replace("model.", "")).collect()];
    lines.extend(rows.iter().map(|row| columns.iter().map(|column| cell(row, column)).collect()));
    let width = |column: usize| {
        lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..columns.len()).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for line in &lines {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// A field of a row, `a.b` being a field of a field, as one word or line.
fn cell(row: &Value, column: &str) -> String {
    let found = column.split('.').try_fold(row, |row, name| row.get(name)).unwrap_or(&Value::Null);
    let text = match found {
        Value::Null => "-".to_owned(),
        Value::String(text) if text.is_empty() => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items
            .iter()
            .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
            .collect::<Vec<_>>()
            .join(","),
        other => other.to_string(),
    };
    // What others wrote is not let do anything to the terminal.
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
