//! MSG001: a MessagePack file holds an extension value that Flax does not write.

use alnage_formats::Model;
use alnage_types::{Confidence, Level, Severity};

use super::{msgpack, quote};
use crate::{Rule, Sink};

pub(super) static RULE: Rule = Rule {
    code: "MSG001",
    name: "msgpack-extension",
    summary: "a MessagePack file holds an extension value that Flax does not write",
    why: "Extension values are handed to code of the reading program by their number; a pickle under such a number runs when that code loads it.",
    remediation: "Find out which program wrote the value; ask for the weights in safetensors.",
    references: &["CWE-502"],
    severity: Severity::Medium,
    confidence: Confidence::High,
    level: Level::Default,
    example: "an extension value of type 100 with a pickle in it",
    check,
};

fn check(model: &Model, sink: &mut Sink<'_>) {
    for (artifact, facts) in msgpack(model) {
        if let Some(&first) = facts.odd_extensions.first() {
            let codes: Vec<String> = facts.extensions.keys().take(16).map(ToString::to_string).collect();
            let message = format!("{} extension values are not what Flax writes", facts.odd_extensions.len());
            sink.report_at(
                &artifact.path,
                (first, first),
                message,
                format!("types {}", quote(&codes.join(", "), 80)),
            );
        }
        if let Some(&first) = facts.pickles.first() {
            let message = "a binary value holds a pickle";
            sink.report_at(
                &artifact.path,
                (first, first),
                message,
                format!("{} pickles", facts.pickles.len()),
            );
        }
    }
}
