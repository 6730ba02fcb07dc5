//! Rules about what stands beside weights in a model repository.

mod absent_part;
mod auto_map;
mod card_remote_code;
mod custom_code;
mod duplicate_keys;
mod executable;
mod hostile_script;
mod instantiate;
mod kernel_repository;
mod leads_out;
mod path_file;
mod pointer;
mod python;
mod remote_code;
mod risky_requirements;
mod shard_index;
mod startup_file;
mod target;
mod template_engine_object;
mod template_huge;
mod template_injection;
mod template_load;
mod template_trigger;
mod tree;
mod trust_remote_code;
mod two_weights;
mod yaml_object;

#[cfg(test)]
mod tests;

use alnage_formats::{
    Artifact, Facts, Model,
    repository::{RepositoryFacts, config::ConfigFacts, jinja::TemplateFacts, lines::LinesFacts},
};

use crate::Rule;

/// The rules of this family.
pub(super) static RULES: &[&Rule] = &[
    &auto_map::RULE,
    &remote_code::RULE,
    &trust_remote_code::RULE,
    &kernel_repository::RULE,
    &instantiate::RULE,
    &yaml_object::RULE,
    &custom_code::RULE,
    &leads_out::RULE,
    &duplicate_keys::RULE,
    &template_injection::RULE,
    &template_engine_object::RULE,
    &template_load::RULE,
    &template_huge::RULE,
    &template_trigger::RULE,
    &pointer::RULE,
    &hostile_script::RULE,
    &risky_requirements::RULE,
    &path_file::RULE,
    &shard_index::RULE,
    &tree::RULE,
    &startup_file::RULE,
    &card_remote_code::RULE,
    &executable::RULE,
    &absent_part::RULE,
    &two_weights::RULE,
];

/// The rules about Python files.
pub(super) static PYTHON_RULES: &[&Rule] = python::RULES;

fn repository_facts(model: &Model) -> impl Iterator<Item = (&Artifact, &RepositoryFacts)> {
    model.artifacts.iter().filter_map(|artifact| match &artifact.facts {
        Facts::Repository(facts) => Some((artifact, facts.as_ref())),
        _ => None,
    })
}

fn configs(model: &Model) -> impl Iterator<Item = (&Artifact, &ConfigFacts)> {
    repository_facts(model).filter_map(|(artifact, facts)| match facts {
        RepositoryFacts::Config(facts) => Some((artifact, facts.as_ref())),
        _ => None,
    })
}

fn templates(model: &Model) -> impl Iterator<Item = (&Artifact, &TemplateFacts)> {
    repository_facts(model).filter_map(|(artifact, facts)| match facts {
        RepositoryFacts::Template(facts) => Some((artifact, facts)),
        _ => None,
    })
}

fn lines_of<'a>(model: &'a Model, format: &'a str) -> impl Iterator<Item = (&'a Artifact, &'a LinesFacts)> {
    repository_facts(model).filter_map(move |(artifact, facts)| match facts {
        RepositoryFacts::Lines(facts) if artifact.format == format => Some((artifact, facts)),
        _ => None,
    })
}

/// Text of the model as a message may show it: on one line, without control characters, shortened.
fn shown(text: &str) -> String {
    const MAX: usize = 200;
    let mut shown = String::new();
    for character in text.chars() {
        if shown.len() >= MAX {
            shown.push('…');
            break;
        }
        if character.is_control() || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}') {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}
