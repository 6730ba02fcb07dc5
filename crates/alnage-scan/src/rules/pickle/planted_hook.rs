//! PKL011: a special method is planted on an instance.

use alnage_formats::{Model, pickle::AnomalyKind};
use alnage_types::{Confidence, Level, Severity};

use super::pickles;
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PKL011",
    name: "pickle-planted-hook",
    summary: "a special method is planted on an instance",
    why: "BUILD sets attributes from the pickle. When one of them is `__setstate__` or another method that unpickling looks up on the instance, the next state is passed to a callable of the attacker's choice.",
    remediation: "Do not load the file.",
    references: &["CWE-502", "CWE-915", "AML.T0011.000"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "BUILD with `{'__setstate__': os.system}`, then BUILD with a command",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in pickles(model) {
        let hooks = facts.anomalies.iter().filter(|anomaly| anomaly.kind == AnomalyKind::PlantedHook);
        // `append`, `extend` and `add` are ordinary names; when they are called, the call is judged.
        for hook in hooks.filter(|hook| hook.detail.starts_with("__")) {
            let message = "a special method is planted as an attribute, which unpickling calls";
            sink.report_at(&artifact.path, (hook.offset, hook.offset + 1), message, hook.detail.clone());
        }
    }
}
