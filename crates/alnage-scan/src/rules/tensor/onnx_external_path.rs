//! ONX004: an ONNX tensor that is read from outside the model's folder.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::external::{self, external_by_file};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "ONX004",
    name: "onnx-external-path",
    summary: "external data lies outside the model's folder",
    why: "A loader opens the file that the tensor names. With `../` or an absolute path it reads any file of the machine into a tensor, from where the model's outputs give it away; a special address makes some runtimes read their own memory.",
    remediation: "Do not load the model; ask the publisher for one whose tensors lie in the file itself or beside it.",
    references: &["CVE-2022-25882", "CVE-2024-27318", "CVE-2024-5187", "CWE-22"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`location` = `../../etc/passwd`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, tensor) in external_by_file(model) {
        if let Some(what) = external::escape(&tensor.location) {
            let message = format!("the bytes of `{}` lie in a file whose name {what}", tensor.tensor);
            sink.report_at(&artifact.path, tensor.span, message, format!("location = {:?}", tensor.location));
        }
    }
}
