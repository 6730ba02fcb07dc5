//! PKL019: several pickles in one file.

use alnage_formats::{Model, pickle::Layout};
use alnage_types::{Confidence, Level, Severity};

use super::pickles;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PKL019",
    name: "pickle-several-streams",
    summary: "several pickles in one file",
    why: "A loader reads one pickle at a time, so what the second one does depends on whether it is read at all. All of them are judged.",
    remediation: "Nothing, if the program that wrote the file dumps several objects into it.",
    references: &["AML.T0015"],
    severity: Severity::Low,
    confidence: Confidence::High,
    level: Level::Default,
    example: "two `pickle.dump` into one file",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in pickles(model) {
        if facts.layout == Layout::Stream && facts.stream_count > 1 {
            let message = format!("{} pickles follow one another", facts.stream_count);
            sink.report(&artifact.path, message);
        }
    }
}
