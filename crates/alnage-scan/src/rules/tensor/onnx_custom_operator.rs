//! ONX002: ONNX operators that only a native library of somebody's can compute.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{
    onnx,
    operators::{self, Origin},
};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "ONX002",
    name: "onnx-custom-operator",
    summary: "an operator is not part of ONNX or its known runtimes",
    why: "Such an operator needs a native library that is loaded into the process beside the model. What it does is not in the model file; whoever supplies the library runs code.",
    remediation: "Find out which library computes it and vet that library, or ask for an export without it.",
    references: &["CWE-829", "AML.T0010"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a node of the domain `com.example`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in onnx(model) {
        for used in facts.all_operators.iter().filter(|used| !used.defined_in_model) {
            if operators::effect(&used.operator).is_some() {
                continue;
            }
            const LIBRARY: &str = "needs a library that the model does not name";
            let (severity, what) = match operators::origin(&used.operator) {
                Origin::Known => continue,
                Origin::Extension => (Severity::Info, LIBRARY),
                Origin::Compiled => (Severity::Medium, "hands a compiled program to an execution provider"),
                Origin::Unknown => (Severity::Medium, LIBRARY),
            };
            let shown = operators::shown(&used.operator);
            let message = format!("the operator `{shown}` {what}");
            let at = (used.offset, used.offset + 1);
            sink.report_at(&artifact.path, at, message, format!("{} nodes", used.count)).severity = severity;
        }
    }
}
