//! RDS002: a function or expression in an R file runs programs, loads code or reaches files and the network.

use std::collections::BTreeSet;

use alnage_formats::{
    Model,
    framework::{RArgument, RCall, RFunction},
};
use alnage_types::{Confidence, Level, Severity};

use super::{quote, r, r_functions};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "RDS002",
    name: "r-dangerous-call",
    summary: "a function or expression in an R file runs programs or fetches code",
    why: "R keeps functions, formulas and calls inside the objects it saves; using the object, often just printing or \
          predicting with it, evaluates them with all rights of the process.",
    remediation: "Do not load the file; ask for the fitted values or for the model in a format that holds data only.",
    references: &["CWE-502", "CWE-94", "AML.T0011.000"],
    severity: Severity::High,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a list with `predict = function(x) system(\"id\")`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in r(model) {
        let mut seen = BTreeSet::new();
        for call in &facts.calls {
            let Some(severity) = severity(call).filter(|_| seen.insert(call.text.as_str())) else { continue };
            let text = quote(&call.text, 200);
            let place = match call.region {
                "function" => "a function",
                "promise" => "a promise",
                _ => "an expression",
            };
            let message = format!("{place} in the object calls `{text}`");
            sink.report_at(&artifact.path, (call.offset, call.offset), message, text).severity = severity;
        }
    }
}

fn severity(call: &RCall) -> Option<Severity> {
    let direct = r_functions::severity(&call.function, call.package.as_deref());
    let dangerous = |name: &str| r_functions::severity(name, None) == Some(Severity::High);
    let parses = |argument: &RArgument| match argument {
        RArgument::Call(name) => RFunction(name).parses(),
        _ => false,
    };
    let names = |argument: &RArgument| match argument {
        RArgument::Name(name) | RArgument::Text(name) => dangerous(name),
        _ => false,
    };
    let holds_code = |argument: &RArgument| match argument {
        RArgument::Text(text) => r_functions::text_calls(text),
        _ => false,
    };
    let arguments = || call.arguments.iter();
    let function = RFunction(&call.function);
    let indirect = function.evaluates() && arguments().any(parses)
        || function.calls_by_name() && arguments().any(names)
        || function.parses() && arguments().any(holds_code);
    if indirect { Some(Severity::High) } else { direct }
}
