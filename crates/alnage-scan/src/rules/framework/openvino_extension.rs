//! OVN001: OpenVINO layers of extension libraries.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{quote, xml};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "OVN001",
    name: "openvino-extension",
    summary: "an OpenVINO model names a library or needs an extension",
    why: "Extensions are native libraries that the runtime loads into the process: a model that names one asks for \
          that code to run.",
    remediation: "Take extensions only from the project that makes them, never from a path in the model.",
    references: &["CWE-114", "CWE-829", "AML.T0011.000"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`<layer version=\"extension\"><data library=\"/tmp/x.so\"/></layer>`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in xml(model) {
        for extension in &facts.extensions {
            let (name, target) = (quote(&extension.name, 80), quote(&extension.target, 200));
            let needs = extension.target == "extension";
            let message = match needs {
                true => "a layer needs an extension library".to_owned(),
                false => format!("the model names the library `{target}`"),
            };
            let span = (extension.offset, extension.offset);
            let finding = sink.report_at(&artifact.path, span, message, format!("{name} = {target}"));
            // A word without a path or an ending says which device, not which file.
            if needs || !extension.target.contains(['/', '\\', '.']) {
                finding.severity = Severity::Medium;
            }
        }
    }
}
