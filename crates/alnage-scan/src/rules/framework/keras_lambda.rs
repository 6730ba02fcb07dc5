//! KER001: Python code inside a Keras configuration.

use alnage_formats::{Model, framework::KerasCodeKind};
use alnage_types::{Confidence, Level, Severity};

use super::{keras, quote};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "KER001",
    name: "keras-lambda-code",
    summary: "a Keras configuration carries compiled Python code",
    why: "A `Lambda` layer keeps its function as marshalled Python bytecode. Loading the model builds the function \
          and the first call of the layer, which loading itself may make, runs it with all rights of the process. \
          Older Keras and every HDF5 model do so without asking; newer Keras asks for `safe_mode=False`.",
    remediation: "Ask for the model with the `Lambda` layers replaced by built-in or registered layers, or read the \
                  disassembled code before loading it.",
    references: &["CWE-502", "CWE-94", "CVE-2024-3660", "CVE-2025-9905", "CVE-2025-9906", "AML.T0011.000"],
    severity: Severity::Critical,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`keras.layers.Lambda(lambda x: __import__('os').system('id'))`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in keras(model) {
        for code in &facts.code {
            let message = match code.kind {
                KerasCodeKind::Lambda => "a `Lambda` layer carries marshalled Python code",
                KerasCodeKind::Marshal => "a field carries marshalled Python code",
                KerasCodeKind::TorchModule | KerasCodeKind::Pickle => continue,
            };
            let evidence = format!("{} = {} bytes of bytecode", quote(&code.pointer, 200), code.bytes);
            sink.report_at(&artifact.path, (code.offset, code.offset), message, evidence);
        }
    }
}
