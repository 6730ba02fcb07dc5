//! PYT005: The tar format that PyTorch wrote before version 0.1.10.

use alnage_formats::{Facts, Model, container::ContainerFacts};
use alnage_types::{Confidence, Level, Severity};

use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PYT005",
    name: "torch-legacy-tar",
    summary: "a PyTorch checkpoint in the tar format of 2016",
    why: "Before PyTorch 2.6 such files are unpickled without restriction even with `weights_only=True` (CVE-2025-32434). No \
          PyTorch of the last years writes them.",
    remediation: "Use PyTorch 2.6 or newer, and save the checkpoint anew.",
    references: &["CVE-2025-32434", "CWE-502"],
    severity: Severity::Low,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a tar with the members `pickle`, `storages` and `tensors`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for artifact in model.read_as("pytorch-tar") {
        let Facts::Container(facts) = &artifact.facts else { continue };
        let ContainerFacts::Bundle(bundle) = facts.as_ref() else { continue };
        let evidence = bundle.manifest.clone();
        sink.report(
            &artifact.path,
            "older PyTorch unpickles this format without restriction even with `weights_only=True`",
        )
        .evidence = Some(evidence);
    }
}
