//! ONX005: ONNX external data behind a link that leads out of the model.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::external::{self, Found, external_by_file};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "ONX005",
    name: "onnx-external-link",
    summary: "external data is a link out of the model's folder",
    why: "The name looks harmless, but the file is a symbolic link: a loader that checks only the name follows it and reads any file of the machine into a tensor.",
    remediation: "Do not load the model; ask the publisher for the file itself.",
    references: &["CVE-2026-34447", "CVE-2026-34446", "CWE-59"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`weights.bin` is a link to `/etc/passwd`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, tensor) in external_by_file(model) {
        let what = match external::find(model, artifact, &tensor.location) {
            Found::LinkOutside(target) => format!("a link to {target:?}"),
            Found::Special => "no regular file".to_owned(),
            Found::Missing | Found::File(_) | Found::Elsewhere => continue,
        };
        let message = format!("the external data of `{}` is {what}", tensor.tensor);
        sink.report_at(&artifact.path, tensor.span, message, format!("location = {:?}", tensor.location));
    }
}
