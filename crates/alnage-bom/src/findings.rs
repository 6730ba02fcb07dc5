//! Findings as the vulnerabilities of the document.

use alnage_types::{Finding, Severity};

use crate::{
    document::{Rating, Reference, Source, Vulnerability},
    files,
};

/// More findings than that say nothing more to a reader of a bill of materials; the record has them all.
const MAX_FINDINGS: usize = 1000;

/// One vulnerability a finding. A finding in a file that is not listed affects `otherwise`.
pub(crate) fn vulnerabilities(findings: &[Finding], files: &[String], otherwise: &str) -> Vec<Vulnerability> {
    let mut vulnerabilities = Vec::new();
    for finding in findings.iter().take(MAX_FINDINGS) {
        let file = files::reference(finding.artifact.outer_file());
        let cwes =
            finding.references.iter().filter_map(|reference| reference.strip_prefix("CWE-")?.parse().ok());
        vulnerabilities.push(Vulnerability {
            reference: format!("finding:{}", vulnerabilities.len()),
            id: finding.code.to_string(),
            source: Source { name: "alnage" },
            ratings: vec![Rating { severity: severity(finding.severity), method: "other" }],
            cwes: cwes.collect(),
            description: format!("`{}`: {}", finding.artifact, finding.message),
            recommendation: finding.remediation.to_string(),
            affects: vec![Reference {
                reference: if files.contains(&file) { file } else { otherwise.into() },
            }],
        });
    }
    vulnerabilities
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}
