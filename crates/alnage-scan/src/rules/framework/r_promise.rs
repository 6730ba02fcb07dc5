//! RDS001: an R file holds a promise that runs when it is touched.

use alnage_formats::{Model, framework::RPromise};
use alnage_types::{Confidence, Level, Severity};

use super::{quote, r, r_functions};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "RDS001",
    name: "r-promise",
    summary: "an R file holds a promise that runs code when the object is touched",
    why: "A promise is an expression that R evaluates when its value is first needed. `readRDS` and `load` give it \
          back unevaluated, so printing or using the object runs the expression. R writes promises only as unused \
          arguments within environments; anywhere else somebody put it there by hand.",
    remediation: "Do not load the file. R 4.4.0 refuses a promise as the object itself, not one inside another object.",
    references: &["CVE-2024-27322", "CWE-502", "AML.T0011.000"],
    severity: Severity::Critical,
    confidence: Confidence::High,
    level: Level::Default,
    example: "an `.rds` file whose object is a promise of `system(\"id\")`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in r(model) {
        for promise in &facts.promises {
            let Some(severity) = severity(promise) else { continue };
            let call = quote(&promise.call, 200);
            let message = format!("touching the object runs `{call}`");
            let place = (promise.offset, promise.offset);
            sink.report_at(&artifact.path, place, message, call).severity = severity;
        }
    }
}

fn severity(promise: &RPromise) -> Option<Severity> {
    let mut functions = promise.functions.iter();
    if functions.any(|name| r_functions::severity(name, None) == Some(Severity::High)) {
        return Some(Severity::Critical);
    }
    if promise.planted {
        return Some(Severity::High);
    }
    let is_computed = promise.functions.iter().any(String::is_empty);
    is_computed.then_some(Severity::Medium)
}
