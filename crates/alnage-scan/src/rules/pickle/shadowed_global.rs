//! PKL006: loading overwrites part of a module or class.

use alnage_formats::{Model, pickle::AnomalyKind};
use alnage_types::{Confidence, Level, Severity};

use super::report_anomalies;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PKL006",
    name: "pickle-shadowed-global",
    summary: "loading overwrites part of a module or class",
    why: "Names that look harmless, called later, then do what the pickle put in their place. No model needs to change a module.",
    remediation: "Do not load the file.",
    references: &["CWE-502", "CWE-915", "AML.T0011.000", "arXiv:2607.17503"],
    severity: Severity::Critical,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`collections.__dict__['OrderedDict'] = os.system` by SETITEM",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    report_anomalies(
        model,
        sink,
        AnomalyKind::ShadowedGlobal,
        "loading changes something that other code uses",
    );
}
