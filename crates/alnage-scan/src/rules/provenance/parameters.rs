//! The model has not as many parameters as it is said to have.

use alnage_facts::Question;
use alnage_types::{Confidence, Level, Severity};

use super::report;
use crate::Rule;

pub(super) static RULE: Rule = Rule {
    code: "BOM004",
    name: "provenance-parameters",
    summary: "the model has not as many parameters as it is said to have",
    why: "The weights belong to another model than the one that is described.",
    remediation: "Compare the digests with those of the original publisher.",
    references: &["CWE-345"],
    severity: Severity::Low,
    confidence: Confidence::Medium,
    level: Level::Default,
    example: "README.md: **Parameters:** 7B, with weights of 22 million",
    check: |model, sink| report(model, Question::Parameters, sink),
};
