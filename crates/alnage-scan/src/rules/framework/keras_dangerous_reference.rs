//! KER003: a Keras configuration that names a dangerous Python callable.

use alnage_formats::{
    Model,
    framework::{KerasKind, KerasReference},
};
use alnage_types::{Confidence, Level, Severity};

use super::{
    keras,
    python_modules::{Reach, reach},
    quote,
};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "KER003",
    name: "keras-dangerous-reference",
    summary: "a Keras configuration names a Python callable outside Keras that no model needs",
    why: "Keras resolves `module` and `class_name` by importing the module and taking the name from it. An attacker \
          who names `os.system` and its arguments runs a command when the configuration is read, `safe_mode` or not.",
    remediation: "Do not load the file. Report it to where it came from.",
    references: &["CWE-94", "CWE-470", "CVE-2025-1550", "AML.T0011.000"],
    severity: Severity::Critical,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`{\"module\": \"os\", \"class_name\": \"function\", \"config\": \"system\"}`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in keras(model) {
        for reference in &facts.references {
            let Some(module) =
                reference.module.as_deref().filter(|_| reference.kind != KerasKind::TensorFlowFunction)
            else {
                continue;
            };
            let Some((name, reach)) = dangerous(module, reference) else { continue };
            let name = quote(&format!("{module}.{name}"), 160);
            let why = match reach {
                Reach::Dangerous(why) => why,
                Reach::StandardLibrary => {
                    "is of Python's standard library, where no model's class lives".to_owned()
                }
            };
            let message = format!("the configuration names `{name}`, which {why}");
            let evidence = format!("{} names {name}", quote(&reference.pointer, 200));
            sink.report_at(&artifact.path, (reference.offset, reference.offset), message, evidence);
        }
    }
}

/// The dangerous name of a reference: Keras takes the name, and where that fails the registered name.
pub(super) fn dangerous<'a>(module: &str, reference: &'a KerasReference) -> Option<(&'a str, Reach)> {
    [Some(reference.name.as_str()), reference.registered_name.as_deref()]
        .into_iter()
        .flatten()
        .find_map(|name| Some((name, reach(module, name)?)))
}
