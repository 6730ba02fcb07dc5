//! PKL009: the pickle carries code of its own.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{dangerous_call::callee, few::Few, weigh::Weight};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PKL009",
    name: "pickle-carried-code",
    summary: "the pickle carries code of its own",
    why: "cloudpickle and dill write functions and classes by value, as bytecode. Whoever calls such a function runs code that came with the file and that no source repository shows; a pickle can call it while it is being loaded.",
    remediation: "Review the code, or ask for a file without it.",
    references: &["CWE-502", "CWE-94", "AML.T0011.000"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`cloudpickle.dumps(lambda x: x)`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts, calls) in sink.weighed_calls(model).pickles(model) {
        let (mut run, mut built) = (Few::new(), Few::new());
        for (call, weight) in calls {
            let place = (call.offset, call.offset + 1);
            match weight {
                Weight::RunsCarried if run.has_room(call.offset) => {
                    let message = "loading runs a function that the pickle itself carries";
                    sink.report_at(&artifact.path, place, message, &*call.line).severity = Severity::Critical;
                }
                Weight::Builds if built.has_room(call.offset) => {
                    let message =
                        format!("`{}` makes a function or class of code in the pickle", callee(facts, call));
                    sink.report_at(&artifact.path, place, message, &*call.line);
                }
                _ => {}
            }
        }
        run.close(sink, artifact, Some(Severity::Critical));
        built.close(sink, artifact, None);
    }
}
