//! PKL003: loading calls something nobody has classed.

use std::collections::BTreeSet;

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{dangerous_call::callee, few::Few, weigh::Weight};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PKL003",
    name: "pickle-unknown-callable",
    summary: "loading calls something nobody has classed",
    why: "Only callables that real frameworks write into models are known to be harmless. This one is not among them: it may be a helper of the model's own code, or something that does more than it seems.",
    remediation: "Look at what the callable does in the version that is installed. If it is fine, suppress the finding with that reason; better, ask for safetensors.",
    references: &["CWE-502", "AML.T0011.000"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`mypackage.helpers.restore('x')` by REDUCE",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts, calls) in sink.weighed_calls(model).pickles(model) {
        let mut seen = BTreeSet::new();
        let mut few = Few::new();
        for (call, _) in calls.filter(|(_, weight)| **weight == Weight::UnknownCallable) {
            let name = callee(facts, call);
            if seen.insert(name.clone()) && few.has_room(call.offset) {
                let message = format!("loading calls `{name}`, which is not known to be harmless");
                sink.report_at(&artifact.path, (call.offset, call.offset + 1), message, &*call.line);
            }
        }
        few.close(sink, artifact, None);
    }
}
