//! Rules about pickles: what loading them would import, call and change.

mod broken_stream;
mod by_arguments;
mod carried_bytecode;
mod carried_code;
mod computed_name;
mod dangerous_call;
mod dangerous_reference;
mod declared_length;
mod expansion;
mod extension_code;
mod few;
mod frame_crossing;
mod item_on_other;
mod memo_hole;
mod odd_number;
mod planted_hook;
mod referenced_file;
mod several_streams;
mod shadowed_global;
mod storage_size;
#[cfg(test)]
mod tests;
mod unknown_callable;
mod unknown_class;
mod unknown_reference;
mod unresolved_call;
mod weigh;
mod weights_only;

pub(crate) use weigh::WeighedCalls;

use alnage_formats::{
    Artifact, Facts, Model,
    pickle::{AnomalyKind, PickleFacts},
};

use crate::{Rule, Sink};

/// The rules of this family.
pub(super) static RULES: &[&Rule] = &[
    &dangerous_call::RULE,
    &dangerous_reference::RULE,
    &unknown_callable::RULE,
    &unknown_class::RULE,
    &unknown_reference::RULE,
    &shadowed_global::RULE,
    &by_arguments::RULE,
    &unresolved_call::RULE,
    &carried_code::RULE,
    &computed_name::RULE,
    &planted_hook::RULE,
    &odd_number::RULE,
    &frame_crossing::RULE,
    &broken_stream::RULE,
    &declared_length::RULE,
    &extension_code::RULE,
    &item_on_other::RULE,
    &expansion::RULE,
    &several_streams::RULE,
    &weights_only::RULE,
    &carried_bytecode::RULE,
    &storage_size::RULE,
    &referenced_file::RULE,
    &memo_hole::RULE,
];

/// Every pickle of the model.
fn pickles(model: &Model) -> impl Iterator<Item = (&Artifact, &PickleFacts)> {
    model.artifacts.iter().filter_map(|artifact| match &artifact.facts {
        Facts::Pickle(facts) => Some((artifact, facts.as_ref())),
        _ => None,
    })
}

/// Reports every anomaly of a kind.
fn report_anomalies(model: &Model, sink: &mut Sink<'_>, kind: AnomalyKind, message: &str) {
    for (artifact, facts) in pickles(model) {
        for anomaly in facts.anomalies.iter().filter(|anomaly| anomaly.kind == kind) {
            let place = (anomaly.offset, anomaly.offset + 1);
            sink.report_at(&artifact.path, place, message, anomaly.detail.clone());
        }
    }
}
