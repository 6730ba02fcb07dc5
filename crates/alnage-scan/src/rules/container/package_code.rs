//! PYT003: Python source inside a `torch.package` archive.

use alnage_formats::{Facts, Model, container::ContainerFacts};
use alnage_types::{Confidence, Level, Severity};

use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PYT003",
    name: "torch-package-code",
    summary: "a torch.package archive carries Python source that runs when the package is loaded",
    why: "PackageImporter imports the modules of the archive and unpickles objects of their classes: the code in it runs with the \
          rights of whoever loads the model. The source files are analysed as artifacts of their own.",
    remediation: "Read the source files before loading, or ask the author for weights without code.",
    references: &["CWE-94", "AML.T0011.000"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a `torch.package` archive with `my_model/layers.py`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for artifact in model.read_as("torch-package") {
        let Facts::Container(facts) = &artifact.facts else { continue };
        let ContainerFacts::Bundle(bundle) = facts.as_ref() else { continue };
        if bundle.python_files.is_empty() {
            continue;
        }
        let evidence = bundle.python_files.iter().take(8).map(String::as_str).collect::<Vec<_>>().join(", ");
        sink.report(&artifact.path, "loading this package imports the Python modules in it").evidence =
            Some(evidence);
    }
}
