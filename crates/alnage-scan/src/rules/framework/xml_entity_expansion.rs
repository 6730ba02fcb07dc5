//! XML002: entities that expand without measure.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::xml;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "XML002",
    name: "xml-entity-expansion",
    summary: "an XML document's entities expand to many times its size",
    why: "Entities that refer to entities grow by a factor a level: a file of a kilobyte fills the memory of the \
          program that reads it.",
    remediation: "Do not load the file.",
    references: &["CWE-776"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "the billion laughs",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    const MAX_EXPANSION: u64 = 10 << 20;
    for (artifact, facts) in xml(model) {
        if facts.expansion > MAX_EXPANSION.max(artifact.size.saturating_mul(100)) {
            let message = format!("an entity expands to {} bytes or more", facts.expansion);
            sink.report(&artifact.path, message);
        }
    }
}
