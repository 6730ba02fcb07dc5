//! XML003: texts in a model's XML that look like code.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{quote, xml};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "XML003",
    name: "xml-code-like",
    summary: "a PMML or OpenVINO model holds text that looks like code",
    why: "PMML lets a model apply functions that the reading program defines, and some readers take the name of a Java \
          class or a script for one.",
    remediation: "Find out which program evaluates the text; ask for a model without it.",
    references: &["CWE-94"],
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    level: Level::Default,
    example: "`<Apply function=\"com.example.Evil\"/>`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in xml(model).filter(|(artifact, _)| artifact.format != "xml") {
        for code in &facts.code_like {
            let (name, target) = (quote(&code.name, 80), quote(&code.target, 200));
            let message = format!("the text of `{name}` looks like code");
            sink.report_at(&artifact.path, (code.offset, code.offset), message, target);
        }
    }
}
