//! CML001: a Core ML model needs native code of the application or names files outside.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{graph, quote};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "CML001",
    name: "core-ml-custom",
    summary: "a Core ML model needs native code of the application or names files outside",
    why: "Custom layers and models are native classes that the application brings along; the model chooses which class is made and with which parameters.",
    remediation: "Check that your application means to offer the class.",
    references: &["CWE-829", "CWE-73"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a layer of class `EvilCustomLayer`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in graph(model).filter(|(artifact, _)| artifact.format == "core-ml") {
        for (name, offset) in &facts.custom {
            let name = quote(name, 120);
            let message = format!("the model needs the custom {name}");
            sink.report_at(&artifact.path, (*offset, *offset), message, name);
        }
        for file in &facts.files {
            let inside = ["@model_path/", "$BUNDLE_MAIN/"].iter().find_map(|start| file.strip_prefix(start));
            let inside = inside.unwrap_or(file);
            if super::paths::leaves_the_model(inside) {
                let file = quote(file, 200);
                let finding =
                    sink.report(&artifact.path, format!("a part of the model is read from `{file}`"));
                finding.evidence = Some(file);
                finding.severity = Severity::High;
            }
        }
    }
}
