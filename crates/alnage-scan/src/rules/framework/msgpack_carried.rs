//! MSG002: a MessagePack file holds code or an encoded file among its values.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::msgpack;
use crate::{Rule, Sink, rules::tensor::report_carried};

pub(super) static RULE: Rule = Rule {
    code: "MSG002",
    name: "msgpack-carried",
    summary: "a value among the weights is code or carries an encoded file",
    why: "Flax gives texts back as they are and runs none of them. Among weights they are words: a script or an encoded \
          file there waits for a program that evaluates it.",
    remediation: "Find out which program reads the value; ask for the weights in safetensors.",
    references: &["CWE-506", "AML.T0018"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "a key `restore_fn` with `__import__('os').system('id')`",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in msgpack(model) {
        report_carried(artifact, &facts.carried, RULE.severity, sink);
    }
}
