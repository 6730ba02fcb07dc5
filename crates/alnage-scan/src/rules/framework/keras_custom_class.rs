//! KER008: classes that the user must bring along.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{keras, quote};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "KER008",
    name: "keras-custom-class",
    summary: "a Keras configuration needs classes that are registered by other code",
    why: "The model loads only where that code was imported before, so its publisher ships Python with it, and that \
          code runs with all rights of the process.",
    remediation: "Read the code that registers the classes.",
    references: &["CWE-829"],
    severity: Severity::Low,
    confidence: Confidence::High,
    level: Level::Default,
    example: "`{\"class_name\": \"Attention\", \"registered_name\": \"mypackage>Attention\", \"config\": {}}`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in keras(model) {
        let custom =
            |name: &&str| name.split_once('>').is_some_and(|(package, _)| !package.starts_with("keras"));
        let mut names: Vec<&str> = facts
            .references
            .iter()
            .flat_map(|reference| [Some(reference.name.as_str()), reference.registered_name.as_deref()])
            .flatten()
            .filter(custom)
            .collect();
        names.sort_unstable();
        names.dedup();
        if !names.is_empty() {
            let list = names.iter().take(8).map(|name| quote(name, 80)).collect::<Vec<_>>().join(", ");
            let message = format!("{} classes or functions must be registered by other code", names.len());
            sink.report(&artifact.path, message).evidence = Some(list);
        }
    }
}
