//! The model card and the adapter name different base models.

use alnage_facts::Question;
use alnage_types::{Confidence, Level, Severity};

use super::report;
use crate::Rule;

pub(super) static RULE: Rule = Rule {
    code: "BOM001",
    name: "provenance-base-model",
    summary: "the model card and the adapter name different base models",
    why: "Who looks up licence, known vulnerabilities and recalls of the base model looks at the one the card names. A card that names another base than the one the weights were trained on hides where the model comes from.",
    remediation: "Ask the publisher which model it was made from; then correct the card or `base_model_name_or_path`.",
    references: &["CWE-345", "AML.T0010"],
    severity: Severity::Low,
    confidence: Confidence::Medium,
    level: Level::Default,
    example: "README.md: base_model: mistralai/Mistral-7B-v0.1; adapter_config.json: {\"base_model_name_or_path\": \"/home/bob/secret-llama-3-8b\"}",
    check: |model, sink| report(model, Question::BaseModel, sink),
};
