//! ARC015: an archive that is recognised and not read.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "ARC015",
    name: "unread-archive",
    summary: "an archive of a kind that Alnage does not read",
    why: "What is inside is unknown. Models are not distributed in such archives; attackers use them because scanners \
          skip them.",
    remediation: "Unpack the archive in a safe place and vet what is inside.",
    references: &["AML.T0076"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`model.rar`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for artifact in model.read_as("rar") {
        sink.report(&artifact.path, "a RAR archive, whose content is not read");
    }
}
