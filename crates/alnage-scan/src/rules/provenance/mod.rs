//! What the files of a model say about it and cannot all be true.

mod architecture;
mod base_model;
mod context_length;
mod element_type;
mod licence;
mod parameters;

#[cfg(test)]
mod tests;

use alnage_facts::{Place, Question};
use alnage_formats::Model;
use alnage_types::{ArtifactPath, Severity, Span};

use crate::{Rule, Sink};

/// The rules of this family.
pub(super) static RULES: &[&Rule] = &[
    &base_model::RULE,
    &licence::RULE,
    &element_type::RULE,
    &parameters::RULE,
    &context_length::RULE,
    &architecture::RULE,
];

/// Reports the contradictions about one question, at the place of the weaker answer.
fn report(model: &Model, question: Question, sink: &mut Sink<'_>) {
    for found in sink.contradictions(model).iter().filter(|found| found.question == question) {
        let file = &found.weaker.source.file;
        let finding = sink.report(&ArtifactPath::file(file.as_str()), shown(&found.shown()));
        if found.is_grave {
            finding.severity = Severity::Medium;
        }
        if let Place::Bytes(start, end) = found.weaker.source.place {
            finding.span = Some(Span::new(start, end));
        }
        finding.evidence = Some(shown(&format!("{} / {}", found.stronger.value, found.weaker.value)));
    }
}

/// On one line, without control characters, shortened.
fn shown(text: &str) -> String {
    let mut plain = String::new();
    for character in text.chars().take(600) {
        if character.is_control() || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}') {
            plain.extend(character.escape_default());
        } else {
            plain.push(character);
        }
    }
    plain
}
