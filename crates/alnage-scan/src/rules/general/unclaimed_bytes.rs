//! FMT003: bytes of a recognised file that belong to nothing in it.

use alnage_formats::{LoadEffect, Model, format};
use alnage_types::{Confidence, Level, Severity};

use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "FMT003",
    name: "unclaimed-bytes",
    summary: "bytes of the file belong to no part of its format",
    why: "Loaders skip such bytes, so a second file can travel in them: another loader, or the first stage of an \
          attack, picks it up. What Alnage recognises there is analysed as an artifact of its own.",
    remediation: "Save the model anew with its framework: ordinary writers leave no such bytes.",
    references: &["CWE-1286"],
    severity: Severity::Low,
    confidence: Confidence::Medium,
    level: Level::Pedantic,
    example: "a safetensors file with an ELF program behind its last tensor",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for artifact in &model.artifacts {
        let Some(first) = artifact.unclaimed.first() else { continue };
        let whole = first.start == 0 && first.end == artifact.size;
        let container =
            format(artifact.format).is_some_and(|format| format.load_effect == LoadEffect::Container);
        if whole || container {
            continue;
        }
        let bytes: u64 = artifact.unclaimed.iter().map(|span| span.end - span.start).sum();
        let places = artifact.unclaimed.len();
        let message = format!("{bytes} bytes in {places} places belong to no part of the format");
        sink.report(&artifact.path, message).span = Some(*first);
    }
}
