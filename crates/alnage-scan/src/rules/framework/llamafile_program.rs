//! LLF001: a model that is a program.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "LLF001",
    name: "llamafile-program",
    summary: "the model is a program for every operating system",
    why: "A llamafile is used by running it: the runtime that comes with the weights is native code of whoever built \
          the file.",
    remediation: "Take the weights out as GGUF and run them with a runtime you trust.",
    references: &["CWE-829", "AML.T0011.000"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a file that starts with `MZqFpD='`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for artifact in model.read_as("llamafile") {
        sink.report(&artifact.path, "the model is a native program");
    }
}
