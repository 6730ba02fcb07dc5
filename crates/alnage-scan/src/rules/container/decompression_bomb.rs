//! ARC011: an archive or stream out of which too much comes.

use alnage_formats::{Facts, Model, container::ContainerFacts};
use alnage_types::{Confidence, Level, Severity};

use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "ARC011",
    name: "archive-decompression-bomb",
    summary: "far more comes out of a compressed file than models compress to",
    why: "It exhausts the memory or disk of whoever loads or scans it, and what lies behind the point where a scanner \
          stops is never looked at. Weights hardly compress at all.",
    remediation: "Do not load the file. If it is meant to be so, raise `max-expanded` and `max-ratio` and vet it again.",
    references: &["CWE-409", "AML.T0029"],
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    level: Level::Default,
    example: "300 MB of pickle no-ops in a zip of 300 kB",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for artifact in &model.artifacts {
        let Facts::Container(facts) = &artifact.facts else { continue };
        let bomb = match facts.as_ref() {
            ContainerFacts::Archive(archive) => archive.bomb,
            ContainerFacts::Stream(stream) => stream.bomb,
            _ => false,
        };
        if bomb {
            let message = format!("more comes out of these {} bytes than the limits allow", artifact.size);
            sink.report(&artifact.path, message);
        }
    }
}
