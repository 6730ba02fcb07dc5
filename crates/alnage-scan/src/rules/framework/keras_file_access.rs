//! KER006: layers that read files, URLs or other models when they are built.

use alnage_formats::{Model, framework::KerasField};
use alnage_types::{Confidence, Level, Severity};

use super::{keras, paths::leaves_the_model, quote};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "KER006",
    name: "keras-file-access",
    summary: "a Keras configuration makes a layer read a file or a URL",
    why: "A lookup layer with a file name as vocabulary opens it while the model is loaded, which hands local files \
          or answers of internal servers to whoever gets the model's output; `TFSMLayer` loads a whole TensorFlow \
          model, with whatever operations it has, from a path the attacker chose.",
    remediation: "Ask for the model with its vocabulary saved inside and without references to other files.",
    references: &["CWE-73", "CWE-918", "CVE-2025-12058", "CVE-2026-1462"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`{\"class_name\": \"StringLookup\", \"config\": {\"vocabulary\": \"/etc/passwd\"}}`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in keras(model) {
        for field in &facts.paths {
            let (class, value) = (quote(&field.class_name, 80), quote(&field.value, 200));
            let message = format!("`{class}` reads `{value}` when it is built");
            let evidence = format!("{} = {value}", quote(&field.pointer, 200));
            sink.report_at(&artifact.path, (field.offset, field.offset), message, evidence).severity =
                severity(field);
        }
        for reference in &facts.references {
            if reference.name == "TFSMLayer"
                && !facts.paths.iter().any(|field| field.class_name == "TFSMLayer")
            {
                let message = "`TFSMLayer` loads another model when it is built";
                let evidence = quote(&reference.pointer, 200);
                sink.report_at(&artifact.path, (reference.offset, reference.offset), message, evidence);
            }
        }
    }
}

/// A vocabulary beside the model is what older Keras wrote for its own assets: a person should look.
fn severity(field: &KerasField) -> Severity {
    if leaves_the_model(&field.value) || field.class_name == "TFSMLayer" {
        Severity::High
    } else {
        Severity::Medium
    }
}
