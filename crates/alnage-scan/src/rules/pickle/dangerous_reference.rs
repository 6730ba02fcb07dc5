//! PKL002: a dangerous callable is fetched and left in the object.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{dangerous_call::shorten, few::Few, pickles, weigh::builds_code};
use crate::{
    Rule, Sink,
    capability::{Class, Trigger, classify, describe},
};

pub(super) static RULE: Rule = Rule {
    code: "PKL002",
    name: "pickle-dangerous-reference",
    summary: "a dangerous callable is fetched and left in the object",
    why: "The pickle does not call it itself, but puts it where the program that loads the object may: as a callback, an attribute that hides a method, an argument of another call.",
    remediation: "Do not load the file. Ask the publisher for safetensors or another format that holds only data.",
    references: &["CWE-502", "AML.T0011.000", "AML.T0018"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a state dictionary whose value is `os.system`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in pickles(model) {
        let mut few = Few::new();
        for global in
            facts.globals.iter().filter(|global| !global.called && !builds_code(&global.module, &global.name))
        {
            let Class::Dangerous(danger) = classify(&global.module, &global.name) else { continue };
            if danger.trigger == Trigger::Call {
                continue;
            }
            if !few.has_room(global.offset) {
                continue;
            }
            let path = shorten(&global.path());
            let message = format!(
                "loading fetches `{path}`, which {}, and leaves it in the object",
                describe(danger.sink)
            );
            sink.report_at(&artifact.path, (global.offset, global.offset + 1), message, path);
        }
        few.close(sink, artifact, None);
    }
}
