//! TRE002: a pipe, socket or device among the model's files.

use alnage_formats::{EntryKind, Model};
use alnage_types::{Confidence, Level, Severity};

use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "TRE002",
    name: "special-entry",
    summary: "a pipe, socket or device stands among the model's files",
    why: "What a loader reads from it is decided by another program at that moment, so it cannot be vetted; a loader \
          may also wait for it for ever. It is not opened here.",
    remediation: "Remove it: models are made of ordinary files.",
    references: &["CWE-67"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a named pipe `weights.bin`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for entry in model.tree.iter().filter(|entry| entry.kind == EntryKind::Special) {
        sink.report(&entry.path, "no ordinary file, and so not opened");
    }
}
