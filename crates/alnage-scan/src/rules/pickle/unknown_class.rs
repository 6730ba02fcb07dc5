//! PKL004: instances of a class nobody has classed.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{dangerous_call::shorten, few::Few, pickles, weigh::is_torchscript};
use crate::{
    Rule, Sink,
    capability::{Class, classify},
};

pub(super) static RULE: Rule = Rule {
    code: "PKL004",
    name: "pickle-unknown-class",
    summary: "instances of a class nobody has classed",
    why: "The class is imported, which runs its module, and its `__setstate__` is called when it has one. Most often this is the model's own class, saved whole; what it does depends on code that is not in this file.",
    remediation: "Look at the class where it is defined. Saving the weights alone, as a state dictionary in safetensors, avoids the question.",
    references: &["CWE-502", "AML.T0011.000"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`torch.save(model)` of a `__main__.Net`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in pickles(model) {
        let mut few = Few::new();
        for global in facts.globals.iter().filter(|global| global.instantiated && !global.called) {
            if classify(&global.module, &global.name) == Class::Unknown
                && !is_torchscript(artifact, global)
                && few.has_room(global.offset)
            {
                let path = shorten(&global.path());
                let message = format!("the object contains instances of `{path}`, a class that is not known");
                sink.report_at(&artifact.path, (global.offset, global.offset + 1), message, path);
            }
        }
        few.close(sink, artifact, None);
    }
}
