//! The configuration claims a context that the weights do not have.

use alnage_facts::Question;
use alnage_types::{Confidence, Level, Severity};

use super::report;
use crate::Rule;

pub(super) static RULE: Rule = Rule {
    code: "BOM005",
    name: "provenance-context-length",
    summary: "the configuration claims a context that the weights do not have",
    why: "Longer inputs make the model fail or read outside its table of positions; or configuration and weights belong to different models.",
    remediation: "Fetch configuration and weights of the same revision.",
    references: &["CWE-345"],
    severity: Severity::Low,
    confidence: Confidence::Medium,
    level: Level::Default,
    example: "config.json: {\"max_position_embeddings\": 4096}, with a table of 512 positions",
    check: |model, sink| report(model, Question::ContextLength, sink),
};
