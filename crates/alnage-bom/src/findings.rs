//! Findings as vulnerabilities, and what is known not to apply.

use alnage_formats::{Facts, Model};
use alnage_types::{Confidence, Finding, Severity};

use crate::{bom::Vulnerability, files};

/// More findings than that say nothing more to a reader of a bill of materials; the record has them all.
const MAX_FINDINGS: usize = 1000;

/// One vulnerability a finding. A finding in a file that is not listed affects `otherwise`.
pub(crate) fn vulnerabilities(findings: &[Finding], files: &[&str], otherwise: &str) -> Vec<Vulnerability> {
    let vulnerability = |finding: &Finding| {
        let file = files::reference(finding.artifact.outer_file());
        let cwes =
            finding.references.iter().filter_map(|reference| reference.strip_prefix("CWE-")?.parse().ok());
        let sure = finding.confidence == Confidence::High && finding.severity >= Severity::High;
        Vulnerability {
            id: finding.code.to_string(),
            source: "alnage".into(),
            severity: finding.severity_word().into(),
            cwes: cwes.collect(),
            description: format!("`{}`: {}", finding.artifact, finding.message),
            recommendation: finding.remediation.to_string(),
            affects: vec![if files.contains(&file.as_str()) { file } else { otherwise.into() }],
            state: if sure { "exploitable" } else { "in_triage" }.into(),
            ..Vulnerability::default()
        }
    };
    findings.iter().take(MAX_FINDINGS).map(vulnerability).collect()
}

/// The severity's word in documents.
trait SeverityWord {
    fn severity_word(&self) -> &'static str;
}

impl SeverityWord for Finding {
    fn severity_word(&self) -> &'static str {
        match self.severity {
            Severity::Info => "info",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }
}

/// That nothing in the model is deserialised into objects, when all of it was understood and none of it is a pickle.
pub(crate) fn without_pickle(model: &Model, component: &str) -> Option<Vulnerability> {
    let pickled = model.artifacts.iter().any(|artifact| matches!(artifact.facts, Facts::Pickle(_)));
    let understood = model.issues.is_empty() && !model.artifacts.is_empty();
    let unknown = model.artifacts.iter().any(|artifact| artifact.format == "unrecognised");
    (understood && !pickled && !unknown).then(|| Vulnerability {
        id: "CWE-502".into(),
        source: "CWE".into(),
        cwes: vec![502],
        description: "Deserialization of untrusted data: code in a pickle that runs when a model is loaded."
            .into(),
        affects: vec![component.into()],
        state: "not_affected".into(),
        justification: Some("code_not_present".into()),
        detail: Some(format!("{} parts of the model were read; none is a pickle", model.artifacts.len())),
        ..Vulnerability::default()
    })
}
