//! PKL021: a string of the pickle holds a code object.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{dangerous_call::shorten, few::Few, pickles};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "PKL021",
    name: "pickle-carried-bytecode",
    summary: "a string of the pickle holds a code object",
    why: "The string, decoded where it is encoded, is Python bytecode in the form that `marshal` reads. Nothing in a model needs it: whoever loads it and makes a function of it runs code that no source repository shows.",
    remediation: "Ask for a file without it, or find out who loads it and what it does.",
    references: &["CWE-502", "CWE-94", "AML.T0011.000"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`types.FunctionType(marshal.loads(b'\\xe3…'), {})()`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in pickles(model) {
        let mut few = Few::new();
        for nested in &facts.nested {
            if nested.names.is_empty() && nested.constants.is_empty() || !few.has_room(nested.offset) {
                continue;
            }
            let message = match &nested.loaded_by {
                Some(by) => format!("a string holds a code object, which `{}` loads", shorten(by)),
                None => "a string holds a code object".to_owned(),
            };
            let list = |texts: &[String]| {
                texts.iter().take(12).map(|text| shorten(text)).collect::<Vec<_>>().join(", ")
            };
            let evidence = match (list(&nested.names), list(&nested.constants)) {
                (names, constants) if constants.is_empty() => format!("uses {names}"),
                (names, constants) if names.is_empty() => format!("strings: {constants}"),
                (names, constants) => format!("uses {names}; strings: {constants}"),
            };
            sink.report_at(&artifact.path, (nested.offset, nested.offset + 1), message, evidence);
        }
        few.close(sink, artifact, None);
    }
}
