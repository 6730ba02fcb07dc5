//! ARC009: content that does not have the checksum its archive or stream declares.

use alnage_formats::{
    Facts, Model,
    container::{AnomalyKind, ContainerFacts},
};
use alnage_types::{Confidence, Level, Severity};

use super::anomalies;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "ARC009",
    name: "archive-checksum-mismatch",
    summary: "content does not have the checksum that is declared for it",
    why: "Either the file is damaged, or someone changed it without its tools. PyTorch loads members with a wrong \
          checksum; Python notices only after the payload was unpickled; many scanners give up at once.",
    remediation: "Get the file again from its publisher and compare digests.",
    references: &["CWE-354", "CVE-2025-10156", "AML.T0076"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a PyTorch checkpoint whose `data.pkl` was edited in place",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, anomaly) in anomalies(model, &[AnomalyKind::ChecksumMismatch]) {
        let message = format!("`{}` does not have the checksum that is declared for it", anomaly.entry);
        sink.report_at(artifact, (anomaly.offset, anomaly.offset), message, anomaly.detail.as_str());
    }
    for artifact in &model.artifacts {
        if let Facts::Container(facts) = &artifact.facts
            && let ContainerFacts::Stream(stream) = facts.as_ref()
            && stream.checksum_failed
        {
            sink.report(
                &artifact.path,
                "the decompressed content does not have the checksum that is declared for it",
            );
        }
    }
}
