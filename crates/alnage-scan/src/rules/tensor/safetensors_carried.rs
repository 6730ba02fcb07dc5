//! SFT007: something else inside a safetensors metadata value.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{report_carried, safetensors};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "SFT007",
    name: "safetensors-metadata-payload",
    summary: "a metadata value carries an encoded file or a script",
    why: "Loading a safetensors file runs nothing, so attackers park the payload in `__metadata__` and let a small, innocent looking loader script decode and run it.",
    remediation: "Find out what reads this metadata key before using the model; drop the key if nothing needs it.",
    references: &[
        "CWE-506",
        "AML.T0018",
        "https://unit42.paloaltonetworks.com/rce-vulnerabilities-in-ai-python-libraries/",
    ],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`__metadata__` with the base64 of a pickle",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in safetensors(model) {
        report_carried(artifact, &facts.carried, RULE.severity, sink);
    }
}
