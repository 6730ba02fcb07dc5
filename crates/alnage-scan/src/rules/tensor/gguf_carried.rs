//! GGU006: something else inside a GGUF metadata value.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{gguf, report_carried};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "GGU006",
    name: "gguf-metadata-payload",
    summary: "a metadata value carries an encoded file or a script",
    why: "Loaders only show metadata. A payload there waits for a script that decodes and runs it, or for an interface that interprets it.",
    remediation: "Find out what reads this metadata key before using the model; drop the key if nothing needs it.",
    references: &["CWE-506", "AML.T0018"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`general.description` with the base64 of a pickle",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in gguf(model) {
        report_carried(artifact, &facts.carried, RULE.severity, sink);
    }
}
