//! Compiled Python that acts on the machine when it is imported.

use alnage_formats::{Model, repository::python::Action};
use alnage_types::{Confidence, Level, Severity};

use super::{acts_on_import::does, compiled, shown};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PYC006",
    name: "python-bytecode-acts-on-import",
    summary: "compiled Python starts processes, runs code or connects when it is imported",
    why: "Python imports a compiled file in place of its source, or without one, and nobody sees what it does. The \
          statements of this one reach what starts processes, runs code or connects as soon as something imports \
          it.",
    remediation: "Do not load the model. Ask for the source, and compile nothing that you did not read.",
    references: &["CWE-506", "CWE-829", "CWE-94", "AML.T0010", "AML.T0011"],
    severity: Severity::Critical,
    confidence: Confidence::High,
    level: Level::Default,
    example: "modeling_x.pyc of `os.system('echo pwned')`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in compiled(model) {
        for reach in &facts.reaches {
            let severity = match reach.action {
                Action::Process | Action::FetchedCode | Action::Network | Action::Socket => {
                    Severity::Critical
                }
                Action::Code if reach.name.starts_with("types.") => continue,
                Action::Code | Action::Deserialize => Severity::Critical,
                Action::Native | Action::Hook | Action::Import => Severity::Medium,
                // Reading, writing and looking around is what libraries do, too.
                _ => continue,
            };
            let message = format!("importing the file {} by `{}`", does(reach.action), shown(&reach.name));
            let evidence = match &reach.text {
                Some(text) => format!("{}('{}')", shown(&reach.name), shown(text)),
                None => shown(&reach.name),
            };
            sink.report_at(&artifact.path, (reach.offset, reach.offset + 2), message, evidence).severity =
                severity;
        }
    }
}
