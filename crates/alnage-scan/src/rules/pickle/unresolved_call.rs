//! PKL008: what is called cannot be told.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{few::Few, weigh::Weight};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PKL008",
    name: "pickle-unresolved-call",
    summary: "what is called cannot be told",
    why: "The callable is the result of another call, or its name is put together while loading. Ordinary picklers never write that.",
    remediation: "Treat the file as hostile until someone has found out what is called.",
    references: &["CWE-502", "AML.T0011.000"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "REDUCE on the result of an unknown call",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, _, calls) in sink.weighed_calls(model).pickles(model) {
        let mut few = Few::new();
        for (call, _) in calls.filter(|(_, weight)| **weight == Weight::Unresolved) {
            if !few.has_room(call.offset) {
                continue;
            }
            let message = "loading calls something whose name is computed in a way that is not followed";
            sink.report_at(&artifact.path, (call.offset, call.offset + 1), message, &*call.line);
        }
        few.close(sink, artifact, None);
    }
}
