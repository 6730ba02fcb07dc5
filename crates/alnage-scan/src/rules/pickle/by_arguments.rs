//! PKL007: a harmless callable with arguments that lead out of plain data.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{
    dangerous_call::callee,
    few::Few,
    weigh::{Graveness, Weight},
};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PKL007",
    name: "pickle-telling-arguments",
    summary: "a harmless callable with arguments that lead out of plain data",
    why: "Frameworks write `getattr`, `partial` and the like for bound methods and enumerations, with plain names on objects of their own. Special attributes and modules as arguments are how such a call becomes a way to any function.",
    remediation: "Do not load the file unless you can explain the call.",
    references: &["CWE-502", "AML.T0011.000"],
    severity: Severity::Critical,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`getattr(obj, '__globals__')`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts, calls) in sink.weighed_calls(model).pickles(model) {
        let (mut grave, mut odd) = (Few::new(), Few::new());
        for (call, weight) in calls {
            let Weight::Arguments(what, graveness) = weight else { continue };
            let few = if *graveness == Graveness::Odd { &mut odd } else { &mut grave };
            if !few.has_room(call.offset) {
                continue;
            }
            let message = format!("`{}` is called for {what}", callee(facts, call));
            let finding =
                sink.report_at(&artifact.path, (call.offset, call.offset + 1), message, &*call.line);
            if *graveness == Graveness::Odd {
                finding.severity = Severity::Medium;
                finding.confidence = Confidence::Medium;
            }
        }
        grave.close(sink, artifact, None);
        odd.close(sink, artifact, Some(Severity::Medium));
    }
}
