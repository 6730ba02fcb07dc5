//! KER004: a Keras configuration that imports from another package.

use alnage_formats::{Model, framework::KerasKind};
use alnage_types::{Confidence, Level, Severity};

use super::{keras, keras_dangerous_reference::dangerous, quote};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "KER004",
    name: "keras-foreign-reference",
    summary: "a Keras configuration names a class or function of another package",
    why: "Before release 3.9 Keras imports the module that a configuration names, which runs the module's code, and \
          calls what it finds there. What that does is not in the model's file.",
    remediation: "Check that the named package is one you trust and expect in this model; newer Keras refuses such \
                  references unless they are registered.",
    references: &["CWE-470", "CVE-2025-1550"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`{\"module\": \"my_package.layers\", \"class_name\": \"Attention\", \"config\": {}}`",
    check,
};

/// Packages whose classes Keras models are made of.
const KNOWN: &[&str] = &[
    "keras",
    "tf_keras",
    "keras_core",
    "keras_hub",
    "keras_nlp",
    "keras_cv",
    "keras_rs",
    "keras_tuner",
    "tensorflow",
    "builtins",
    "numpy",
    "ml_dtypes",
    "jax",
];

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in keras(model) {
        for reference in &facts.references {
            let Some(module) = reference.module.as_deref() else { continue };
            let root = module.split('.').next().unwrap_or(module);
            if module.is_empty()
                || KNOWN.contains(&root)
                || reference.kind == KerasKind::TensorFlowFunction
                || dangerous(module, reference).is_some()
            {
                continue;
            }
            let name = quote(&format!("{module}.{}", reference.name), 160);
            let message = format!("the configuration names `{name}` of another package");
            let evidence = format!("{} names {name}", quote(&reference.pointer, 200));
            sink.report_at(&artifact.path, (reference.offset, reference.offset), message, evidence);
        }
    }
}
