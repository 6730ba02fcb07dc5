//! PAD001: a Paddle program has an operation that calls Python, files or the network.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{graph, quote};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PAD001",
    name: "paddle-operation",
    summary: "a Paddle program has an operation that calls Python, files or the network",
    why: "`py_func` calls a Python function that the process registered under a number; `load` and `save` touch files, `send` and `recv` connect to other machines.",
    remediation: "Ask for an export of the inference program alone.",
    references: &["CWE-94", "CWE-73"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "an operation of type `py_func`",
    check,
};

const EFFECTS: &[&str] = &[
    "py_func",
    "py_layer",
    "load",
    "load_combine",
    "save",
    "save_combine",
    "read_file",
    "listen_and_serv",
    "send",
    "recv",
    "send_barrier",
    "fetch_barrier",
    "distributed_lookup_table",
    "run_program",
    "open_files",
    "checkpoint_notify",
];

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in graph(model).filter(|(artifact, _)| artifact.format == "paddle-program") {
        for (name, count) in facts.operations.iter().filter(|(name, _)| EFFECTS.contains(&name.as_str())) {
            let name = quote(name, 80);
            sink.report(&artifact.path, format!("the program runs `{name}`")).evidence =
                Some(format!("{name} x{count}"));
        }
    }
}
