//! FTX001: numbers in a fastText model that cannot be true together.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::fasttext;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "FTX001",
    name: "fasttext-counts",
    summary: "sizes in a fastText model contradict each other",
    why: "The library believes every number in the file: it looks up rows that need not be there, and adds rows to a \
          vector that may be shorter. A model made for it reads and writes beyond the memory that was reserved. \
          The library never writes numbers that differ.",
    remediation: "Do not load the file; get it again from its publisher and compare digests, or train the model anew.",
    references: &["CWE-125", "CWE-787", "CWE-190"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "vectors of 16 numbers and an input matrix of 400 columns",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in fasttext(model) {
        for found in &facts.contradictions {
            let message = format!(
                "{}: the file says {}, the rest of it needs {}",
                found.number, found.declared, found.fits
            );
            let evidence = format!("{} = {}", found.number, found.declared);
            sink.report_at(&artifact.path, found.span, message, evidence);
        }
        // Gensim writes such files and reads them; the library itself ends there and does no more harm.
        if facts.buckets == 0 && facts.hashes_features() {
            let message =
                "features are hashed into 0 buckets: the library divides by zero as it loads the file";
            let finding = sink.report(&artifact.path, message);
            finding.evidence = Some("buckets of features = 0".into());
            finding.severity = Severity::Low;
        }
    }
}
