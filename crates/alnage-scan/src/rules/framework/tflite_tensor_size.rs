//! TFL002: a tensor of a TensorFlow Lite model has another size than its data.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{quote, tflite};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "TFL002",
    name: "tflite-tensor-size",
    summary: "a tensor of a TensorFlow Lite model has another size than its data",
    why: "A runtime that trusts the shape reads beyond the data; such reads have been memory errors in TensorFlow Lite \
          before. Converters never write sizes that differ.",
    remediation: "Convert the model anew from its source.",
    references: &["CWE-125", "CWE-787", "CVE-2020-15211", "CVE-2022-23558"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a tensor of shape [1000, 1000] with a buffer of 16 bytes",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in tflite(model) {
        for tensor in &facts.mismatches {
            let name = quote(&tensor.tensor, 120);
            let needs =
                tensor.expected.map_or("an impossible size".to_owned(), |size| format!("{size} bytes"));
            let has = tensor.actual.map_or("none in the file".to_owned(), |size| format!("{size} bytes"));
            let finding =
                sink.report(&artifact.path, format!("the tensor `{name}` needs {needs} and has {has}"));
            finding.evidence = Some(format!("{name}: {needs}, {has}"));
        }
    }
}
