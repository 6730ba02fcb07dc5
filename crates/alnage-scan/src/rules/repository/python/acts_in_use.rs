//! Python files that act on the machine when a model is made or used.

use alnage_formats::{
    Model,
    repository::python::{Action, ArgumentOrigin, SensitiveCall, When},
};
use alnage_types::{Confidence, Level, Severity};

use super::{CommandKind, command_kind, evidence, files, loaded::loaded, shown};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PYC002",
    name: "python-acts-in-use",
    summary: "a Python file starts processes or runs code when a model is made or used",
    why: "`__init__`, `forward`, `from_pretrained` and the commands of `setup.py` are called by the loader, not by \
          the user. What they start, they start for everyone who uses the model.",
    remediation: "Read the function; remove the call, or load the model in a sandbox.",
    references: &["CWE-506", "CWE-829", "CWE-94", "AML.T0011"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "class X: def __init__(self): subprocess.run(command, shell=True)",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    let loaded = loaded(model);
    for (artifact, facts) in files(model) {
        let by_loader = loaded.contains(artifact.path.as_str());
        for call in facts.calls.iter().filter(|call| call.when == When::Use) {
            let Some(severity) = severity(call, by_loader) else { continue };
            let function = shown(call.function.as_deref().unwrap_or("a method"));
            let message = format!("`{function}` calls `{}`", shown(&call.name));
            sink.report_at(&artifact.path, (call.start, call.end), message, evidence(call)).severity =
                severity;
        }
    }
}

fn severity(call: &SensitiveCall, by_loader: bool) -> Option<Severity> {
    use ArgumentOrigin::{Constant, Decoded, Network};
    let either = |loader: Severity, other: Severity| Some(if by_loader { loader } else { other });
    match call.action {
        Action::Process => match call.value.as_deref().map_or(CommandKind::Other, command_kind) {
            CommandKind::Hostile(_) => Some(Severity::High),
            CommandKind::Tool => Some(Severity::Low),
            CommandKind::Install => either(Severity::Medium, Severity::Low),
            CommandKind::Other => either(Severity::High, Severity::Low),
        },
        Action::Code => match call.argument {
            Constant => None,
            // Reported by the rule about hidden code.
            Decoded | Network => None,
            _ if call.name.starts_with("builtins.") => either(Severity::Medium, Severity::Low),
            _ => Some(Severity::Low),
        },
        Action::ComputedAttribute => either(Severity::Medium, Severity::Low),
        Action::FetchedCode | Action::SensitiveFile => either(Severity::Medium, Severity::Low),
        Action::Socket | Action::Native | Action::Network => either(Severity::Low, Severity::Info),
        Action::Deserialize if matches!(call.argument, Decoded | Network) => {
            either(Severity::Medium, Severity::Low)
        }
        _ => None,
    }
}
