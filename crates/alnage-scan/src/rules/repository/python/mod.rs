//! Rules about Python files of a model repository: what they do, and whether it happens on import or in use.

mod acts_in_use;
mod acts_on_import;
mod command;
mod compiled;
mod compiled_acts_on_import;
mod hidden_code;
mod hostile_command;
mod loaded;
mod sends_secrets;

use alnage_formats::{
    Artifact, Model,
    repository::{
        RepositoryFacts,
        python::{BytecodeFacts, PythonFacts, SensitiveCall},
    },
};

use super::{repository_facts, shown};
use crate::Rule;

/// The rules about Python.
pub(super) static RULES: &[&Rule] = &[
    &acts_on_import::RULE,
    &acts_in_use::RULE,
    &hidden_code::RULE,
    &sends_secrets::RULE,
    &hostile_command::RULE,
    &compiled_acts_on_import::RULE,
    &compiled::RULE,
];

pub(super) use command::{CommandKind, command_kind};

fn files(model: &Model) -> impl Iterator<Item = (&Artifact, &PythonFacts)> {
    repository_facts(model).filter_map(|(artifact, facts)| match facts {
        RepositoryFacts::Python(facts) => Some((artifact, facts)),
        _ => None,
    })
}

fn compiled(model: &Model) -> impl Iterator<Item = (&Artifact, &BytecodeFacts)> {
    repository_facts(model).filter_map(|(artifact, facts)| match facts {
        RepositoryFacts::Bytecode(facts) => Some((artifact, facts)),
        _ => None,
    })
}

/// Whether a Python file is a cell of a notebook: run by hand, cell after cell, and never by a loader.
fn is_cell(artifact: &Artifact) -> bool {
    artifact.path.as_str().contains(".ipynb!/")
}

/// The call as evidence: as written, and what its argument comes to where that is not plain.
fn evidence(call: &SensitiveCall) -> String {
    let line = call.line;
    match &call.value {
        Some(value) if !call.text.contains(value.as_str()) => {
            format!("line {line}: {} → {}({})", shown(&call.text), shown(&call.name), shown(value))
        }
        _ if !call.text.starts_with(call.name.as_str()) => {
            format!("line {line}: {} → {}", shown(&call.text), shown(&call.name))
        }
        _ => format!("line {line}: {}", shown(&call.text)),
    }
}
