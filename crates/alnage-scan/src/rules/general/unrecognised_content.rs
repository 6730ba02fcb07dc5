//! FMT002: content of no known format.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::name_content_mismatch::promised;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "FMT002",
    name: "unrecognised-content",
    summary: "the content is of no format Alnage knows",
    why: "What is not recognised was not analysed. Under a name that promises a model format it is damaged, encrypted \
          or made for a loader nobody here knows; raw weights without a header are ordinary under other names.",
    remediation: "Find out which program reads the file; keep it out of the model when nothing needs it.",
    references: &["CWE-434"],
    severity: Severity::Info,
    confidence: Confidence::High,
    level: Level::Default,
    example: "random bytes named `model.pkl`",
    check,
};

/// Extensions that checkpoints use but that promise nothing: raw weights and data have them as well.
const ANYTHING: &[&str] = &["bin", "dat", "data"];

fn check(model: &Model, sink: &mut Sink<'_>) {
    for artifact in model.read_as("unrecognised") {
        let open = artifact.path.extension().is_some_and(|extension| ANYTHING.contains(&extension.as_str()));
        let models = promised(&artifact.path).iter().find(|format| !open && format.holds_a_model());
        match models {
            Some(format) => {
                let message = format!("named as {}, but the content is of no known format", format.title);
                sink.report(&artifact.path, message).severity = Severity::Medium;
            }
            None => {
                sink.report(&artifact.path, "the content is of no known format");
            }
        }
    }
}
