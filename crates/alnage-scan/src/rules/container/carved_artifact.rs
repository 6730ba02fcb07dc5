//! ARC016: an artifact in bytes that no reading of the file accounts for.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "ARC016",
    name: "carved-artifact",
    summary: "a pickle, program or archive is hidden in bytes that no loader of the file reads",
    why: "The usual loader skips these bytes; the first stage of an attack, or another loader, picks them up. What was \
          found is analysed like any other artifact.",
    remediation: "Save the model anew with its framework: ordinary writers leave no such bytes.",
    references: &["CWE-506", "AML.T0018", "AML.T0076"],
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    level: Level::Default,
    example: "weights with an ELF program behind the last tensor",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    let mut before = None;
    for artifact in &model.artifacts {
        let name = artifact.path.name();
        if !name.starts_with("carved@") || before == Some(&artifact.path) {
            continue;
        }
        before = Some(&artifact.path);
        // The content of a carved stream has the stream's name without its suffix; it is no find of its own.
        let Some(extension) = artifact.path.extension() else { continue };
        let what = match extension.as_str() {
            "pkl" => "a pickle",
            "exe" => "a program",
            "zip" | "7z" | "rar" => "an archive",
            "gz" | "bz2" | "xz" | "zst" | "lz4" => "a compressed stream",
            _ => "another model file",
        };
        let finding =
            sink.report(&artifact.path, format!("{what} stands in bytes that no reading accounts for"));
        if what == "a compressed stream" || what == "another model file" {
            finding.severity = Severity::Low;
        }
    }
}
