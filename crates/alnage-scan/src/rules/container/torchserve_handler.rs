//! PYT004: Python source inside a TorchServe model archive.

use alnage_formats::{Facts, Model, container::ContainerFacts};
use alnage_types::{Confidence, Level, Severity};

use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PYT004",
    name: "torchserve-handler-code",
    summary: "a TorchServe archive carries Python source that the server runs",
    why: "TorchServe imports the handler named in the manifest when the model is registered: the code in it runs with the rights \
          of the server. The source files are analysed as artifacts of their own.",
    remediation: "Read the handler before registering the model, and register only archives you built.",
    references: &["CWE-94", "AML.T0011.000"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a `.mar` with `handler.py`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for artifact in model.read_as("torchserve-mar") {
        let Facts::Container(facts) = &artifact.facts else { continue };
        let ContainerFacts::Bundle(bundle) = facts.as_ref() else { continue };
        if bundle.python_files.is_empty() {
            continue;
        }
        let evidence = bundle.python_files.iter().take(8).map(String::as_str).collect::<Vec<_>>().join(", ");
        sink.report(&artifact.path, "registering this archive runs the Python handler in it").evidence =
            Some(evidence);
    }
}
