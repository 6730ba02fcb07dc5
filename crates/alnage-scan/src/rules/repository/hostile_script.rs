//! Shell scripts with commands that attacks are made of.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{
    lines_of,
    python::{CommandKind, command_kind},
    shown,
};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "REP002",
    name: "repository-hostile-script",
    summary: "a script runs a command that attacks are made of",
    why: "Scripts beside weights are run by people who follow the instructions of the repository. Commands that fetch a program and run it, or that open a shell to another machine, give the machine away.",
    remediation: "Do not run the script; report the repository.",
    references: &["CWE-506", "CWE-494", "T1059.004"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "setup.sh: curl http://host/x | sh",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in lines_of(model, "shell-script") {
        for line in &facts.lines {
            let CommandKind::Hostile(what) = command_kind(&line.text) else { continue };
            // Installers of known tools are fetched and run like this by honest people too.
            let secure = line.text.contains("https://") && what.starts_with("fetches");
            let message = format!("a line of the script {what}");
            let finding = sink.report_at(&artifact.path, (line.start, line.end), message, shown(&line.text));
            if secure {
                finding.severity = Severity::Medium;
            }
        }
    }
}
