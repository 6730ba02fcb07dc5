//! Python that reads secrets and connects.

use alnage_formats::{
    Model,
    repository::python::{Action, SensitiveCall, When},
};
use alnage_types::{Confidence, Level, Severity};

use super::{evidence, files, shown};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PYC004",
    name: "python-sends-secrets",
    summary: "Python code reads secrets or the whole environment and connects to the network",
    why: "Keys, tokens and passwords lie in the environment and in a few well-known files. Code that reads them \
          and connects in one function sends them away.",
    remediation: "Do not run the file. If it has run, replace every key of that machine.",
    references: &["CWE-200", "CWE-506", "T1552", "AML.T0025"],
    severity: Severity::High,
    confidence: Confidence::Medium,
    level: Level::Default,
    example: "requests.post(url, json=dict(os.environ))",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in files(model) {
        let connects: Vec<&SensitiveCall> =
            facts.calls.iter().filter(|call| call.action == Action::Network).collect();
        let secrets = facts
            .calls
            .iter()
            .filter(|call| matches!(call.action, Action::Environment | Action::SensitiveFile));
        for secret in secrets {
            let together =
                connects.iter().find(|call| call.function == secret.function && call.when == secret.when);
            let Some(connect) = together else { continue };
            let message =
                format!("`{}` is read and `{}` connects", shown(&secret.name), shown(&connect.name));
            let evidence = format!("{}; {}", evidence(secret), evidence(connect));
            let finding = sink.report_at(&artifact.path, (secret.start, secret.end), message, evidence);
            finding.severity = match secret.when {
                When::Import => Severity::Critical,
                When::Use => Severity::High,
                When::Function | When::Main => Severity::Medium,
            };
            break;
        }
    }
}
