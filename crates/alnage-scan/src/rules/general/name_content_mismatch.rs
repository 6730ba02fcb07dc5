//! FMT001: a name that promises another format than the content is.

use alnage_formats::{Artifact, Format, LoadEffect, Model, format, formats_by_extension};
use alnage_types::{ArtifactPath, Confidence, Level, Severity};

use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "FMT001",
    name: "name-content-mismatch",
    summary: "the file's name promises another format than its content is",
    why: "Scanners and people that go by the name skip the file; a loader that goes by the content runs it. Renaming \
          is the oldest way past a model scanner (CVE-2025-10155, CVE-2025-1889).",
    remediation: "Ask the publisher why the name is wrong; rename the file to what it is, or do not use it.",
    references: &["CWE-646", "CVE-2025-10155", "CVE-2025-1889", "AML.T0074"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a pickle named `model.onnx`",
    check,
};

/// Formats whose loaders find compressed content by itself: joblib and NumPy open `model.pkl` whatever wraps it,
/// and R compresses what it writes.
const OPENED_THROUGH_COMPRESSION: &[&str] = &["pickle", "joblib", "pytorch-legacy", "r-serialized"];

fn check(model: &Model, sink: &mut Sink<'_>) {
    // All readings of an artifact stand together.
    for all in model.artifacts.chunk_by(|one, next| one.path == next.path) {
        let artifact = &all[0];
        if matches!(artifact.format, "empty" | "unrecognised") {
            continue;
        }
        let promised = promised(&artifact.path);
        if promised.is_empty() || all.iter().any(|reading| keeps(reading, promised)) {
            continue;
        }
        if promised.iter().any(|format| OPENED_THROUGH_COMPRESSION.contains(&format.id))
            && all.iter().any(|reading| opens_to_pickle(model, reading))
        {
            continue;
        }
        let actual: Vec<&str> = all.iter().map(|reading| title(reading)).collect();
        let runs = all.iter().any(|reading| effect(reading).is_some_and(|effect| effect != LoadEffect::Data));
        let message = format!("named as {}, is {}", promised[0].title, actual.join(" and "));
        let finding = sink.report(&artifact.path, message);
        let stands_in = artifact.format == "text" && promised.iter().all(|format| format.holds_a_model());
        if !runs && !stands_in {
            finding.severity = Severity::Low;
        }
    }
}

/// The formats that the artifact's extension promises; empty when it promises nothing.
pub(super) fn promised(path: &ArtifactPath) -> &'static [&'static Format] {
    path.extension().map_or(&[], |extension| formats_by_extension(&extension))
}

fn keeps(reading: &Artifact, promised: &[&Format]) -> bool {
    promised.iter().any(|format| format.id == reading.format)
}

fn opens_to_pickle(model: &Model, container: &Artifact) -> bool {
    effect(container) == Some(LoadEffect::Container)
        && model.artifacts.iter().any(|member| {
            OPENED_THROUGH_COMPRESSION.contains(&member.format) && member.path.is_in(&container.path)
        })
}

fn effect(reading: &Artifact) -> Option<LoadEffect> {
    format(reading.format).map(|format| format.load_effect)
}

fn title(reading: &Artifact) -> &'static str {
    format(reading.format).map_or(reading.format, |format| format.title)
}
