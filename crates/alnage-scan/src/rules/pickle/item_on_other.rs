//! PKL017: items are set on something that is no dictionary.

use alnage_formats::{Model, pickle::AnomalyKind};
use alnage_types::{Confidence, Level, Severity};

use super::report_anomalies;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PKL017",
    name: "pickle-item-on-other",
    summary: "items are set on something that is no dictionary",
    why: "The restricted unpickler of PyTorch before 2.10 wrote to tensors this way without checks, which corrupts memory even with `weights_only=True`.",
    remediation: "Do not load the file with PyTorch before 2.10.",
    references: &["CVE-2026-24747", "CWE-787", "CWE-502"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "SETITEM on a tensor",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    report_anomalies(
        model,
        sink,
        AnomalyKind::ItemOnOther,
        "items are set on something that is no dictionary",
    );
}
