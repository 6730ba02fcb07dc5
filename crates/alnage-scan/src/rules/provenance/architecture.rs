//! The tensors are not those of the architecture that the configuration states.

use alnage_facts::Question;
use alnage_types::{Confidence, Level, Severity};

use super::report;
use crate::Rule;

pub(super) static RULE: Rule = Rule {
    code: "BOM006",
    name: "provenance-architecture",
    summary: "the tensors are not those of the architecture that the configuration states",
    why: "Loaders build what the configuration states and leave out, or fill with noise, what does not fit. Configuration and weights belong to different models.",
    remediation: "Fetch configuration and weights of the same revision, from the original publisher.",
    references: &["CWE-345", "AML.T0010"],
    severity: Severity::Low,
    confidence: Confidence::Medium,
    level: Level::Default,
    example: "config.json: {\"model_type\": \"llama\"}, with tensors named as in BERT",
    check: |model, sink| report(model, Question::Architecture, sink),
};
