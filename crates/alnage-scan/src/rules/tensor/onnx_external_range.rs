//! ONX006: ONNX external data that is not there or too short.

use std::collections::BTreeSet;

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{
    external::{self, Found},
    onnx,
};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "ONX006",
    name: "onnx-external-range",
    summary: "external data is missing, or its file is shorter than the tensor",
    why: "The model is not complete without that file, so what would be loaded has not been seen. A range beyond the file's end makes careless loaders read memory that is not the file's.",
    remediation: "Vet the model together with all its files; get it again if one is damaged.",
    references: &["CWE-125", "CVE-2025-51480"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`offset` 4096 in a file of 100 bytes",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in onnx(model) {
        let mut reported = BTreeSet::new();
        for tensor in facts.external.iter().filter(|tensor| external::escape(&tensor.location).is_none()) {
            let problem = match external::find(model, artifact, &tensor.location) {
                Found::Missing if tensor.location.is_empty() => "names no file".to_owned(),
                Found::Missing => "is not among the model's files".to_owned(),
                Found::File(size) => match external::range_problem(tensor, size) {
                    Some(problem) => problem,
                    None => continue,
                },
                Found::LinkOutside(_) | Found::Special | Found::Elsewhere => continue,
            };
            if reported.insert(tensor.location.as_str()) {
                let message = format!("the external data of `{}` {problem}", tensor.tensor);
                let evidence = format!("location = {:?}", tensor.location);
                sink.report_at(&artifact.path, tensor.span, message, evidence);
            }
        }
    }
}
