//! NPY002: a NumPy header that is no plain literal.

use alnage_formats::{Facts, Model, container::ContainerFacts};
use alnage_types::{Confidence, Level, Severity};

use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "NPY002",
    name: "numpy-header-no-literal",
    summary: "the header of a NumPy array is no plain literal",
    why: "The header is a Python dictionary as text. NumPy refuses anything but a literal, but other readers evaluate it, \
          and then an expression in it runs.",
    remediation: "Do not load the file. Get it again from its publisher and compare digests.",
    references: &["CWE-95", "CWE-20"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`{'descr': __import__('os').system('id'), …}`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for artifact in &model.artifacts {
        if let Facts::Container(facts) = &artifact.facts
            && let ContainerFacts::Array(array) = facts.as_ref()
            && let Some(header) = &array.unreadable_header
        {
            sink.report(&artifact.path, "the header is no literal of type, order and shape").evidence =
                Some(header.clone());
        }
    }
}
