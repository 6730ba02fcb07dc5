//! PKL014: the pickle breaks off after calls were made.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity, Span};

use super::pickles;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PKL014",
    name: "pickle-broken-stream",
    summary: "the pickle breaks off after calls were made",
    why: "Unpickling runs opcode by opcode, so everything before the defect has been executed when the error is raised. Malware breaks its pickles on purpose, because scanners give up on them.",
    remediation: "Do not load the file. If it should be whole, get it again and compare digests.",
    references: &["CWE-502", "CWE-703", "AML.T0015"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a payload followed by an opcode that does not exist",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in pickles(model) {
        for stream in facts.streams.iter().filter(|stream| !stream.complete && stream.calls > 0) {
            let message = format!("the pickle breaks off after {} calls: {}", stream.calls, stream.ended);
            let last = stream.end.saturating_sub(1).max(stream.start);
            sink.report(&artifact.path, message).span = Some(Span::new(last, stream.end));
        }
    }
}
