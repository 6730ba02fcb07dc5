//! PKL001: loading calls something that reaches the system.

use alnage_formats::{
    Model,
    pickle::{Call, Callee, PickleFacts},
};
use alnage_types::{Confidence, Level, Severity};

use super::{few::Few, weigh::Weight};
use crate::{Rule, Sink, capability::describe};

pub(super) static RULE: Rule = Rule {
    code: "PKL001",
    name: "pickle-dangerous-call",
    summary: "loading calls something that reaches the system",
    why: "A pickle is a program: loading it runs the calls it contains. This one starts a process, runs code, touches files or the network, or fetches another callable to do so. It happens before the caller sees any object.",
    remediation: "Do not load the file. Ask the publisher for safetensors or another format that holds only data.",
    references: &[
        "CWE-502",
        "AML.T0011.000",
        "AML.T0018",
        "OWASP ML06:2023",
        "https://docs.python.org/3/library/pickle.html",
    ],
    severity: Severity::Critical,
    confidence: Confidence::High,
    level: Level::Default,
    example: "pickle.loads(b'cposix\\nsystem\\n(S\\'id\\'\\ntR.')",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts, calls) in sink.weighed_calls(model).pickles(model) {
        let mut few = Few::new();
        for (call, weight) in calls {
            let Weight::Dangerous(danger) = weight else { continue };
            if !few.has_room(call.offset) {
                continue;
            }
            let message = format!("loading calls `{}`, which {}", callee(facts, call), describe(danger.sink));
            sink.report_at(&artifact.path, (call.offset, call.offset + 1), message, &*call.line);
        }
        few.close(sink, artifact, None);
    }
}

/// The name of what is called.
pub(super) fn callee(facts: &PickleFacts, call: &Call) -> String {
    let path = match &call.callee {
        Callee::Global(at) => facts.globals.get(*at).map(|global| global.path()),
        Callee::Method { class, name } => {
            facts.globals.get(*class).map(|class| format!("{}.{name}", class.path()))
        }
        Callee::Unknown => None,
    };
    path.map_or_else(|| "<unknown>".to_owned(), |path| shorten(&path))
}

/// A name from the file as it may be printed.
pub(super) fn shorten(name: &str) -> String {
    name.chars().take(120).flat_map(char::escape_debug).collect()
}
