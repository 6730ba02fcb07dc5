//! ONX003: a script or an encoded file in a string of an ONNX model.

use alnage_formats::{Model, tensor::CarriedKind};
use alnage_types::{Confidence, Level, Severity};

use super::{
    onnx,
    operators::{self, Origin},
    report_carried,
};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "ONX003",
    name: "onnx-embedded-payload",
    summary: "a string of the model holds a script or an encoded file",
    why: "Standard operators have no use for source code. A custom operator that takes a script as an attribute runs it; elsewhere the payload waits for a loader script that picks it up.",
    remediation: "Read the string; do not load the model with an operator library that interprets it.",
    references: &["CWE-506", "CWE-94", "AML.T0018"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "an attribute `code` with `import os; os.system(…)`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in onnx(model) {
        report_carried(artifact, &facts.carried, RULE.severity, sink);
        for node in &facts.carried_by_nodes {
            let runs = node.carried.kind == CarriedKind::Script
                && operators::origin(&node.operator) != Origin::Known;
            let severity = if runs { Severity::High } else { RULE.severity };
            report_carried(artifact, [&node.carried], severity, sink);
        }
    }
}
