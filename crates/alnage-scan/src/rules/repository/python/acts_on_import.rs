//! Python files that act on the machine when they are imported.

use alnage_formats::{
    Model,
    repository::python::{Action, ArgumentOrigin, SensitiveCall, When},
};
use alnage_types::{Confidence, Level, Severity};

use super::{CommandKind, command_kind, evidence, files, is_cell, loaded::loaded, shown};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PYC001",
    name: "python-acts-on-import",
    summary: "a Python file starts processes, runs code, connects or writes when it is imported",
    why: "Loading a model with its own code imports that code: module level, class bodies, decorators, default \
          values and whatever these call run before anything of the model is used. A model has no reason to start \
          a process or to connect at that moment; malicious repositories do exactly this.",
    remediation: "Do not load the model with `trust_remote_code=True`, and do not install it; report the \
                  repository. If the call is wanted, move it into a function that the user calls.",
    references: &["CWE-506", "CWE-829", "CWE-94", "AML.T0010", "AML.T0011"],
    severity: Severity::Critical,
    confidence: Confidence::High,
    level: Level::Default,
    example: "modeling_x.py: os.system('echo pwned')",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    let loaded = loaded(model);
    for (artifact, facts) in files(model).filter(|(artifact, _)| !is_cell(artifact)) {
        let by_loader = loaded.contains(artifact.path.as_str());
        let by_tests = !by_loader && is_for_tests(artifact.path.as_str());
        for call in facts.calls.iter().filter(|call| call.when == When::Import) {
            let Some(severity) = severity(call, by_loader, by_tests) else { continue };
            let message = format!("importing the file {} by `{}`", does(call.action), shown(&call.name));
            sink.report_at(&artifact.path, (call.start, call.end), message, evidence(call)).severity =
                severity;
        }
    }
}

/// How grave a call on import is, in a file that a loader imports by itself or in another.
fn severity(call: &SensitiveCall, by_loader: bool, by_tests: bool) -> Option<Severity> {
    use ArgumentOrigin::{Constant, Decoded, File, Network, Template};
    let either = |loader: Severity, other: Severity| Some(if by_loader { loader } else { other });
    match call.action {
        Action::Process => match call.value.as_deref().map_or(CommandKind::Other, command_kind) {
            CommandKind::Hostile(_) => Some(Severity::Critical),
            CommandKind::Tool => Some(Severity::Low),
            CommandKind::Install => either(Severity::High, Severity::Medium),
            CommandKind::Other if by_tests => Some(Severity::Medium),
            CommandKind::Other => either(Severity::Critical, Severity::High),
        },
        Action::Code => match call.argument {
            // The code itself is analysed as a member.
            Constant if call.name.starts_with("builtins.") => Some(Severity::Low),
            Decoded | Network => Some(Severity::Critical),
            _ if call.name.starts_with("types.") || call.name.starts_with("timeit.") => Some(Severity::Low),
            _ if call.name.starts_with("marshal.") => either(Severity::Critical, Severity::High),
            File | Template => either(Severity::Medium, Severity::Low),
            // Libraries write methods as text and run it, in a function made for that (attrs, namedtuple).
            _ if call.function.is_some() => either(Severity::Medium, Severity::Low),
            _ => either(Severity::High, Severity::Medium),
        },
        Action::Import => match call.argument {
            Decoded | Network => Some(Severity::High),
            _ => Some(Severity::Low),
        },
        Action::FetchedCode => either(Severity::High, Severity::Medium),
        Action::Deserialize => match call.argument {
            Constant | Decoded | Network => Some(Severity::Critical),
            _ => Some(Severity::Low),
        },
        Action::Native => either(Severity::Medium, Severity::Low),
        Action::Network if only_prepares(&call.name) => either(Severity::Medium, Severity::Low),
        Action::Network => either(Severity::Critical, Severity::Medium),
        Action::Socket => Some(Severity::High),
        Action::WriteFile => match call.value.as_deref().is_some_and(is_elsewhere) {
            true => either(Severity::High, Severity::Medium),
            false => either(Severity::Medium, Severity::Low),
        },
        // The path alone opens nothing.
        Action::SensitiveFile if call.name.starts_with("os.path.") => Some(Severity::Low),
        Action::SensitiveFile => either(Severity::High, Severity::Medium),
        Action::Environment | Action::Hook => either(Severity::Medium, Severity::Low),
        Action::ComputedAttribute if call.argument >= Decoded => Some(Severity::High),
        Action::ComputedAttribute => either(Severity::Medium, Severity::Low),
    }
}

/// Whether a call makes an object that connects only later, by a method that is reported itself.
fn only_prepares(name: &str) -> bool {
    matches!(
        name,
        "socket.socket"
            | "requests.Session"
            | "requests.session"
            | "httpx.Client"
            | "httpx.AsyncClient"
            | "aiohttp.ClientSession"
            | "urllib3.PoolManager"
            | "urllib.request.build_opener"
            | "http.client.HTTPConnection"
            | "http.client.HTTPSConnection"
            | "paramiko.SSHClient"
            | "pycurl.Curl"
            | "websocket.WebSocketApp"
            | "xmlrpc.client.ServerProxy"
    )
}

/// Whether a file lies in a folder of tests, which nobody but the tests imports.
fn is_for_tests(path: &str) -> bool {
    path.rsplit_once('/')
        .is_some_and(|(folder, _)| folder.split('/').any(|part| matches!(part, "test" | "tests" | "_tests")))
}

/// Whether a path leads out of the folder the program works in.
fn is_elsewhere(path: &str) -> bool {
    path.starts_with(['/', '~', '\\']) || path.contains("..") || path.get(1..3) == Some(":\\")
}

pub(super) fn does(action: Action) -> &'static str {
    match action {
        Action::Process => "starts a process",
        Action::Code => "runs code",
        Action::Import => "imports a computed module",
        Action::FetchedCode => "fetches code and runs it",
        Action::Deserialize => "unpickles data",
        Action::Native => "loads native code",
        Action::Network => "connects to the network",
        Action::Socket => "hands out a socket",
        Action::WriteFile => "writes or removes files",
        Action::SensitiveFile => "opens files with secrets or of the system",
        Action::Environment => "reads the whole environment",
        Action::ComputedAttribute => "reaches a system function by a computed name",
        Action::Hook => "changes how Python imports",
    }
}
