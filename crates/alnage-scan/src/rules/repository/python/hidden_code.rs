//! Python that runs code it decodes or downloads.

use alnage_formats::{
    Model,
    repository::python::{Action, ArgumentOrigin, SensitiveCall, When},
};
use alnage_types::{Confidence, Level, Severity};

use super::{evidence, files, is_cell, loaded::loaded, shown};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PYC003",
    name: "python-runs-hidden-code",
    summary: "Python code runs code that it decodes or downloads",
    why: "Code that is kept encoded, compressed or on a server cannot be read by whoever reviews the file. Ordinary \
          model code has no use for it.",
    remediation: "Do not run the file.",
    references: &["CWE-506", "CWE-94", "CWE-494", "T1027", "AML.T0011"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "exec(base64.b64decode(data))",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    let loaded = loaded(model);
    for (artifact, facts) in files(model) {
        let by_loader = loaded.contains(artifact.path.as_str());
        // On import the rule about that reports it.
        let reported = |call: &SensitiveCall| call.when == When::Import && !is_cell(artifact);
        for call in facts.calls.iter().filter(|call| call.action == Action::Code && !reported(call)) {
            let from = match call.argument {
                ArgumentOrigin::Decoded => "it decodes",
                ArgumentOrigin::Network => "it fetches",
                _ => continue,
            };
            let message = format!("`{}` runs code that {from}", shown(&call.name));
            let finding = sink.report_at(&artifact.path, (call.start, call.end), message, evidence(call));
            if call.name.starts_with("marshal.") || (call.when < When::Use && !by_loader) {
                finding.severity = Severity::Medium;
            }
        }
    }
}
