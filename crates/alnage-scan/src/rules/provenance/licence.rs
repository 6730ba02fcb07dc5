//! Card, metadata and licence text state different licences.

use alnage_facts::Question;
use alnage_types::{Confidence, Level, Severity};

use super::report;
use crate::Rule;

pub(super) static RULE: Rule = Rule {
    code: "BOM002",
    name: "provenance-licence",
    summary: "card, metadata and licence text state different licences",
    why: "Only one of them can hold. Using the model under the more generous one may be unlawful.",
    remediation: "Ask the publisher which licence holds, and for which part: code or weights.",
    references: &["CWE-1357"],
    severity: Severity::Low,
    confidence: Confidence::Medium,
    level: Level::Default,
    example: "README.md: license: mit, beside a LICENSE with the text of Apache-2.0",
    check: |model, sink| report(model, Question::Licence, sink),
};
