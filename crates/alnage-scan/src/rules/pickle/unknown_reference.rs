//! PKL005: something nobody has classed is imported.

use alnage_formats::{Model, pickle::Import};
use alnage_types::{Confidence, Level, Severity};

use super::{
    dangerous_call::shorten,
    few::Few,
    pickles,
    weigh::{builds_code, is_plain_attribute, is_torchscript},
};
use crate::{
    Rule, Sink,
    capability::{Class, classify},
};

pub(super) static RULE: Rule = Rule {
    code: "PKL005",
    name: "pickle-unknown-reference",
    summary: "something nobody has classed is imported",
    why: "Importing runs the module it is in, and the object keeps what was imported and may call it later.",
    remediation: "Look at the module it comes from. If it is fine, suppress the finding with that reason.",
    references: &["CWE-502", "AML.T0011.000"],
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    level: Level::Default,
    example: "a vectoriser whose tokenizer is `__main__.split`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in pickles(model) {
        let mut few = Few::new();
        for global in facts.globals.iter().filter(|global| !global.called && !global.instantiated) {
            let unnamed =
                global.how == Import::Computed && (global.name.is_empty() || is_plain_attribute(global));
            if !unnamed
                && !is_torchscript(artifact, global)
                && !builds_code(&global.module, &global.name)
                && classify(&global.module, &global.name) == Class::Unknown
                && few.has_room(global.offset)
            {
                let path = shorten(&global.path());
                let message = format!("loading imports `{path}`, which is not known");
                sink.report_at(&artifact.path, (global.offset, global.offset + 1), message, path);
            }
        }
        few.close(sink, artifact, None);
    }
}
