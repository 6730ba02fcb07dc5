//! No weight has the type that the configuration states.

use alnage_facts::Question;
use alnage_types::{Confidence, Level, Severity};

use super::report;
use crate::Rule;

pub(super) static RULE: Rule = Rule {
    code: "BOM003",
    name: "provenance-element-type",
    summary: "no weight has the type that the configuration states",
    why: "The weights were converted after the configuration was written, so what was measured for the model may not hold for these files, or the files belong to another model.",
    remediation: "Fetch configuration and weights of the same revision.",
    references: &["CWE-345"],
    severity: Severity::Info,
    confidence: Confidence::Medium,
    level: Level::Default,
    example: "config.json: {\"torch_dtype\": \"float32\"}, with weights of F16",
    check: |model, sink| report(model, Question::ElementType, sink),
};
