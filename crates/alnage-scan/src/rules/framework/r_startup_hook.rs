//! RDS003: a workspace of R holds a function that R runs by itself.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{quote, r};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "RDS003",
    name: "r-startup-hook",
    summary: "a workspace of R holds an object that R calls by itself",
    why: "R calls `.First` after it has restored `.RData` and `.Last` before it quits, whatever they are; objects \
          named like R's own functions are called in their place once the workspace is loaded.",
    remediation: "Load the file into an environment of its own, and look at the object before using it.",
    references: &["CWE-506", "CWE-427"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a `.RData` file with an object `.First`",
    check,
};

const HOOKS: &[&str] =
    &[".First", ".Last", ".First.sys", ".onLoad", ".onAttach", "library", "require", "print"];

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in r(model) {
        for name in facts.names.iter().filter(|name| HOOKS.contains(&name.as_str())) {
            let name = quote(name, 80);
            let message = format!("the workspace defines `{name}`, which R calls by itself");
            sink.report(&artifact.path, message).evidence = Some(name);
        }
    }
}
