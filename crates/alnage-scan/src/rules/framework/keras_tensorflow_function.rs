//! KER007: operation layers that call a dangerous TensorFlow function.

use alnage_formats::{Model, framework::KerasKind};
use alnage_types::{Confidence, Level, Severity};

use super::{keras, quote};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "KER007",
    name: "keras-tensorflow-function",
    summary: "an operation layer calls a TensorFlow function that reaches files, native code or Python",
    why: "`TFOpLambda` calls any function of TensorFlow by its name. `io.read_file` and `io.write_file` touch local \
          files, `load_op_library` runs native code, `py_function` and `saved_model.load` run whatever they are given.",
    remediation: "Do not load the file.",
    references: &["CWE-73", "CWE-94", "AML.T0011.000"],
    severity: Severity::Critical,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`{\"class_name\": \"TFOpLambda\", \"config\": {\"function\": \"io.write_file\"}}`",
    check,
};

/// Functions by their last name, or whole namespaces with a dot at the end.
const DANGEROUS: &[&str] = &[
    "read_file",
    "write_file",
    "matching_files",
    "py_function",
    "numpy_function",
    "py_func",
    "eager_py_func",
    "load_op_library",
    "load_library",
    "ReadFile",
    "WriteFile",
    "MatchingFiles",
    "PyFunc",
    "EagerPyFunc",
    "PyFuncStateless",
    "get_file",
    "load_model",
    "load_weights",
    "saved_model.load",
    "checkpoints_iterator",
    "TFRecordDataset",
    "TextLineDataset",
    "FixedLengthRecordDataset",
    "CsvDataset",
    "SqlDataset",
    "decode_and_run",
    "enable_unsafe_deserialization",
    "save_model",
    "rmtree",
    "gfile.",
];

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in keras(model) {
        for reference in
            facts.references.iter().filter(|reference| reference.kind == KerasKind::TensorFlowFunction)
        {
            let name = reference.name.as_str();
            let hit = DANGEROUS.iter().any(|dangerous| {
                name == *dangerous
                    || name.strip_suffix(dangerous).is_some_and(|rest| rest.ends_with('.'))
                    || dangerous.ends_with('.') && format!(".{name}").contains(&format!(".{dangerous}"))
            });
            if hit {
                let name = quote(name, 160);
                let message = format!("an operation layer calls `tf.{name}`");
                let evidence = format!("{} calls tf.{name}", quote(&reference.pointer, 200));
                sink.report_at(&artifact.path, (reference.offset, reference.offset), message, evidence);
            }
        }
    }
}
