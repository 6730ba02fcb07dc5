//! PKL016: an import by a number.

use alnage_formats::{Model, pickle::AnomalyKind};
use alnage_types::{Confidence, Level, Severity};

use super::report_anomalies;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PKL016",
    name: "pickle-extension-code",
    summary: "an import by a number",
    why: "Extension codes stand for imports that the loading program has registered under a number. What they import cannot be told from the file.",
    remediation: "Find out which program registers the code, and for what.",
    references: &["CWE-502", "AML.T0015"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "EXT1 240 without `copyreg.add_extension`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    report_anomalies(
        model,
        sink,
        AnomalyKind::UnknownExtension,
        "an extension code is used that nothing in the file registers",
    );
}
