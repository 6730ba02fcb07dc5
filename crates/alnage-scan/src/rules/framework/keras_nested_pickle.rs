//! KER002: a pickle inside a Keras configuration.

use alnage_formats::{Model, framework::KerasCodeKind};
use alnage_types::{Confidence, Level, Severity};

use super::{keras, quote};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "KER002",
    name: "keras-nested-pickle",
    summary: "a Keras configuration carries a pickle",
    why: "`TorchModuleWrapper` keeps a PyTorch module as a pickle in base64 and loads it with `weights_only=False` \
          while the configuration is read: whatever the pickle calls runs, `safe_mode` or not.",
    remediation: "Ask for the weights in safetensors and build the PyTorch module from source that was read.",
    references: &["CWE-502", "CVE-2025-49655", "AML.T0011.000"],
    severity: Severity::Critical,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`{\"class_name\": \"TorchModuleWrapper\", \"config\": {\"module\": \"gAKK…\"}}`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in keras(model) {
        for code in &facts.code {
            let (message, severity) = match code.kind {
                KerasCodeKind::TorchModule => {
                    ("a `TorchModuleWrapper` layer unpickles its module", Severity::Critical)
                }
                KerasCodeKind::Pickle => ("a field carries a pickle in base64", Severity::Medium),
                KerasCodeKind::Lambda | KerasCodeKind::Marshal => continue,
            };
            let evidence = format!("{} = {} bytes", quote(&code.pointer, 200), code.bytes);
            sink.report_at(&artifact.path, (code.offset, code.offset), message, evidence).severity = severity;
        }
        for reference in facts.references.iter().filter(|reference| reference.name == "TorchModuleWrapper") {
            if !facts.code.iter().any(|code| code.kind == KerasCodeKind::TorchModule) {
                let message = "a `TorchModuleWrapper` layer unpickles a PyTorch module";
                let span = (reference.offset, reference.offset);
                sink.report_at(&artifact.path, span, message, quote(&reference.pointer, 200)).severity =
                    Severity::High;
            }
        }
    }
}
