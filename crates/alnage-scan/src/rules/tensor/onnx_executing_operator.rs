//! ONX001: ONNX operators that run Python or talk to a server.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{onnx, operators};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "ONX001",
    name: "onnx-executing-operator",
    summary: "an operator runs Python code or sends its inputs to a server",
    why: "A few operators of extension libraries do not compute: they call a Python function in the process that loads the model, or a web service named in the graph. With one of them the model runs code of its author's choice.",
    remediation: "Do not load the model with the extension library registered; ask the publisher for an export without this operator.",
    references: &["CWE-94", "AML.T0018", "https://github.com/microsoft/onnxruntime-extensions"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a node `PyOp` of `ai.onnx.contrib`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in onnx(model) {
        for used in facts.all_operators.iter().filter(|used| !used.defined_in_model) {
            let Some(what) = operators::effect(&used.operator) else { continue };
            let shown = operators::shown(&used.operator);
            let message = format!("the operator `{shown}` {what}");
            sink.report_at(&artifact.path, (used.offset, used.offset + 1), message, shown);
        }
    }
}
